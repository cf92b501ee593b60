"""From a storage's configuration to the source of its originals."""

from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.sources.drivers import table
from thumbs.sources.source import Source


def source(conf: StorageConf, limits: LimitsConf) -> Source:
    """The source of `conf`. Raises `UnknownDriver`."""
    driver = table.driver_of(conf.driver)
    return driver.build(driver.settings_of(conf), limits.max_source_bytes, limits.fetch_seconds)
