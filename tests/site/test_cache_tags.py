"""`cache_tag_header`: every answer for an original has its tag, by which a CDN purges them all together."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

import thumbs
from tests.support.commands import local_storage
from tests.support.documents import checked, local, one

KEY = "quarters.jpg"
TAG = f"photos-{hashlib.blake2b(KEY.encode(), digest_size=8).hexdigest()}"
URL = "/img/photos/thumbs/50x/quarters.jpg"


@pytest.fixture(params=["Cache-Tag", "Surrogate-Key"])
def header(request: pytest.FixtureRequest, originals: Path, tmp_path: Path) -> Iterator[str]:
    """The header of a storage with a memory cache and a fallback, which a site serves below /img/."""
    storage = {
        **local_storage("photos", originals, memory={"enabled": True, "max_size_mb": 4}),
        "cache_tag_header": request.param,
        "fallback": "quarters.png",
    }
    plain = local_storage("plain", originals)
    with override_settings(THUMBS={"STORAGES": [storage, plain], "RUN_DIR": str(tmp_path / "run")}):
        yield str(request.param)


def test_a_tag_is_the_storage_and_sixteen_hex_digits(header: str) -> None:
    assert thumbs.cache_tag("photos", KEY) == TAG == "photos-" + TAG[-16:]
    assert Client().get(URL)[header] == TAG


def test_a_miss_and_a_hit_have_the_tag_whatever_the_size_and_the_format(header: str) -> None:
    for url in (URL, URL, "/img/photos/thumbs/x70/filters:format(webp)/quarters.jpg"):
        assert Client().get(url)[header] == Client().head(url)[header] == TAG
    assert Client().get(URL)["X-Cache"] == "HIT"


def test_an_answer_without_a_body_has_the_tag(header: str) -> None:
    etag = Client().get(URL)["ETag"]
    answer = Client().get(URL, headers={"If-None-Match": etag})
    assert (answer.status_code, answer[header]) == (304, TAG)


def test_a_fallback_has_the_tag_of_the_missing_original(header: str) -> None:
    answer = Client().get("/img/photos/thumbs/50x/gone.jpg")
    assert (answer.status_code, answer["Content-Type"]) == (404, "image/jpeg")
    assert answer[header] == thumbs.cache_tag("photos", "gone.jpg") != TAG


def test_an_error_about_an_original_has_its_tag_as_some_caches_keep_errors(header: str) -> None:
    expired = Client().get("/img/photos/thumbs/50x/filters:expires(1)/quarters.jpg")
    assert (expired.status_code, expired[header]) == (410, TAG)


def test_an_answer_about_no_original_has_no_tag(header: str) -> None:
    assert header not in Client().get("/img/photos/thumbs/50x/filters:formt(webp)/quarters.jpg")


def test_without_the_key_there_is_no_tag(header: str) -> None:
    assert header not in Client().get("/img/plain/thumbs/50x/quarters.jpg")


def test_another_header_is_a_wrong_value_and_one_that_is_set_twice_an_error(tmp_path: Path) -> None:
    found = checked(one(local(tmp_path, cache_tag_header="cache-tag")))
    assert [each.id for each in found] == ["thumbs.E003"]
    found = checked(one(local(tmp_path, cache_tag_header="Cache-Tag", headers={"cache-tag": "all"})))
    assert [(each.id, each.msg) for each in found] == [
        ("thumbs.E010", "storages[photos].cache_tag_header: and headers exclude each other: both set Cache-Tag.")
    ]
