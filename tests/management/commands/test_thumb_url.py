"""`thumb_url`: the URLs that it prints work, and it prints no other."""

from pathlib import Path

import pytest
from django.test import Client, override_settings

from tests.support.commands import Run, local_storage
from tests.support.waiting import eventually


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


def test_a_url_is_explained_and_printed_while_the_root_of_its_storage_is_missing(
    run: Run, originals: Path, tmp_path: Path
) -> None:
    storages = [local_storage("photos", tmp_path / "none"), local_storage("films", originals)]
    with override_settings(THUMBS={"STORAGES": storages}):
        for name in ("photos", "films"):
            url = run("thumb_url", name, "tom.jpg", "--size", "90x").strip()
            assert f"/{name}/thumbs/90x/tom.jpg" in url
            assert f"storage:     {name}, unsigned" in run("thumb_url", "--explain", url)
