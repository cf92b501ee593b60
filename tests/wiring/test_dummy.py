"""Mode `dummy`: pictures of the right size and format, without any storage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import Storage
from django.test import override_settings

from tests.support.commands import disk_cache, local_storage
from tests.support.pictures import decoded, encoded, quarters
from thumbs.conf.loading import load
from thumbs.http.messages import Request, Response
from thumbs.image.formats import sniff
from thumbs.wiring import process

SECRET = "a secret that is long enough"


class Untouchable(Storage):
    """A storage that may not even be made."""

    def __init__(self) -> None:
        raise AssertionError("no storage is made in mode dummy")


STORAGE: dict[str, Any] = {"name": "photos", "driver": f"{__name__}.Untouchable"}


@pytest.fixture(autouse=True)
def _dummy() -> Iterator[None]:
    with override_settings(THUMBS={"STORAGES": [STORAGE], "MODE": "dummy"}):
        yield


def ask(target: str, **fields: Any) -> Response:
    path = f"/photos/thumbs/{target}".encode()
    return process.thumbnailer().answer(Request("GET", path, len(path), **fields))


def headers(response: Response) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in response.headers}


@pytest.mark.parametrize(
    ("target", "size"),
    [
        ("400x300/cats/tom.jpg", (400, 300)),
        ("64x64/missing.png", (64, 64)),
        ("300x/a.jpg", (300, 200)),  # 3:2
        ("x200/a.jpg", (300, 200)),
        ("x/a.jpg", (1500, 1000)),
        ("300x300/f:fit(contain)/a.jpg", (300, 200)),
        ("300x300/f:fit(fill,red)/a.jpg", (300, 300)),
        ("300x300/f:fit(stretch)/a.jpg", (300, 300)),
        ("100x50/f:dpr(2)/a.jpg", (200, 100)),
        ("100x50/f:rotate(90)/a.jpg", (50, 100)),
        ("100x50/f:padding(5)/a.jpg", (110, 60)),
        ("100x50/f:trim(10)/a.jpg", (100, 50)),
        ("100x50/f:gravity(smart)/a.jpg", (100, 50)),
        ("100x50/f:gravity(0.1,0.9)/a.jpg", (100, 50)),
        ("100x50/f:crop(4000,3000,5000,3500)/a.jpg", (100, 50)),
        ("100x50/f:pcrop(10,10,90,90);blur(2);grayscale()/a.jpg", (100, 50)),
    ],
)
def test_a_picture_has_the_size_that_the_url_asks_for(target: str, size: tuple[int, int]) -> None:
    response = ask(target)
    assert (response.status, decoded(response.body).size) == (200, size)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif"])
def test_a_picture_has_the_format_that_the_url_asks_for(name: str) -> None:
    response = ask(f"60x40/f:format({name})/a.jpg")
    assert headers(response)["Content-Type"] == f"image/{name}"
    assert sniff(response.body[:64]) == name


def test_pictures_of_other_keys_have_other_colors_and_those_of_one_key_the_same() -> None:
    grounds = [
        decoded(ask(f"{size}/f:format(png)/{path}").body).convert("RGB").getpixel((8, 8))
        for path in ("a.jpg", "b.jpg")
        for size in ("90x60", "900x600")
    ]
    assert grounds[0] == grounds[1] != grounds[2] == grounds[3]


def test_the_size_is_written_on_it() -> None:
    one, other = (decoded(ask(f"{size}/f:format(png)/a.jpg").body).convert("L") for size in ("300x200", "301x200"))
    assert len(set(one.tobytes())) > 2
    assert one.tobytes() != other.crop((0, 0, 300, 200)).tobytes()


def test_no_cache_may_keep_it_not_even_under_a_url_with_a_version() -> None:
    for target in ("60x40/a.jpg", "60x40/f:version(3)/a.jpg"):
        assert headers(ask(target))["Cache-Control"] == "no-store"
    with override_settings(THUMBS={"STORAGES": [{**STORAGE, "cache_control": "public, max-age=9"}], "MODE": "dummy"}):
        assert headers(ask("60x40/a.jpg"))["Cache-Control"] == "no-store"


def test_a_client_that_has_it_gets_304() -> None:
    first = ask("60x40/a.jpg")
    again = ask("60x40/a.jpg", if_none_match=headers(first)["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_a_url_is_judged_as_in_mode_normal() -> None:
    assert ask("99999x1/a.jpg").status == 400
    assert ask("60x40/f:blurr(2)/a.jpg").status == 400
    with override_settings(THUMBS={"STORAGES": [{**STORAGE, "signature_secret_key": SECRET}], "MODE": "dummy"}):
        assert ask("60x40/a.jpg").status == 403
    with override_settings(
        THUMBS={"STORAGES": [{**STORAGE, "formats": ["webp"], "allowed_sizes": ["60x40"]}], "MODE": "dummy"}
    ):
        assert ask("61x40/f:format(webp)/a.jpg").status == 400
        assert ask("60x40/a.jpg").status == 400


def test_what_the_configuration_decodes_and_its_limits_for_originals_do_not_matter() -> None:
    thumbs = {"STORAGES": [STORAGE], "MODE": "dummy", "INPUT_FORMATS": ["jpeg"]}
    limits = {"max_source_megapixels": 0.01, "max_whole_megapixels": 0.01, "max_source_mb": 0.001}
    with override_settings(THUMBS={**thumbs, "LIMITS": limits}):
        assert ask("60x40/a.jpg").status == 200


def test_the_cache_of_mode_normal_has_no_dummy_picture(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.png").write_bytes(encoded(quarters(), "PNG"))
    cache = disk_cache(tmp_path / "cache")
    storage = local_storage("photos", root, disk=cache, memory={"enabled": True, "max_size_mb": 4})
    bodies: dict[str, bytes] = {}
    for mode in ("dummy", "normal", "dummy"):
        with override_settings(THUMBS={"STORAGES": [storage], "MODE": mode, "RUN_DIR": str(tmp_path / "run")}):
            answers = [ask("60x40/a.png"), ask("60x40/a.png")]
            assert [headers(each)["X-Cache"] for each in answers] == ["MISS", "MISS" if mode == "dummy" else "HIT"]
            assert bodies.setdefault(mode, answers[0].body) == answers[1].body
    assert bodies["dummy"] != bodies["normal"]


@pytest.mark.parametrize(("wrong", "hint"), [("dumy", "'dummy'"), ("Normal", "'normal'"), ("DUMMY", "'dummy'")])
def test_a_mode_that_there_is_not_is_an_error_with_the_nearest(wrong: str, hint: str) -> None:
    (error,) = load({"STORAGES": [STORAGE], "MODE": wrong}).errors
    assert (error.id, error.where) == ("thumbs.E003", "THUMBS.mode")
    assert "one of normal, dummy" in error.sentence
    assert hint in error.hint


def test_a_machine_without_the_files_has_no_errors() -> None:
    local = {"name": "uploads", "driver": "local", "root": "/there/is/none"}
    assert [each.id for each in load({"STORAGES": [local]}).errors] == ["thumbs.E009"]
    assert load({"STORAGES": [local], "MODE": "dummy"}).errors == ()


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_strict_is_true_or_false_and_false_by_default(wrong: object) -> None:
    assert [each.where for each in load({"STORAGES": [STORAGE], "STRICT": wrong}).errors] == ["THUMBS.strict"]
    assert load({"STORAGES": [STORAGE]}).document.strict is False
    assert load({"STORAGES": [STORAGE], "STRICT": True}).document.strict is True
