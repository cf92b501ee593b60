"""`thumb_url`, its `--explain` and the template tag: URLs that work, and what is wrong with those that do not."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError
from django.db.models import FileField
from django.db.models.fields.files import FieldFile
from django.template import Context, Template
from django.test import Client

from tests.support.commands import Run, manage
from tests.support.fronts import SECRET, Fronts
from tests.support.servers import fetch
from tests.support.waiting import eventually
from thumbs.errors import BadRequest
from thumbs.site.links import UnknownStorage


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["on-disk", "quarters.jpg"], "/img/on-disk/thumbs/x/quarters.jpg"),
        (["on-disk", "quarters.jpg", "--size", "90x60"], "/img/on-disk/thumbs/90x60/quarters.jpg"),
        (
            ["on-disk", "cats/tom & jerry?.jpg", "--size", "90x", "--filters", "f=1"],
            "The filters must be written filters:name(arguments);name(arguments), each at most once.",
        ),
        (
            ["on-disk", "cats/tom & jerry?.jpg", "--size", "90x", "--filters", "q(70);fmt(webp)"],
            "/img/on-disk/thumbs/90x/filters:format(webp);quality(70)/cats/tom%20&%20jerry%3F.jpg",
        ),
        (
            ["on-disk", "Bücher/été.jpg", "--size", "x60", "--as", "été.webp", "--base", "https://img.example.com/"],
            "https://img.example.com/img/on-disk/thumbs/x60/B%C3%BCcher/%C3%A9t%C3%A9.jpg/as/%C3%A9t%C3%A9.webp",
        ),
        (["on-dsk", "quarters.jpg"], "No storage is called 'on-dsk'. Did you mean 'on-disk'?"),
        (["on-disk", "../quarters.jpg"], "The path must be valid UTF-8"),
        (["on-disk", "quarters.jpg", "--as", "q.exe"], "After /as/ comes one name"),
        (["on-disk", "quarters.jpg", "--filters", "blurr(3)"], "Unknown filter. The filters are "),
        (["on-disk"], "Give a storage and a path, or --explain URL."),
    ],
)
def test_the_url_of_a_thumbnail_is_printed(run: Run, storages: object, arguments: list[str], expected: str) -> None:
    if not expected.startswith(("/", "https:")):
        assert run.refused("thumb_url", *arguments).startswith(expected)
        return
    assert run("thumb_url", *arguments) == f"{expected}\n"
    path = expected.removeprefix("https://img.example.com")
    assert Client().get(path).status_code == 200


def test_a_signed_url_works_until_its_time_is_over(run: Run, storages: object) -> None:
    url = run("thumb_url", "signed", "quarters.jpg", "--size", "50x", "--lifetime", "60").strip()
    assert Client().get(url).status_code == 200
    assert Client().get(url.replace("50x", "51x")).status_code == 403
    late = run("thumb_url", "signed", "quarters.jpg", "--size", "50x", "--lifetime", "0.1").strip()
    eventually(lambda: Client().get(late).status_code == 410)
    for lifetime in ("0", "-1", "nan", "inf", "1e13"):
        assert "lifetime" in run.refused("thumb_url", "signed", "quarters.jpg", f"--lifetime={lifetime}")


def test_no_url_is_printed_that_would_be_refused(run: Run, storages: object) -> None:
    assert "larger" in run.refused("thumb_url", "signed", "quarters.jpg", "--size", "9000x")
    assert "2,048" in run.refused("thumb_url", "signed", "/".join(["ü" * 100] * 5), "--size", "9x")


def test_the_url_of_a_standalone_server_is_one_of_its_own(fronts: Fronts) -> None:
    front = fronts.servers[0]
    arguments = ["thumb_url", "signed", "cats/tom & jerry?.jpg", "--size", "64x", "--filters", "format(webp)"]
    done = manage(front.environ, *arguments, "--base", f"http://127.0.0.1:{front.port}")
    assert (done.returncode, done.stderr) == (0, "")
    answer = fetch(done.stdout.strip())
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")


GOOD = "/img/on-disk/thumbs/90x/f:q(70);fmt(webp);v(3)/Bücher/été.jpg/as/été.webp"


@pytest.mark.parametrize("before", ["", "https://img.example.com", "http://user@[::1]:8080"])
@pytest.mark.parametrize("spelling", [GOOD, quote(GOOD), f"{GOOD}?utm=1", f"{GOOD}#part"])
def test_an_explanation_says_what_a_url_means(run: Run, storages: object, before: str, spelling: str) -> None:
    parts = dict(re.findall(r"(?m)^([a-z ]+): +(.*)$", run("thumb_url", "--explain", before + spelling)))
    assert parts["storage"] == "on-disk, unsigned"
    assert parts["size"].startswith("90 × as high as the ratio makes it")
    assert parts["filters"] == "format(webp);quality(70);version(3)"
    assert parts["path"] == "Bücher/été.jpg"
    assert parts["saved as"] == "été.webp"
    assert parts["output"] == "webp, quality 70"
    assert parts["layers"] == "memory → disk → storage"
    assert parts["canonical"].startswith("/img/on-disk/thumbs/90x/filters:quality(70);version(3)/B%C3%BCcher/")
    assert Client().get(parts["canonical"]).status_code == 200


def test_an_explanation_never_contains_a_signature(run: Run, storages: object) -> None:
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
def test_an_explanation_says_what_is_wrong(run: Run, storages: object, url: str, sentence: str) -> None:
    assert run.refused("thumb_url", "--explain", url).startswith(sentence)


def test_a_missing_original_is_not_a_matter_of_the_url(run: Run, storages: object) -> None:
    assert "path:        absent.jpg" in run("thumb_url", "--explain", "/img/on-disk/thumbs/90x/absent.jpg")


# ------------------------------------------------------------------------------------------- in templates


def _rendered(source: str, **context: object) -> str:
    return Template("{% load thumbs %}" + source).render(Context(context))


def test_a_template_gives_urls_that_work(storages: object) -> None:
    url = _rendered('{% thumb_url "signed" path "90x60" "format(webp)" %}', path="quarters.jpg")
    assert Client().get(url).headers["Content-Type"] == "image/webp"
    named = _rendered('{% thumb_url "signed" path "90x60" name="tom.webp" as url %}<{{ url }}>', path="quarters.jpg")
    assert Client().get(named.strip("<>")).headers["Content-Disposition"] == 'inline; filename="tom.webp"'


def test_a_template_escapes_urls_and_takes_a_models_file(storages: object, originals: Path) -> None:
    file = FieldFile(instance=None, field=FileField(), name="cats/tom & jerry?.jpg")  # type: ignore[arg-type]
    url = _rendered('<img src="{% thumb_url "on-disk" file "90x" %}">', file=file)
    assert url == '<img src="/img/on-disk/thumbs/90x/cats/tom%20&amp;%20jerry%3F.jpg">'


def test_a_template_with_a_mistake_says_which(storages: object) -> None:
    with pytest.raises(UnknownStorage, match="Did you mean 'on-disk'"):
        _rendered('{% thumb_url "on-dsk" "quarters.jpg" "90x" %}')
    with pytest.raises(BadRequest, match="The size must be"):
        _rendered('{% thumb_url "on-disk" "quarters.jpg" "90" %}')
