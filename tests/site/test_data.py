"""`format(json)` in a site: the size that it says is that of the picture without it; caches, purges, explanations."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client, override_settings
from hypothesis import event, example, given
from hypothesis import strategies as st

import thumbs
from tests.support import pictures, strategies
from tests.support.codecs import INPUTS, originals_of_packages
from tests.support.commands import Run, disk_cache, local_storage
from tests.support.pictures import decoded, encoded
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import Crop, Focus, Padding, Transform, Trim
from thumbs.request.grammar import Target, build
from thumbs.site.links import mount, signed
from thumbs.wiring import process

PHOTO = pictures.quarters(240, 160)
FRAMED = pictures.quarters(200, 120).crop((-20, -20, 220, 140))  # with margins to trim
MANY: dict[str, object] = {"save_all": True, "append_images": [PHOTO.rotate(90), PHOTO.rotate(180)], "duration": 90}
SOURCES = {
    "a.jpg": encoded(PHOTO, "JPEG"),
    "turned.jpg": pictures.stored_turned(PHOTO, 6),
    "framed.png": encoded(FRAMED, "PNG"),
    "a.webp": encoded(PHOTO, "WEBP", **MANY),
    "a.avif": encoded(PHOTO, "AVIF"),
    "a.gif": encoded(PHOTO, "GIF", **MANY),
    "a.tif": encoded(PHOTO, "TIFF"),
    "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='240.5' height='160'><rect width='9' height='9'/></svg>",
    "named wrongly.png": encoded(PHOTO, "JPEG"),
    "tiny.png": encoded(pictures.quarters(4, 2), "PNG"),
    **originals_of_packages(PHOTO),
}
_side = st.none() | st.integers(1, 200)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("described")
    for name, data in SOURCES.items():
        (root / name).write_bytes(data)
    return root


@pytest.fixture
def site(root: Path, tmp_path: Path) -> Iterator[Client]:
    caches = {"memory": {"enabled": True, "max_size_mb": 8}, "disk": disk_cache(tmp_path / "cache")}
    storages = [
        {**local_storage("photos", root), "signature_secret_key": "django"},
        {**local_storage("cached", root, **caches, sources=True), "signature_secret_key": "django"},
        {**local_storage("open", root), "formats": ["json", "jpeg"], "limits": {"max_source_mb": 0.001}},
    ]
    options = {"INPUT_FORMATS": list(INPUTS), "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS={"STORAGES": storages, **options}):
        yield Client()


def url(target: str, storage: str = "photos") -> str:
    return mount() + quote(signed(storage, target))


def described(client: Client, target: str, storage: str = "photos") -> Mapping[str, dict[str, object]]:
    answer = client.get(url(target, storage))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json"), answer.content
    found: Mapping[str, dict[str, object]] = json.loads(answer.content)
    return found


def _asked(transform: Transform, width: int | None, height: int | None, frames: int) -> Transform:
    """`transform` as a URL that names no format, takes no long time, and has no color that not every format has."""
    fill, background = (
        None if color is None else replace(color, alpha=255) for color in (transform.fill, transform.background)
    )
    plain = replace(transform, width=width, height=height, format=None, quality=None, max_bytes=None, watermark=None)
    return replace(plain, blur=None, sharpen=None, frames=frames, data=(), fill=fill, background=background)


def _percent(transform: Transform) -> Transform:
    """`transform` with a crop in pixels in percent of 4,000 pixels: most others lie outside of the originals."""
    crop = transform.crop
    if not isinstance(crop, Crop) or crop.percent:
        return transform
    x1, y1, x2, y2 = (edge / 40 for edge in crop.edges)
    return replace(transform, crop=Crop(x1, y1, x2, y2, percent=True))


def test_the_size_is_that_of_the_picture_that_the_url_without_json_gives(site: Client) -> None:
    @given(
        st.sampled_from(sorted(SOURCES)),
        strategies.transforms(effects=True),
        st.tuples(_side, _side),
        st.sampled_from([1, 0, 2]),
        st.sampled_from([(), ("color",), DATA]),
    )
    @example("framed.png", Transform(trim=Trim(10)), (None, None), 1, ())
    @example("framed.png", Transform(trim=Trim(10), crop=Crop(0, 0, 100, 80)), (50, 50), 1, DATA)
    @example("turned.jpg", Transform(rotate=90, padding=Padding(1, 2, 3, 4)), (90, None), 1, ())
    @example("a.svg", Transform(dpr=3.7), (None, None), 1, ())
    @example("a.gif", Transform(gravity=Focus(0.1, 0.9)), (70, 90), 0, ())
    @example("tiny.png", Transform(crop=Crop(0, 0, 5, 2)), (1, 1), 1, ())
    def check(
        name: str, transform: Transform, size: tuple[int | None, int | None], frames: int, data: tuple[str, ...]
    ) -> None:
        transform = _asked(transform, *size, frames)
        transform = transform if name == "tiny.png" else _percent(transform)
        # Pillow reads no JPEG XL.
        picture = site.get(url(build(Target(name, replace(transform, format="webp" if name == "a.jxl" else None)))))
        answer = site.get(url(build(Target(name, replace(transform, format=JSON, data=data)))))
        event(f"status {picture.status_code}")
        assert answer.status_code == picture.status_code
        if picture.status_code == 200:
            output = json.loads(answer.content)["output"]
            assert (output["width"], output["height"]) == decoded(picture.content).size

    check()


@pytest.mark.parametrize("name", SOURCES)
def test_an_original_of_any_format_is_described_by_its_bytes(site: Client, name: str) -> None:
    found = described(site, f"x/filters:format(json);data(thumbhash,color)/{name}")
    source = found["source"]
    wanted = {"a.tif": "tiff", "a.svg": "svg", "named wrongly.png": "jpeg", "a.jpg": "jpeg", "turned.jpg": "jpeg"}
    assert source["format"] == wanted.get(name, name.rpartition(".")[2])
    assert source["bytes"] == len(SOURCES[name])
    assert source["frames"] == (3 if name in ("a.webp", "a.gif") else 1)
    assert list(found) == ["source", "output", "thumbhash", "color"]


def test_data_are_kept_in_the_caches_and_purged_with_the_pictures(site: Client) -> None:
    about, picture = url("90x/filters:format(json)/a.jpg", "cached"), url("90x/a.jpg", "cached")

    def states() -> list[str]:
        return [site.get(each).headers["X-Cache"] for each in (about, picture)]

    assert states() == ["MISS", "MISS"]
    body = site.get(about).content
    assert states() == ["HIT", "HIT"]
    process.reset()  # its memory is lost, and the disk has both
    assert states() == ["HIT", "HIT"]
    assert site.get(about).content == body
    thumbs.purge("cached", "a.jpg")
    assert states() == ["MISS", "MISS"]


def test_an_open_storage_answers_where_its_formats_name_json(site: Client) -> None:
    assert described(site, "90x/filters:format(json)/tiny.png", "open")["output"] == {"width": 4, "height": 2}
    assert site.get(url("90x/filters:format(json)/a.jpg", "open")).status_code == 413
    with override_settings(THUMBS={"STORAGES": [{"name": "open", "driver": "local", "root": "/"}]}):
        process.reset()
        answer = site.get("/img/open/thumbs/90x/filters:format(json)/a.jpg")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "not-offered")


def test_a_url_of_data_is_explained(site: Client, run: Run) -> None:
    told = run("thumb_url", "--explain", url("90x/filters:format(json);data(color)/a.jpg"))
    assert "filters:     format(json);data(color)\n" in told
    assert "output:      data about the original and the size of its thumbnail, color\n" in told
    printed = run("thumb_url", "photos", "a.jpg", "--size", "90x", "--filters", "format(json)", "--as", "tom.json")
    assert site.get(printed.strip()).headers["Content-Disposition"] == 'inline; filename="tom.json"'


def test_data_are_made_ahead_as_pictures_are(site: Client, run: Run) -> None:
    warm = ("warm_thumb_cache", "cached", "a.jpg", "a.gif", "--size", "90x", "--filters", "format(json);data(color)")
    assert "2 made, 0 already cached, 0 failed" in run(*warm)
    assert "0 made, 2 already cached, 0 failed" in run(*warm)
    assert site.get(url("90x/filters:format(json);data(color)/a.gif", "cached")).headers["X-Cache"] == "HIT"


def test_a_dummy_picture_is_described_too(site: Client, root: Path) -> None:
    storage = {**local_storage("photos", root), "signature_secret_key": "django"}
    with override_settings(THUMBS={"STORAGES": [storage], "MODE": "dummy"}):
        process.reset()
        found = described(site, "300x300/filters:format(json);data(color);fit(contain)/any.jpg")
        assert found["output"] == {"width": 300, "height": 200}
        assert (found["source"]["width"], found["source"]["height"]) == (1500, 1000)
