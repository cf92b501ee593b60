"""The console names the object layer of a storage among its caches."""

from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.console import figures


def test_the_console_names_the_store_of_a_storage() -> None:
    conf = {"name": "photos", "driver": "local", "root": "/", "cache": {"objects": {"storage": "bucket"}}}
    found = list(figures._others(read(StorageConf, conf, "", [])))
    assert found == ["Objects: 'mage/' of the storage 'bucket', which has tools of its own."]
