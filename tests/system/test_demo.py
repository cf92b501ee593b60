"""The demo's pictures are what their names say, to every decoder, and are drawn once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageOps, ImageSequence

from mage_project import demo
from tests.support.waiting import WAIT_SECONDS
from thumbs.conf.loading import load
from thumbs.request.grammar import parse

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "lake.jpg": ("JPEG", (3000, 2000)),
    "forest.jpg": ("JPEG", (2400, 1600)),
    "flower.png": ("PNG", (1200, 1200)),
    "aurora.webp": ("WEBP", (2400, 1600)),
    "moon.gif": ("GIF", (320, 320)),
}


def run_demo(directory: Path, *, status: int = 0) -> str:
    command = [sys.executable, "-m", "mage_project.demo", str(directory), "8080"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert result.returncode == status, result.stderr
    return result.stdout + result.stderr


def level(gray: Image.Image, x: int, y: int) -> int:
    return gray.crop((x, y, x + 1, y + 1)).tobytes()[0]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    assert run_demo(directory).split() == demo.urls(8080)
    return directory


@pytest.fixture
def originals(drawn: Path) -> Path:
    return drawn / "originals"


@pytest.mark.parametrize("name", KINDS)
def test_a_picture_has_the_promised_format_and_size(originals: Path, name: str) -> None:
    with Image.open(originals / name) as picture:
        picture.load()
        assert (picture.format, picture.size) == KINDS[name]


@pytest.mark.parametrize("name", KINDS)
def test_a_picture_is_smaller_than_a_megabyte_and_not_blank(originals: Path, name: str) -> None:
    assert (originals / name).stat().st_size < 1_000_000
    with Image.open(originals / name) as picture:
        colors = picture.convert("RGB").resize((64, 64)).getcolors(64 * 64)
    assert colors is not None
    assert len(colors) > 200


def test_the_pictures_are_all_that_is_in_the_directory(originals: Path) -> None:
    assert {path.name for path in originals.iterdir()} == set(KINDS) == set(demo.PICTURES)


def test_the_forest_is_stored_on_its_side_with_an_orientation(originals: Path) -> None:
    with Image.open(originals / "forest.jpg") as picture:
        assert picture.getexif()[0x0112] == 6
        upright = ImageOps.exif_transpose(picture).convert("L")
    assert upright.size == (1600, 2400)
    assert level(upright, 1010, 640) > 230  # the moon, in the sky
    assert level(upright, 800, 2380) < 60  # the wood, below


def test_the_flower_is_opaque_inside_clear_outside_and_between_at_its_rim(originals: Path) -> None:
    with Image.open(originals / "flower.png") as picture:
        alpha = picture.getchannel("A")
    assert level(alpha, 600, 600) == 255
    assert level(alpha, 5, 5) == 0
    assert 20 < level(alpha, 600, 40) < 235


def test_the_moon_wanes_from_full(originals: Path) -> None:
    with Image.open(originals / "moon.gif") as film:
        light = [sum(frame.convert("L").resize((32, 32)).tobytes()) for frame in ImageSequence.Iterator(film)]
        assert film.info["loop"] == 0
    assert len(light) == 24
    assert max(light) == light[0]
    assert min(light) == light[12] < light[0] / 4


def test_a_second_run_draws_nothing_again(drawn: Path, originals: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in originals.iterdir()}
    run_demo(drawn)
    assert {path: path.stat().st_mtime_ns for path in originals.iterdir()} == before


def test_only_the_missing_picture_is_drawn(tmp_path: Path) -> None:
    for name in demo.PICTURES:
        (tmp_path / name).write_bytes(b"here")
    (tmp_path / "moon.gif").unlink()
    assert demo.draw(tmp_path) == [tmp_path / name for name in demo.PICTURES]
    assert (tmp_path / "moon.gif").read_bytes().startswith(b"GIF89a")
    assert (tmp_path / "lake.jpg").read_bytes() == b"here"


def test_a_directory_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    directory = tmp_path / "file" / "demo"
    assert run_demo(directory, status=1) == f"The demo cannot be written to {directory}: Not a directory.\n"


def test_the_configuration_names_one_local_storage_with_both_caches(drawn: Path) -> None:
    written = json.loads((drawn / "storages.json").read_text(encoding="utf-8"))
    assert written == demo.storages(drawn)
    (storage,) = written["storages"]
    assert (storage["name"], storage["driver"], storage["root"]) == ("demo", "local", str(drawn / "originals"))
    assert storage["cache"]["memory"] == {"enabled": True, "max_size_mb": 64}
    assert storage["cache"]["disk"]["max_size_mb"] == 256
    assert storage["cache"]["disk"]["dir"] == str(drawn / "cache")


def test_mage_finds_no_fault_with_the_configuration(drawn: Path) -> None:
    assert load({"STORAGES_FILE": str(drawn / "storages.json")}).errors == ()


def test_the_urls_ask_for_pictures_of_the_demo_in_different_ways(originals: Path) -> None:
    targets = [parse(url.removeprefix("http://localhost:8080/demo/thumbs/")) for url in demo.urls(8080)]
    assert all((originals / target.path).is_file() for target in targets)
    assert len({target.transform for target in targets}) == len(targets) == 3
