"""From a storage's configuration to the source of its originals."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from thumbs.conf.document import MIB, LimitsConf, StorageConf
from thumbs.sources.local import LocalSource
from thumbs.sources.s3.source import S3Http, S3Settings, S3Source
from thumbs.sources.source import Source
from thumbs.sources.storages.django_storage import StorageSource, storage_of_alias, storage_of_class

if TYPE_CHECKING:
    pass


def source(conf: StorageConf, limits: LimitsConf) -> Source:
    make = _DRIVERS.get(conf.driver, _class_source)
    return make(conf, int(limits.max_source_mb * MIB), limits.fetch_seconds)


def _local_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return LocalSource(conf.root or "", follow_symlinks=conf.follow_symlinks, max_bytes=max_bytes, deadline=deadline)


def _s3_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    http = S3Http(**{name: getattr(conf.s3_http_config, name) for name in conf.s3_http_config.__slots__})
    s3_settings = S3Settings(
        bucket=conf.bucket or "",
        region=conf.region,
        access_key=conf.access_key,
        secret_key=conf.secret_key,
        base_url=conf.base_url,
        http=http,
    )
    return S3Source(s3_settings, max_bytes=max_bytes, deadline=deadline)


def _alias_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return StorageSource(storage_of_alias(conf.alias or ""), max_bytes=max_bytes, deadline=deadline)


def _class_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return StorageSource(storage_of_class(conf.driver, conf.options), max_bytes=max_bytes, deadline=deadline)


_DRIVERS: dict[str, Callable[[StorageConf, int, float], Source]] = {
    "local": _local_source,
    "s3": _s3_source,
    "django": _alias_source,
}
