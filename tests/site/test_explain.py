"""`thumb_url --explain`: what a URL means, and what is wrong with one that does not work."""

import re
from urllib.parse import quote

import pytest
from django.core.management import CommandError
from django.test import Client

from tests.support.commands import Run
from tests.support.fronts import SECRET

GOOD = "/img/on-disk/thumbs/90x/f:q(70);fmt(webp);v(3)/Bücher/été.jpg/as/été.webp"


@pytest.mark.parametrize("before", ["", "https://img.example.com", "http://user@[::1]:8080"])
@pytest.mark.parametrize("spelling", [GOOD, quote(GOOD), f"{GOOD}?utm=1", f"{GOOD}#part"])
def test_an_explanation_tells_what_a_url_means(run: Run, storages: object, before: str, spelling: str) -> None:
    told = dict(re.findall(r"(?m)^([a-z ]+): +(.*)$", run("thumb_url", "--explain", before + spelling)))
    assert told["storage"] == "on-disk, unsigned"
    assert told["size"].startswith("90 × as high as the ratio makes it")
    assert told["filters"] == "format(webp);quality(70);version(3)"
    assert told["path"] == "Bücher/été.jpg"
    assert told["saved as"] == "été.webp"
    assert told["output"] == "webp, quality 70"
    assert told["layers"] == "memory → disk → storage"
    assert told["canonical"].startswith("/img/on-disk/thumbs/90x/filters:quality(70);version(3)/B%C3%BCcher/")
    assert Client().get(told["canonical"]).status_code == 200


def test_an_explanation_never_tells_a_signature(run: Run, storages: object) -> None:
    url = run("thumb_url", "signed", "quarters.jpg", "--size", "50x").strip()
    signature = url.split("/")[4]
    good = run("thumb_url", "--explain", url)
    assert "signature:   good" in good
    with pytest.raises(CommandError):
        run("thumb_url", "--explain", url.replace("50x", "51x"))
    assert signature not in good
    assert SECRET not in good


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("/img/on-disk/thumbs/90y/quarters.jpg", "400: The size must be"),
        ("/img/on-disk/thumbs/90x/f:nope(1)/quarters.jpg", "400: Unknown filter. The filters are "),
        ("/img/on-disk/thumbs/90x/f:q(0)/quarters.jpg", "400: quality takes a whole number from 1 to 100."),
        ("/img/on-disk/thumbs/90x/../quarters.jpg", "400: The path must be"),
        ("/img/on-disk/thumbs/90x/%ff.jpg", "400: The path must be"),
        ("/img/on-disk/thumbs/90x/\udcff.jpg", "400: The path must be"),
        ("/img/on-disk/thumbs/9999x/quarters.jpg", "400: The thumbnail asked for is larger than this server makes."),
        ("/on-disk/thumbs/90x/quarters.jpg", "400: Thumbnail URLs here begin with /img/{storage}/thumbs/."),
        ("https://example.com", "400: Thumbnail URLs here begin with /img/{storage}/thumbs/."),
        ("http://[", "400: Thumbnail URLs here begin with"),
        ("", "400: Thumbnail URLs here begin with"),
        ("/img/on-dsk/thumbs/90x/quarters.jpg", "404: There is no storage 'on-dsk'. Did you mean 'on-disk'?"),
        ("/img/signed/thumbs/90x/quarters.jpg", "403: This storage accepts only signed URLs, and this URL carries no"),
        ("/img/signed/thumbs/AAAAAAAAAAAAAAAAAAAAAA/90x/quarters.jpg", "403: The signature is wrong."),
        ("/img/on-disk/thumbs/AAAAAAAAAAAAAAAAAAAAAA/90x/quarters.jpg", "403: This storage accepts only unsigned URLs"),
        ("/img/on-disk/thumbs/90x/f:exp(1)/quarters.jpg", "410: This URL was valid until a time that has passed."),
        (f"/img/on-disk/thumbs/90x/{'x' * 2100}", "414: The request target is longer than 2,048 bytes."),
    ],
)
def test_an_explanation_tells_what_is_wrong(run: Run, storages: object, url: str, sentence: str) -> None:
    assert run.refused("thumb_url", "--explain", url).startswith(sentence)


def test_a_missing_original_is_not_a_matter_of_the_url(run: Run, storages: object) -> None:
    assert "path:        absent.jpg" in run("thumb_url", "--explain", "/img/on-disk/thumbs/90x/absent.jpg")
