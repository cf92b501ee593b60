"""Builds the dialects of the configuration."""

from collections.abc import Mapping

from thumbs.conf.dialects import DialectConf
from thumbs.conf.loading import Configuration
from thumbs.request.dialects.dialect import IMGPROXY, Dialect


def dialects(read: Configuration) -> Mapping[str, Dialect]:
    """The dialects by their paths."""
    return {conf.path: dialect(conf) for conf in read.dialects}


def dialect(conf: DialectConf) -> Dialect:
    """A dialect of a checked configuration. Keys and salts of imgproxy are hex digits, the others are texts."""
    read = bytes.fromhex if conf.dialect == IMGPROXY else str.encode
    return Dialect(
        name=conf.dialect,
        path=conf.path,
        sources=conf.sources,
        keys=tuple(read(key) for key in conf.key),
        salts=tuple(read(salt) for salt in conf.salt),
        unsafe=conf.unsafe,
        signer=conf.signer or conf.default_signer,
        signature_start=conf.signature_start,
        signature_length=conf.signature_length or conf.default_length,
        signature_size=conf.signature_size,
        presets=conf.presets,
        presets_only=conf.presets_only,
        base64_filename=conf.base64_filename,
        watermark=conf.watermark,
        format=conf.format,
    )
