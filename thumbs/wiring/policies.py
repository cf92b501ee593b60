"""Builds the policy of a storage from its configuration: what it accepts, signs and answers with."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from thumbs.conf.codecs import codecs
from thumbs.conf.document import DUMMY, StorageConf
from thumbs.conf.loading import Configuration
from thumbs.extras import is_installed
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import Naming
from thumbs.request.policy import StoragePolicy
from thumbs.request.signing import Signer
from thumbs.sources.drivers import table
from thumbs.wiring.namespaces import namespace_of

_SITE_KEYS = "django"
_SALT = "thumbs.signing"


def file_digest(file: str) -> str:
    """A digest of the file's bytes; `missing` for a file that cannot be read."""
    try:
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=8).hexdigest()
    except OSError:
        return "missing"


def policy(conf: StorageConf, read: Configuration) -> StoragePolicy:
    is_dummy = read.document.mode == DUMMY  # then no storage is made, and nothing is kept
    driver = table.driver_of(conf.driver)
    naming = driver.naming(driver.settings_of(conf))
    return StoragePolicy(
        name=conf.name,
        qualities=DEFAULT_QUALITIES | read.document.quality,
        output=read.document.limits.narrowed(conf.limits).output,
        signer=signer(conf),
        sizes=None if conf.allowed_sizes is None else frozenset(conf.allowed_sizes),
        presets=read.document.presets,
        presets_only=conf.presets_only,
        watermarks={name: file_digest(file) for name, file in read.document.watermarks.items()},
        encoding=read.document.encoding,
        render_proxy=conf.cache.sources,
        turbo=is_installed("turbo"),
        encoders=codecs().optional_writers(),
        formats=None if conf.formats is None else frozenset(conf.formats),
        cache_control=conf.cache_control,
        private=conf.private,
        headers=tuple((name.encode(), value.encode()) for name, value in conf.headers.items()),
        namespace="" if is_dummy else namespace_of(conf),
        keepable=not is_dummy,
        naming=naming,
        max_segment_bytes=driver.max_segment_bytes,
        fallback=_fallback(conf, naming),
        cache_tag_header=conf.cache_tag_header.encode() if conf.cache_tag_header else None,
    )


def _fallback(conf: StorageConf, naming: Naming | None) -> str | None:
    """The key of the storage's fallback. A check has found that it is one."""
    if conf.fallback is None or naming is None:
        return conf.fallback
    return naming.canonical(naming.path(conf.fallback))


def signer(conf: StorageConf) -> Signer | None:
    """The storage's signer; None for an unsigned storage. The secret `django` stands for keys from SECRET_KEY."""
    secrets: list[bytes] = []
    for secret in conf.signature_secret_key:
        if secret == _SITE_KEYS:
            keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
            secrets += [salted_hmac(_SALT, conf.name, secret=key, algorithm="sha256").digest() for key in keys]
        else:
            secrets.append(secret.encode())
    return Signer(tuple(secrets), conf.signature_length) if secrets else None
