"""A locked-down child makes the same bytes as a free one: of every format, filter and script."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tests.support import pictures
from tests.support.codecs import INPUTS, OUTPUTS
from tests.support.heic_files import heic
from tests.support.pictures import encoded
from tests.support.render_cases import (
    ALL_INPUTS,
    FILTER_ARGUMENTS,
    MORE_FILTERS,
    NOT_FOR_PIXELS,
    Case,
    case,
    drawing,
    input_of,
    texts,
)
from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render.codecs import jxl
from thumbs.render.containers.gain_map import GainMap, with_gain_map
from thumbs.render.isolation.lockdown import Layers, supported
from thumbs.request.filters import FILTERS

LATE = drawing("abc", "DejaVu Serif", 'font-style="italic"')
FREE, LOCKED = Layers(landlock=False, seccomp=False), Layers()

pytestmark = pytest.mark.skipif(bool(supported().missing), reason=f"without {supported().missing} in this kernel")

# How the map is to be applied.
GAINS: dict[str, tuple[bytes, ...]] = {"GainMapMax": (b"2",), "HDRCapacityMax": (b"2",)}


def answers(
    cases: list[Case], layers: Layers, *, inputs: list[str] = ALL_INPUTS, concurrency: int = 1
) -> dict[str, str]:
    """What a fresh child with `layers` says of each case."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.render_cases"],
        input=input_of(cases, inputs, layers, concurrency),
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=LONG_WAIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(line) for line in done.stdout.splitlines())


def same_in_both(cases: list[Case], *, inputs: list[str] = ALL_INPUTS, concurrency: int = 1) -> dict[str, str]:
    free = answers(cases, FREE, inputs=inputs, concurrency=concurrency)
    assert len(free) == len(cases)
    assert answers(cases, LOCKED, inputs=inputs, concurrency=concurrency) == free
    return free


def originals() -> dict[str, bytes]:
    """Originals of every input format, in its kinds."""
    photo = pictures.scene(180, 120)
    see_through = photo.convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(photo.size))
    frames = [photo, photo.rotate(90), photo.rotate(180)]
    many = {"save_all": True, "append_images": frames[1:], "duration": 90}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {
        "jpeg": encoded(photo, "JPEG"),
        "jpeg progressive": encoded(photo, "JPEG", progressive=True),
        "jpeg gray": encoded(photo.convert("L"), "JPEG"),
        "jpeg cmyk": encoded(photo.convert("CMYK"), "JPEG"),
        "jpeg with a profile": encoded(photo, "JPEG", icc_profile=profile),
        "jpeg turned": pictures.stored_turned(photo, 6),
        "jpeg with a gain map": with_gain_map(encoded(photo, "JPEG"), GainMap(encoded(photo, "JPEG"), GAINS, b"")),
        "png": encoded(photo, "PNG"),
        "png with alpha": encoded(see_through, "PNG"),
        "png with a palette": encoded(photo.quantize(16), "PNG"),
        "png with 16 bits": encoded(photo.convert("I").point(lambda value: value * 200).convert("I;16"), "PNG"),
        "webp": encoded(photo, "WEBP"),
        "webp with alpha": encoded(see_through, "WEBP", lossless=True),
        "webp animated": encoded(photo, "WEBP", **many),
        "avif": encoded(photo, "AVIF"),
        "avif with alpha": encoded(see_through, "AVIF"),
        "gif": encoded(photo, "GIF"),
        "gif animated": encoded(photo, "GIF", **many),
        "tiff": encoded(photo, "TIFF"),
        "tiff with lzw": encoded(photo, "TIFF", compression="tiff_lzw"),
        "tiff with jpeg": encoded(photo, "TIFF", compression="jpeg"),
        "svg": drawing("Mage", "serif"),
        **optional_originals(photo, see_through),
        "cut": encoded(photo, "JPEG")[:2000],
        "no picture": b"text",
    }


def test_a_gain_map_follows_alike() -> None:
    data = originals()["jpeg with a gain map"]
    plain = case("without", encoded(pictures.scene(180, 120), "JPEG"), output="jpeg")
    found = same_in_both([plain, *(case("with", data, filters=each, output="jpeg") for each in ("", "rotate(90)"))])
    assert len(set(found.values())) == 3


