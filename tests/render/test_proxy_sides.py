"""The proxy of a JPEG is what libjpeg decodes at 1/2, 1/4 or 1/8, also where the sides are no multiples of that."""

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from tests.support import pictures
from tests.support.pictures import decoded, encoded, stored_turned
from tests.support.pixels import LIMITS, difference
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Crop, Transform
from thumbs.render.proxy import Proxy
from thumbs.render.renderer import Renderer

RENDERER = Renderer()


def by_libjpeg(data: bytes, size: tuple[int, int]) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.draft(image.mode, (size[0] - 1, size[1] - 1))
    assert image.size == size
    return image


def pixels(proxy: Proxy) -> Image.Image:
    image = proxy.image
    mode = "L" if image.bands == 1 else "RGB"
    return Image.frombytes(mode, (image.width, image.height), bytes(image.write_to_memory()))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("size", "small"), [((2401, 61), (1201, 31)), ((41, 4803), (11, 1201)), ((9601, 60), (1201, 8))]
)
def test_odd_sides_are_decoded_at_the_smallest_scale(size: tuple[int, int], small: tuple[int, int], mode: str) -> None:
    data = encoded(pictures.noise(*size).convert(mode), "JPEG", quality=95)
    proxy = Proxy.unpack(RENDERER.make_proxy(data, LIMITS))
    assert proxy.size == size
    far = ImageChops.difference(pixels(proxy), by_libjpeg(data, small)).tobytes()
    assert max(far) <= 1


@pytest.mark.parametrize("size", [(2401, 401), (2403, 402), (4805, 803), (9607, 1600)])
@pytest.mark.parametrize("percent", [0, 50, 51])
def test_an_edge_is_where_it_is_in_the_original(size: tuple[int, int], percent: int) -> None:
    """The picture is dark up to the edge, and light from there on: the thumbnail is so bright as the edge is far."""
    edge = size[0] * 3 // 4
    image = Image.new("RGB", size, (40, 40, 40))
    image.paste((200, 200, 200), (edge, 0, *size))
    packed = RENDERER.make_proxy(encoded(image, "JPEG", quality=98, subsampling=0), LIMITS)
    first = size[0] * percent // 100
    factor = (size[0] - first) / 60
    transform = Transform(60, None, "png", crop=Crop(first, 1, *size))
    made = RENDERER.render_proxy(packed, transform, LIMITS)
    assert made is not None
    small = decoded(made.body).convert("L")
    dark = sum(200 - level for level in small.tobytes()[small.width * (small.height // 2) :][: small.width]) / 160
    assert abs(first + dark * factor - edge) < 0.03 * factor


@pytest.mark.parametrize("orientation", range(1, 9))
def test_odd_sides_of_all_orientations_are_reduced_to_the_same(orientation: int) -> None:
    upright = pictures.quarters(2411, 1203)
    packed = RENDERER.make_proxy(stored_turned(upright, orientation), LIMITS)
    made = RENDERER.render_proxy(packed, Transform(130, 65, "png"), LIMITS)
    assert made is not None
    assert difference(decoded(made.body), upright.resize((130, 65), Image.Resampling.LANCZOS)) < 2


def test_a_scale_that_does_not_fit_the_sides_is_no_proxy() -> None:
    data = encoded(pictures.noise(2401, 61), "JPEG", quality=50)
    proxy = Proxy.unpack(RENDERER.make_proxy(data, LIMITS))
    assert proxy.scale == 2
    assert Proxy.unpack(replace(proxy, scale=0).pack()).scale == 0
    with pytest.raises(SourceBroken):
        Proxy.unpack(replace(proxy, scale=4).pack())
