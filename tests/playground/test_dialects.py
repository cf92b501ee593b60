"""A pasted URL of another image server becomes one of ours, with the data of `--explain`, or says why it does not."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.support.playgrounds import SITE, described, parsed, playground
from thumbs.http.messages import Request
from thumbs.http.targets import decoded_path
from thumbs.wiring.process import thumbnailer

KEY = "thumbor-test-key"
DIALECTS: list[dict[str, Any]] = [
    {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": "open"}},
    {"dialect": "thumbor", "path": "/t/", "sources": {"": "open"}},
    {"dialect": "imagor", "path": "/m/", "sources": {"": "open"}},
    {"dialect": "ipx", "path": "/x/", "sources": {"/": "open"}},
    {"dialect": "thumbor", "path": "/s/", "sources": {"": "signed"}, "key": KEY},
]
# A URL, the size and the filters that it becomes, and the ignored options.
BECOMES = [
    ("/i/_/rs:fill:50:30/g:no/plain/local:///{key}@webp", "50x30", "format(webp);gravity(north);upscale(", ""),
    ("/t/unsafe/fit-in/50x30/filters:quality(40):nosuch(1)/{key}", "50x30", "quality(40);fit(contain)", "nosuch"),
    ("/m/unsafe/50x30/filters:grayscale()/{key}", "50x30", "grayscale", ""),
    ("/x/s_50x30,f_webp/{key}", "50x30", "format(webp)", ""),
]


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    with playground(originals, DIALECTS=DIALECTS) as made:
        yield made


@pytest.fixture
def key(originals: Path) -> str:
    return next(path.name for path in sorted(originals.iterdir()) if path.suffix == ".jpg")


def status(url: str) -> int:
    return thumbnailer().answer(Request("GET", decoded_path(url.encode()), 0)).status


def signed(path: str) -> str:
    digest = hmac.digest(KEY.encode(), path.encode(), hashlib.sha1)
    return f"/s/{base64.urlsafe_b64encode(digest).decode()}/{path}"


def told(url: str) -> dict[str, str]:
    """What `--explain` says of a URL, by the name of each line."""
    out = StringIO()
    call_command("thumb_url", "--explain", url, stdout=out)
    return dict(re.findall(r"(?m)^([a-z ]+): +(.*)$", out.getvalue()))


@pytest.mark.parametrize("row", BECOMES, ids=["imgproxy", "thumbor", "imagor", "ipx"])
@pytest.mark.parametrize("before", ["", "https://img.example.com", "  http://localhost:8080"])
def test_a_url_of_another_server_becomes_one_of_ours(
    client: Client, key: str, before: str, row: tuple[str, str, str, str]
) -> None:
    url, size, filters, ignored = row
    pasted = url.format(key=key)
    found = parsed(client, before + pasted)
    assert (found["parts"]["storage"], found["parts"]["key"], found["parts"]["size"]) == ("open", key, size)
    calls = ";".join(f"{name}({text})" if text else name for name, text in found["parts"]["filters"])
    assert filters in calls
    assert found["error"] == ""
    assert found["dialect"]["refusal"] == ""
    assert found["dialect"]["url"] == pasted
    assert dict(found["dialect"]["lines"]) == told(pasted)
    assert dict(found["dialect"]["lines"]).get("ignored", "") == ignored
    assert dict(found["dialect"]["lines"])["becomes"] == found["url"]
    assert status(found["url"]) == 200


def test_what_it_becomes_is_signed_and_no_signature_of_the_peer_is_shown(client: Client, key: str) -> None:
    pasted = signed(f"50x30/{key}")
    found = parsed(client, pasted)
    assert status(found["url"]) == 200
    assert found["parts"]["storage"] == "signed"
    assert found["dialect"]["url"] == f"/s/[hidden]/50x30/{key}"
    assert pasted.split("/")[2] not in str(found)


def test_without_signatures_it_says_that_what_it_becomes_needs_one(originals: Path, key: str) -> None:
    with playground(originals, "on", DIALECTS=DIALECTS) as client:
        found = parsed(client, signed(f"50x30/{key}"))
    assert "without its signature" in found["note"]
    assert found["url"].startswith("/signed/thumbs/50x30/")


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("/i/_/mw:9/plain/local:///a.jpg", "400: This server has no counterpart of min-width and min-height."),
        ("/i/_/w:x/plain/local:///a.jpg", "400: The value of width is wrong."),
        ("/i/_/w:9/plain/s3://bucket/a.jpg", "404: No storage has originals from this source."),
        ("/t/unsafe/9x/filters:watermark(a.png)/a.jpg", "400: This server has no counterpart of the filter watermark."),
        ("/s/unsafe/9x/a.jpg", "403: The signature is wrong."),
        ("/t/unsafe/9x/" + "a" * 2100, "414: The request target is longer than 2,048 bytes."),
        ("/x/", "400: "),
        ("/i/%ff", "40"),
    ],
)
def test_what_becomes_nothing_says_why_in_the_words_of_the_command(client: Client, url: str, refusal: str) -> None:
    found = parsed(client, url)
    assert found["dialect"]["refusal"].startswith(refusal)
    assert found["error"] == found["dialect"]["refusal"]
    assert found["parts"] is None
    assert found["url"] == ""
    with pytest.raises(CommandError, match="^" + re.escape(found["dialect"]["refusal"].split(".")[0])):
        told(url)


def test_what_the_storage_does_not_offer_is_shown_with_its_own_url_and_the_reason(originals: Path, key: str) -> None:
    storage = {"name": "open", "driver": "local", "root": str(originals), "formats": ["jpeg"]}
    with playground(originals, STORAGES=[storage], DIALECTS=DIALECTS[:1]) as client:
        found = parsed(client, f"/i/_/w:50/plain/local:///{key}@webp")
    assert found["parts"]["filters"][0] == ["format", "webp"]
    assert found["error"]
    assert found["dialect"]["refusal"].startswith("400: ")


def test_urls_of_our_own_are_no_urls_of_another_server(client: Client) -> None:
    assert parsed(client, "/open/thumbs/9x9/a.jpg")["dialect"] is None
    assert parsed(client, "/open/thumbs/9x9/filters:formt(webp)/a.jpg")["dialect"] is None
    assert described(client, size="9x9")["dialect"] is None


def test_without_dialects_nothing_is_taken_for_one(originals: Path) -> None:
    with playground(originals) as client:
        assert parsed(client, "/t/unsafe/9x/a.jpg")["dialect"] is None
        assert b'id="dialects"' not in client.get("/").content


def test_the_page_names_the_servers_whose_urls_it_takes(client: Client) -> None:
    page = client.get("/").content.decode()
    assert re.findall(r'<bdi class="dialect">(\w+)</bdi> below <code>([^<]+)</code>', page) == [
        (each["dialect"], each["path"]) for each in DIALECTS
    ]


def test_in_a_site_dialects_begin_below_the_include_or_the_prefix_of_clients(originals: Path, key: str) -> None:
    from thumbs.playground import dialects  # noqa: PLC0415 - it needs the settings of the test

    prefix = "https://cdn.example.com/pictures/"
    with playground(originals, urlconf=SITE, DIALECTS=DIALECTS, URL_PREFIX=prefix):
        for before in ("/img", "https://www.example.com/img", "https://cdn.example.com/pictures"):
            found = dialects.explained(f"{before}/t/unsafe/50x30/{key}")
            assert found is not None
            assert found.path == f"/open/thumbs/50x30/filters:upscale(yes)/{key}"
        assert dialects.explained(f"/other/t/unsafe/50x30/{key}") is None
        assert [path for _, path in dialects.places()][:2] == ["/img/i/", "/img/t/"]


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>.jpg", "\u202egpj.evil", "é\U0001f63a\"'.jpg", "x" * 1000]
)
def test_a_hostile_key_is_only_text(client: Client, hostile: str) -> None:
    found = parsed(client, f"/t/unsafe/50x30/{hostile}")
    if len(hostile) < 1000:
        assert found["parts"]["key"] == hostile
    else:
        assert found["dialect"]["refusal"].startswith("400: ")
