"""Writing to an S3 store: what is stored is all of what was given."""

from tests.support.misbehaving import MisbehavingStore
from tests.support.s3_sources import source_of
from tests.support.waiting import WAIT_SECONDS
from thumbs.sources.reading import Deadline
from thumbs.sources.s3.objects import S3Objects

DATA = bytes(range(256)) * 80


def test_an_object_is_stored_whole_when_the_kept_connection_breaks_after_it_was_sent() -> None:
    with MisbehavingStore() as store:
        objects = S3Objects(source_of(store.url))
        objects.put("tom.jpg", b"first", Deadline(WAIT_SECONDS))
        objects.put("reset-once/tom.jpg", DATA, Deadline(WAIT_SECONDS))
        assert store.sent == [b"first", DATA, DATA]
        assert store.connections == 2
