"""The playground makes every URL as the server reads it, marks what is wrong with one, and writes it elsewhere."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client

from tests.support.codecs import OUTPUTS
from tests.support.playgrounds import SITE, described, parsed, playground
from thumbs.http.messages import Request
from thumbs.wiring.process import thumbnailer


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    with playground(originals, PRESETS={"card": {"size": "40x30"}}) as made:
        yield made


@pytest.fixture
def key(originals: Path) -> str:
    return next(path.name for path in sorted(originals.iterdir()) if path.suffix == ".jpg")


def status(url: str) -> int:
    from thumbs.http.targets import decoded_path  # noqa: PLC0415 - beside its only use

    return thumbnailer().answer(Request("GET", decoded_path(url.encode()), 0)).status


def test_the_url_is_the_one_of_these_parts(client: Client) -> None:
    found = described(client, size="400x300", filters="format(webp);quality(70)", name="")
    assert found["url"] == "/open/thumbs/400x300/filters:format(webp);quality(70)/cats/tom.jpg"
    assert (found["error"], found["mistakes"], found["note"]) == ("", [], "")
    assert dict(found["facts"])["output"] == "webp, quality 70"


@pytest.mark.parametrize("storage", ["open", "signed"])
def test_a_url_of_the_page_gives_a_picture(client: Client, key: str, storage: str) -> None:
    found = described(client, storage=storage, key=key, size="40x30", filters="format(webp)")
    assert status(found["url"]) == 200
    assert status(found["original"]) == 200
    assert [status(each["url"]) for each in found["formats"]] == [200] * len(OUTPUTS)


def test_a_playground_that_signs_nothing_says_so(originals: Path, key: str) -> None:
    with playground(originals, "on") as client:
        found = described(client, storage="signed", key=key, size="40x30")
        assert found["url"] == f"/signed/thumbs/40x30/{key}"
        assert status(found["url"]) == 403
        assert "without its signature" in found["note"]
        assert found["formats"] == []
        assert found["original"] == ""
        assert described(client, key=key, size="40x30")["note"] == ""


@pytest.mark.parametrize(
    ("filters", "wrong", "nearest"),
    [
        ("formt(webp)", "formt", "format"),
        ("format(webp);quality(170)", "170", "100"),
        ("gravity(nort)", "nort", "north"),
        ("q(7", "q(7", "q(7)"),
    ],
)
def test_the_wrong_part_is_marked_with_what_is_nearest(client: Client, filters: str, wrong: str, nearest: str) -> None:
    found = described(client, size="400x300", filters=filters)
    assert found["error"]
    (mistake,) = found["mistakes"]
    assert found["text"][mistake["start"] : mistake["end"]] == wrong
    assert mistake["nearest"] == nearest


def test_all_wrong_parts_are_marked_and_none_of_a_right_url(client: Client) -> None:
    found = parsed(client, "http://localhost:8080/opne/thumbs/400x/filters:formt(webp);quality(170)/a.jpg")
    parts = [found["text"][each["start"] : each["end"]] for each in found["mistakes"]]
    assert parts == ["opne", "formt", "170"]
    assert (
        parsed(client, found["text"].replace("opne", "open").replace("formt", "format").replace("170", "17"))[
            "mistakes"
        ]
        == []
    )


def test_marks_count_as_javascript_does(client: Client) -> None:
    """A key with characters beyond the basic plane is percent-encoded, so places are those of ASCII."""
    found = described(client, key="\U0001f63a/été.jpg", filters="formt(webp)", size="9x9")
    (mistake,) = found["mistakes"]
    assert found["text"].encode("utf-16-le")[2 * mistake["start"] : 2 * mistake["end"]].decode("utf-16-le") == "formt"


@pytest.mark.parametrize(
    "filters",
    ["", "format(webp);quality(70)", "crop(1,2,30,40);gravity(0.31,0.62)", "padding(1,2);flip", "fit(fill,ffcc00)"],
)
@pytest.mark.parametrize("storage", ["open", "signed"])
def test_a_url_and_its_parts_are_inverses(client: Client, storage: str, filters: str) -> None:
    key = "a b/ü;(x)/as/fine.jpg"
    first = described(client, storage=storage, key=key, size="40x30", filters=filters)
    again = parsed(client, f"http://localhost:8080{first['url']}")
    assert again["parts"]["key"] == key
    assert again["parts"]["storage"] == storage
    assert again["url"] == first["url"]
    assert ";".join(f"{name}({text})" if text else name for name, text in again["parts"]["filters"]) == filters


def test_short_names_become_long_ones(client: Client) -> None:
    found = parsed(client, "/open/thumbs/9x9/f:fmt(webp);q(7);gray/a.jpg")
    assert found["parts"]["filters"] == [["format", "webp"], ["quality", "7"], ["grayscale", ""]]


@pytest.mark.parametrize("key", ["filters:flip/a.jpg", "f:x/a.jpg", "cats/as/tom.webp"])
def test_a_key_that_looks_like_something_else_keeps_its_meaning(client: Client, key: str) -> None:
    found = described(client, key=key, size="9x9")
    assert found["error"] == ""
    assert parsed(client, found["url"])["parts"]["key"] == key


HOSTILE = [
    "<script>alert(1)</script>.jpg",
    "\"quoted\" and 'single'.jpg",
    "\u202egpj.evil",
    "{% now %}.jpg",
    "$(reboot)`x`.jpg",
    "a" * 200 + "/" + "b" * 200 + "/" + "c" * 200 + "/" + "d" * 200 + "/" + "e" * 190 + ".jpg",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_hostile_key_is_only_text(client: Client, key: str) -> None:
    found = described(client, key=key, size="9x9")
    copies = found["copy"]
    assert shlex.split(copies["curl"])[-1] == "http://localhost:8080" + found["url"]
    assert "<script" not in copies["picture"]
    assert copies["picture"].count('"') % 2 == 0
    if copies["tag"]:
        assert Template(copies["tag"]).render(Context()).strip() == found["url"].replace("&", "&amp;")


@pytest.mark.parametrize("filters", ["format(webp)", "flip", "gravity(0.3,0.6)", "preset(card)", "fit(fill,ffcc00)"])
def test_the_template_tag_gives_the_same_picture(client: Client, key: str, filters: str) -> None:
    found = described(client, key=key, size="40x30", filters=filters)
    made = Template(found["copy"]["tag"]).render(Context()).strip()
    facts = dict(parsed(client, made)["facts"])
    assert facts["cache key"] == dict(found["facts"])["cache key"]


def test_the_picture_element_has_the_formats_that_the_storage_offers(originals: Path, key: str) -> None:
    storage = {"name": "open", "driver": "local", "root": str(originals), "formats": ["jpeg", "webp"]}
    with playground(originals, STORAGES=[storage]) as client:
        html = described(client, key=key, size="40x30")["copy"]["picture"]
        assert "image/webp" in html
        assert "image/avif" not in html
        assert 'width="40" height="30"' in html


def test_urls_are_those_of_this_server_whatever_the_prefix_is(originals: Path) -> None:
    with playground(originals, URL_PREFIX="https://cdn.example.com/i/") as client:
        assert described(client, size="9x9")["url"] == "/open/thumbs/9x9/cats/tom.jpg"


def test_urls_of_a_site_begin_where_the_include_is(originals: Path) -> None:
    from thumbs.playground import links  # noqa: PLC0415 - it needs the settings of the test
    from thumbs.playground.wanted import Wanted  # noqa: PLC0415 - as above

    with playground(originals, urlconf=SITE):
        assert links.link(Wanted("open", "a.jpg", "9x9")).url == "/img/open/thumbs/9x9/a.jpg"


def test_a_storage_with_a_closed_set_begins_with_what_it_offers(originals: Path, key: str) -> None:
    sizes = {"name": "sizes", "driver": "local", "root": str(originals), "allowed_sizes": ["x20", "30x20"]}
    presets = {"name": "presets", "driver": "local", "root": str(originals), "presets_only": True}
    with playground(originals, STORAGES=[sizes, presets], PRESETS={"card": {"size": "40x30"}}) as client:
        page = client.get("/").content.decode()
        assert 'data-size="30x20"' in page
        assert 'data-filters="preset(card)"' in page
        assert status(described(client, storage="sizes", key=key)["original"]) == 200
        assert status(described(client, storage="presets", key=key)["original"]) == 200


def test_an_unknown_storage_and_an_empty_url_are_mistakes_too(client: Client) -> None:
    assert described(client, storage="nowhere", size="9x9")["error"]
    for url in ("", "/", "x", "/open", "/open/thumbs", "/open/thumbs/9x9", "%ff%fe", "//open//thumbs//"):
        assert parsed(client, url)["error"], url


def test_an_overlong_url_is_refused_as_the_server_refuses_it(client: Client) -> None:
    found = described(client, key="ü" * 100 + "/" + "ü" * 100 + "/" + "ü" * 100 + "/" + "ü" * 100 + ".jpg", size="9x9")
    assert found["error"] == "The URL is longer than 2,048 bytes."


def test_the_stored_file_is_shown_under_its_own_name_where_it_is_offered(originals: Path, key: str) -> None:
    storage = {"name": "open", "driver": "local", "root": str(originals), "formats": ["jpeg", "webp", "original"]}
    with playground(originals, STORAGES=[storage]) as client:
        found = described(client, key=key, filters="format(original)", size="x")
        assert (found["error"], status(found["url"])) == ("", 200)
        assert found["copy"]["curl"].startswith(f"curl --output {key} ")
        refused = described(client, key=key, filters="format(original)", size="40x30")
        assert "nothing of it is changed" in refused["mistakes"][0]["sentence"]
