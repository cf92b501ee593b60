"""A bucket is listed page after page; the folders of a console are left out."""

from typing import Any

import pytest

from thumbs.sources.s3.source import S3Settings, S3Source

PAGES: list[dict[str, Any]] = [
    {"Contents": [{"Key": "cats/"}, {"Key": "cats/tom.jpg"}], "NextContinuationToken": "second"},
    {"NextContinuationToken": "third"},
    {"Contents": [{"Key": "cats/été.jpg"}]},
]


class Client:
    """Stands for boto3's client: each request for a page is kept, and answered with the next of `PAGES`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.exceptions = Exception

    def list_objects_v2(self, **arguments: object) -> dict[str, Any]:
        self.asked.append(arguments)
        return PAGES[len(self.asked) - 1]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def source(client: Client, monkeypatch: pytest.MonkeyPatch) -> S3Source:
    class Opened:
        def __enter__(self) -> Client:
            return client

        def __exit__(self, *_: object) -> None:
            pass

    made = S3Source(S3Settings("b", access_key="k", secret_key="s"), max_bytes=1000, deadline=60)
    monkeypatch.setattr(made, "client", lambda _deadline: Opened())
    return made


def test_every_page_is_read_with_the_token_of_the_one_before(source: S3Source, client: Client) -> None:
    assert list(source.paths("cats/")) == ["cats/tom.jpg", "cats/été.jpg"]
    common = {"Bucket": "b", "Prefix": "cats/", "MaxKeys": 250}
    assert client.asked == [
        common,
        {**common, "ContinuationToken": "second"},
        {**common, "ContinuationToken": "third"},
    ]


def test_a_page_is_read_only_when_its_keys_are_wanted(source: S3Source, client: Client) -> None:
    paths = source.paths("cats/")
    assert client.asked == []
    assert next(paths) == "cats/tom.jpg"
    assert len(client.asked) == 1


def test_a_prefix_that_no_key_can_have_is_not_asked_for(source: S3Source, client: Client) -> None:
    assert list(source.paths("\udcff")) == []
    assert client.asked == []
