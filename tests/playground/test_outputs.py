"""The playground shows each format that a storage offers and can write, and what a client may choose of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.codecs import OUTPUTS
from tests.support.playgrounds import described, playground
from thumbs.http.messages import Request, accepted_formats
from thumbs.http.targets import decoded_path
from thumbs.image.formats import FORMATS
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import resolve
from thumbs.wiring.process import current, thumbnailer

ALL = tuple(name for name, row in FORMATS.items() if row.output)


@pytest.fixture
def key(originals: Path) -> str:
    return next(path.name for path in sorted(originals.iterdir()) if path.suffix == ".jpg")


def storage(root: Path, *formats: str) -> list[dict[str, Any]]:
    return [{"name": "open", "driver": "local", "root": str(root), **({"formats": formats} if formats else {})}]


def give_encoders(encoders: Mapping[str, str]) -> None:
    """Let the storage have these encoders of formats that not every server can write."""
    policies = cast("dict[str, StoragePolicy]", current().policies)
    policies["open"] = replace(policies["open"], encoders=encoders)


@pytest.mark.parametrize(
    ("formats", "encoders", "output"),
    [
        ((), {"jxl": "libjxl 0.11"}, "by Accept: jxl, avif, webp, or jpeg"),
        ((), {}, "by Accept: avif, webp, or jpeg"),
        (("jpeg", "webp"), {"jxl": "libjxl 0.11"}, "by Accept: webp, or jpeg"),
        (("jpeg", "jxl"), {"jxl": "libjxl 0.11"}, "by Accept: jxl, or jpeg"),
    ],
)
def test_what_auto_may_become_is_what_the_storage_offers_and_can_write(
    originals: Path, formats: tuple[str, ...], encoders: dict[str, str], output: str
) -> None:
    with playground(originals, STORAGES=storage(originals, *formats)) as client:
        give_encoders(encoders)
        found = described(client, filters="format(auto)", size="40x30")
        facts = dict(found["facts"])
        best = resolve(found["url"].encode(), accepted_formats("image/jxl, image/avif, image/webp"), current().policies)
    assert facts["output"].startswith(output)
    assert facts["cache key"] == best.key


@pytest.mark.parametrize("encoders", [{}, {"jxl": "libjxl 0.11"}], ids=["without JPEG XL", "with JPEG XL"])
def test_every_format_that_can_be_written_is_compared(originals: Path, encoders: dict[str, str]) -> None:
    with playground(originals, STORAGES=storage(originals)) as client:
        give_encoders(encoders)
        names = [each["name"] for each in described(client, size="40x30")["formats"]]
    assert names == [name for name in ALL if FORMATS[name].extra is None or name in encoders]


def test_the_stored_file_is_compared_where_it_is_offered(originals: Path, key: str) -> None:
    with playground(originals, STORAGES=storage(originals, "jpeg", "original")) as client:
        found = described(client, key=key, filters="quality(30);flip;version(v7)", size="40x30")["formats"]
        assert [each["name"] for each in found] == ["jpeg", "original"]
        assert found[1]["url"] == f"/open/thumbs/x/filters:version(v7);format(original)/{key}"
        answer = thumbnailer().answer(Request("GET", decoded_path(found[1]["url"].encode()), 0))
        assert answer.body == (originals / key).read_bytes()


def test_pictures_are_compared_beside_data_about_them(originals: Path, key: str) -> None:
    with playground(originals) as client:
        found = described(client, storage="signed", key=key, filters="format(json);data(color)", size="40x30")
    assert found["error"] == ""
    assert [each["name"] for each in found["formats"]] == list(OUTPUTS)
