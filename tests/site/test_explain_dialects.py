"""`--explain` and `--explain-log` of `thumb_url` for URLs of other image servers: what each becomes, or why not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import override_settings

from tests.support import pictures
from tests.support.commands import Run, local_storage

KEY = "thumbor-test-key"
SIGNED = "/img/s/6V0LVZ7X0aBHeHgRHsRZGpJVQ7o=/50x/a.png"


@pytest.fixture(autouse=True)
def dialects(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "a.png").write_bytes(pictures.encoded(pictures.quarters(120, 80), "PNG"))
    thumbs: dict[str, Any] = {
        "STORAGES": [local_storage("photos", tmp_path)],
        "DIALECTS": [
            {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": "photos"}},
            {"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}},
            {"dialect": "thumbor", "path": "/s/", "sources": {"": "photos"}, "key": KEY},
        ],
    }
    with override_settings(THUMBS=thumbs):
        yield


def explained(output: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z ]+): +(.*)$", output))


@pytest.mark.parametrize("before", ["", "https://img.example.com"])
def test_an_explanation_says_what_a_url_of_imgproxy_becomes(run: Run, before: str) -> None:
    told = explained(run("thumb_url", "--explain", f"{before}/img/i/_/rs:fill:50:30:1/g:no/plain/local:///a.png@webp"))
    assert told["dialect"] == "imgproxy at /i/, unsigned"
    assert told["storage"] == "photos"
    assert told["size"].startswith("50 × 30")
    assert told["output"].startswith("webp, quality")
    assert told["becomes"] == "/img/photos/thumbs/50x30/filters:format(webp);gravity(north);upscale(yes)/a.png"


def test_an_explanation_names_what_is_ignored(run: Run) -> None:
    told = explained(run("thumb_url", "--explain", "/img/t/unsafe/50x/filters:nosuch(1)/a.png"))
    assert told["ignored"] == "nosuch"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("/img/i/_/mw:9/plain/local:///a.png", "400: This server has no counterpart of min-width and min-height."),
        ("/img/i/_/w:x/plain/local:///a.png", "400: The value of width is wrong."),
        ("/img/i/_/w:9/plain/s3://bucket/a.png", "404: No storage has originals from this source."),
        (
            "/img/t/unsafe/9x/filters:watermark(a.png)/a.png",
            "400: This server has no counterpart of the filter watermark.",
        ),
        ("/img/s/unsafe/9x/a.png", "403: The signature is wrong."),
        ("/img/t/unsafe/9x/" + "a" * 2100, "414: The request target is longer"),
    ],
)
def test_a_url_that_is_refused_gets_the_reason(run: Run, url: str, sentence: str) -> None:
    with pytest.raises(CommandError, match="^" + re.escape(sentence)):
        run("thumb_url", "--explain", url)


LOG = f"""\
203.0.113.9 - - [10/Oct/2026:13:55:36 +0000] "GET /img/t/unsafe/50x/a.png HTTP/1.1" 200 2326 "-" "curl/8"
203.0.113.9 - - [10/Oct/2026:13:55:37 +0000] "GET /img/t/unsafe/50x/a.png HTTP/1.1" 200 2326 "-" "curl/8"
203.0.113.9 - - [10/Oct/2026:13:55:38 +0000] "POST /img/t/unsafe/50x/a.png HTTP/1.1" 405 0 "-" "curl/8"
https://img.example.com/img/t/unsafe/9x/filters:rgb(1,2,3)/a.png
{SIGNED}

/img/photos/thumbs/50x/a.png
"""


def test_a_log_is_explained_url_by_url(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text(LOG)
    output = run("thumb_url", "--explain-log", str(file))
    assert re.search(
        r"(?m)^served +2  /t/unsafe/50x/a\.png\n +/img/photos/thumbs/50x/filters:upscale\(yes\)/a\.png$", output
    )
    assert re.search(r"(?m)^refused +1  /t/unsafe/9x/filters:rgb\(1,2,3\)/a\.png\n +400: This server has no", output)
    assert re.search(r"(?m)^served +1  /img/photos/thumbs/50x/a\.png$", output)
    assert "5 requests: 3 served, 2 refused." in output
    assert "1 lines hold no URL" in output
    assert output.index("refused") < output.index("served ")


def test_no_signature_is_printed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text(SIGNED)
    output = run("thumb_url", "--explain-log", str(file))
    assert SIGNED.split("/")[3] not in output
    assert "/s/[hidden]/50x/a.png" in output


def test_a_log_that_cannot_be_read_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("thumb_url", "--explain-log", str(tmp_path / "none.log"))