def optional_originals(photo: Image.Image, see_through: Image.Image) -> dict[str, bytes]:
    """Those of the formats that packages of extras read."""
    found = {}
    if "jxl" in INPUTS:
        codec, numpy = jxl.load()
        found["jxl"] = codec.jpegxl_encode(numpy.asarray(photo), distance=1.0)
        found["jxl with alpha"] = codec.jpegxl_encode(numpy.asarray(see_through), distance=1.0)
        found["jxl with 16 bits"] = codec.jpegxl_encode(numpy.asarray(photo).astype("uint16") * 257, lossless=True)
    if "heic" in INPUTS:
        found["heic"] = heic(photo)
        found["heic with alpha"] = heic(see_through)
    return found


def test_every_original_is_described_alike() -> None:
    asked = ("format(json)", "format(json);data(thumbhash,color)", "format(json);trim(10)")
    cases = [
        case(name, data, filters=filters, output="json", way="describe")
        for name, data in originals().items()
        for filters in asked
    ]
    found = same_in_both(cases)
    described = [answer for answer in found.values() if answer.startswith("{")]
    assert len(described) >= len(asked) * (len(originals()) - 2)


def test_every_format_is_read_and_written_alike() -> None:
    cases = [case(name, data, output=output) for name, data in originals().items() for output in OUTPUTS]
    found = same_in_both(cases)
    refused = {name for name, answer in found.items() if len(answer) != 64}
    assert {name.partition(" png ")[0].strip() for name in refused if " png " in name} == {"cut", "no picture"}


def test_animations_stay_alike() -> None:
    kinds = {name: data for name, data in originals().items() if "animated" in name}
    cases = [
        case(name, data, filters=filters, output=output)
        for name, data in kinds.items()
        for output in ("gif", "webp")
        for filters in ("frames(all)", "frames(2);trim(10)", "frames(all);gravity(smart);grayscale")
    ]
    assert all(len(answer) == 64 for answer in same_in_both(cases).values())


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_filter_does_the_same(concurrency: int) -> None:
    assert set(FILTER_ARGUMENTS) | NOT_FOR_PIXELS == set(FILTERS)
    spelled = [f"{name}({arguments})" if arguments else name for name, arguments in FILTER_ARGUMENTS.items()]
    kept = originals()
    cases = [
        case(name, kept[name], filters=filters, output=output)
        for name in ("jpeg", "png with alpha", "svg")
        for filters in (*spelled, *MORE_FILTERS)
        for output in ("webp", "jpeg")
    ]
    found = same_in_both(cases, concurrency=concurrency)
    assert [name for name, answer in found.items() if len(answer) != 64] == []


def test_proxies_are_alike() -> None:
    photo = encoded(pictures.scene(3600, 2400), "JPEG")
    found = same_in_both([case("jpeg", photo, way="proxy", output=output) for output in OUTPUTS])
    assert all(len(answer) == 64 for answer in found.values())


@pytest.mark.skipif(not any(Path("/usr/share/fonts").rglob("DejaVuSerif.ttf")), reason="without DejaVu fonts")
def test_text_in_every_script_and_family_is_alike() -> None:
    found = same_in_both(list(texts()))
    empty = answers([case("empty", drawing("", "serif"))], FREE)["empty  png render"]
    drawn = {name: each for name, each in found.items() if name.startswith(("latin", "cyrillic", "condensed", "light"))}
    assert [name for name, answer in drawn.items() if answer == empty] == []
    assert len(set(drawn.values())) > 6


@pytest.fixture(scope="module", autouse=True)
def late_texts(request: pytest.FixtureRequest) -> Iterator["Future[dict[str, str]] | None"]:
    """What a child says that waits long before the second text: it does so while the other tests run."""
    if not any(item.get_closest_marker("slow") for item in request.session.items if item.path == request.path):
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        late = case("late", LATE, way="late")
        yield pool.submit(answers, [case("early", drawing("abc", "serif")), late, *texts()], LOCKED)


@pytest.mark.slow
def test_text_is_alike_when_fontconfig_looks_for_changed_directories(late_texts: "Future[dict[str, str]]") -> None:
    free = answers([case("early", drawing("abc", "serif")), case("late", LATE), *texts()], FREE)
    assert list(late_texts.result().values()) == list(free.values())


def test_without_svg_nothing_is_read_and_all_is_alike() -> None:
    kept = {name: data for name, data in originals().items() if not name.startswith(("svg", "tiff"))}
    cases = [case(name, data, output=output) for name, data in kept.items() for output in ("webp", "avif")]
    same_in_both(cases, inputs=list(DEFAULT_INPUTS))
