"""The keys of a dialect in the configuration: the URLs of another image server."""

import hashlib
from dataclasses import dataclass

from thumbs.conf import values
from thumbs.conf.keys import boolean, mapping_of, one_of, one_or_list_of, text, whole
from thumbs.conf.keys import key as field_of
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.transforms import AUTO
from thumbs.request.dialects.dialect import GO_MAGE, IMAGOR, IMGPROXY, NAMES, SHA256_BYTES, SIGNERS, THUMBOR

_FORMATS = (AUTO, *sorted(set(OUTPUT_NAMES.values())))
_SOURCES = 'Such as "sources": {"local:///": "photos"}: the start of a source, and the storage that has it.'
_DIALECT = f"One of {', '.join(NAMES)}."

# Keys of some dialects only.
KEYS_OF = {
    "salt": (IMGPROXY,),
    "signature_size": (IMGPROXY,),
    "presets": (IMGPROXY,),
    "presets_only": (IMGPROXY,),
    "watermark": (IMGPROXY,),
    "base64_filename": (IMGPROXY,),
    "unsafe": (THUMBOR, IMAGOR),
    "signer": (IMAGOR, GO_MAGE),
    "signature_length": (IMAGOR, GO_MAGE),
    "signature_start": (GO_MAGE,),
}
# Of those that have no key for it.
UNSIGNED = ("ipx",)


@dataclass(frozen=True, slots=True)
class DialectConf:
    """One dialect. Of `signature_length`, 0 stands for the default of the peer."""

    dialect: str = field_of(one_of(NAMES), required=True, example=_DIALECT)
    path: str = field_of(values.path, default="/")
    sources: dict[str, str] = field_of(  # noqa: RUF009 - a field, under another name than that of a key
        mapping_of(text), required=True, example=_SOURCES
    )
    key: tuple[str, ...] = field_of(one_or_list_of(text), default=(), secret=True)
    salt: tuple[str, ...] = field_of(one_or_list_of(text), default=(), secret=True)
    format: str | None = field_of(one_of(_FORMATS), default=None)
    unsafe: bool = field_of(boolean, default=False)
    signer: str | None = field_of(one_of(SIGNERS), default=None)
    signature_start: int = field_of(whole(0, 64), default=0)
    signature_length: int = field_of(whole(0, 88), default=0)
    signature_size: int = field_of(whole(1, SHA256_BYTES), default=SHA256_BYTES)
    presets: dict[str, str] = field_of(mapping_of(text), default={})  # noqa: RUF009 - as above
    presets_only: bool = field_of(boolean, default=False)
    base64_filename: bool = field_of(boolean, default=False)
    watermark: str | None = field_of(text, default=None)

    @property
    def is_signed(self) -> bool:
        """Whether every URL needs a signature."""
        return bool(self.key) and not self.unsafe

    @property
    def default_signer(self) -> str:
        return "sha256" if self.dialect == GO_MAGE else "sha1"

    @property
    def default_length(self) -> int:
        return 16 if self.dialect == GO_MAGE else 0

    @property
    def signature_characters(self) -> int:
        """The characters of a signature, without padding, which is the same in each; 0 or less where none are left."""
        if self.dialect == IMGPROXY:
            return _characters(self.signature_size)
        whole_digest = _characters(hashlib.new(self.signer or self.default_signer).digest_size)
        length = self.signature_length or self.default_length or whole_digest
        return min(length, whole_digest - self.signature_start)


def _characters(size: int) -> int:
    """The characters of base64 that `size` bytes become."""
    return (size * 8 + 5) // 6
