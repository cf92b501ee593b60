"""`format(json)` over HTTP: the same from every storage and front, with HEAD, 304 and errors as for pictures."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import pictures
from tests.support.fronts import Fronts, signature
from tests.support.servers import Answer

SIGNED = ("signed", "s3-signed", "class-signed")
ABOUT = "format(json);data(thumbhash,color)"
# Each original, with its format, its upright size and its orientation.
ORIGINALS = {
    "quarters.jpg": ("jpeg", (600, 400), 1),
    "quarters.png": ("png", (600, 400), 1),
    "quarters.webp": ("webp", (600, 400), 1),
    "quarters.gif": ("gif", (600, 400), 1),
    "quarters.avif": ("avif", (600, 400), 1),
    "transparent.png": ("png", (300, 200), 1),
    "Bücher/été.jpg": ("jpeg", (320, 240), 1),
    **{f"turned-{number}.jpg": ("jpeg", (600, 400), number) for number in range(1, 9)},
}


def path_of(target: str, storage: str) -> str:
    if storage not in SIGNED:
        return quote(f"{storage}/thumbs/{target}")
    return quote(f"{storage}/thumbs/{signature(f'/{storage}/thumbs/{target}')}/{target}")


def ask(
    fronts: Fronts, target: str, storage: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    return fronts.ask(path_of(target, storage), method=method, headers=headers)


@pytest.mark.parametrize("name", ORIGINALS)
def test_an_original_is_described_alike_from_every_storage_and_front(
    fronts: Fronts, originals: Path, name: str
) -> None:
    kind, size, orientation = ORIGINALS[name]
    target = f"90x/filters:{ABOUT};rotate(90)/{name}"
    answers = [ask(fronts, target, storage) for storage in SIGNED]
    assert {(answer.status, answer.headers["content-type"]) for answer in answers} == {(200, "application/json")}
    assert len({answer.body for answer in answers}) == 1
    found = json.loads(answers[0].body)
    source = found["source"]
    assert (source["format"], (source["width"], source["height"]), source["orientation"]) == (kind, size, orientation)
    assert source["bytes"] == (originals / name).stat().st_size
    assert source["has_alpha"] is (name == "transparent.png")
    assert 5 < len(base64.b64decode(found["thumbhash"], validate=True)) <= 25
    assert found["color"].startswith("#")
    picture = ask(fronts, f"90x/filters:rotate(90)/{name}", "signed")
    assert (found["output"]["width"], found["output"]["height"]) == pictures.decoded(picture.body).size


def test_an_unsigned_storage_answers_only_where_its_formats_name_json(fronts: Fronts) -> None:
    assert ask(fronts, "90x/filters:format(json)/quarters.jpg", "data").status == 200
    for storage in ("local", "limited", "s3", "plain-class"):
        answer = ask(fronts, "90x60/filters:format(json)/quarters.jpg", storage)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "not-offered")
    wrong = fronts.ask(f"signed/thumbs/{'A' * 22}/90x/filters:format(json)/quarters.jpg")
    assert (wrong.status, wrong.headers["cache-control"]) == (403, "no-store")


def test_the_headers_are_those_of_a_picture(fronts: Fronts) -> None:
    about = ask(fronts, "91x/filters:format(json)/quarters.jpg", "data").headers
    picture = ask(fronts, "91x/filters:format(webp)/quarters.jpg", "data").headers
    assert set(about) == set(picture)
    for name in ("cache-control", "x-content-type-options", "content-security-policy", "last-modified"):
        assert about[name] == picture[name]
    versioned = ask(fronts, "91x/filters:format(json);v(7)/quarters.jpg/as/tom.json", "signed").headers
    assert "immutable" in versioned["cache-control"]
    assert versioned["content-disposition"] == 'inline; filename="tom.json"'


def test_head_is_get_without_its_body(fronts: Fronts) -> None:
    target = "92x/filters:format(json)/quarters.jpg"
    ask(fronts, target, "data")
    got, head = ask(fronts, target, "data"), ask(fronts, target, "data", method="HEAD")
    assert (got.headers["x-cache"], head.headers["x-cache"]) == ("HIT", "HIT")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))


@pytest.mark.parametrize("storage", ["data", *SIGNED])
def test_a_client_that_has_it_gets_304(fronts: Fronts, storage: str) -> None:
    target = f"93x/filters:{ABOUT}/quarters.jpg"
    made = ask(fronts, target, storage)
    for headers in ({"If-None-Match": made.headers["etag"]}, {"If-Modified-Since": made.headers["last-modified"]}):
        same = ask(fronts, target, storage, headers=headers)
        assert (same.status, same.body, same.headers["etag"]) == (304, b"", made.headers["etag"])
    other = ask(fronts, target, storage, headers={"If-None-Match": '"other"'})
    assert (other.status, other.body) == (200, made.body)


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("90x/filters:format(json)/absent.jpg", 404, "source-missing"),
        ("90x/filters:format(json)/text.jpg", 415, "source-unsupported"),
        ("90x/filters:format(json)/tiff.jpg", 415, "source-unsupported"),
        ("90x/filters:format(json)/empty.jpg", 415, "source-unsupported"),
        ("90x/filters:format(json)/huge.png", 422, "source-over-limit"),
        ("90x/filters:format(json);data(color)/truncated.jpg", 422, "source-broken"),
        ("9000x/filters:format(json)/quarters.jpg", 400, "size-over-limit"),
        ("x/filters:format(json);crop(0,0,601,1)/quarters.jpg", 400, "bad-filter"),
        ("90x/filters:format(json);quality(70)/quarters.jpg", 400, "bad-filter"),
        ("90x/filters:format(json);max_bytes(70)/quarters.jpg", 400, "bad-filter"),
        ("90x/filters:data(color)/quarters.jpg", 400, "bad-filter"),
        ("90x/filters:format(json);data(size)/quarters.jpg", 400, "bad-filter"),
        ("90x/filters:format(json);expires(1)/quarters.jpg", 410, "expired"),
    ],
)
def test_what_cannot_be_described_is_a_problem_document(fronts: Fronts, target: str, status: int, code: str) -> None:
    storages = SIGNED if target.endswith(("absent.jpg", "text.jpg")) else ("signed",)
    for storage in storages:
        answer = ask(fronts, target, storage)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert json.loads(answer.body)["code"] == code
        assert answer.headers["cache-control"] == "no-store"


def test_the_header_of_a_file_that_is_cut_off_is_read(fronts: Fronts) -> None:
    found = json.loads(ask(fronts, "90x/filters:format(json)/truncated.jpg", "signed").body)
    assert (found["source"]["width"], found["source"]["height"]) == (1500, 1000)
