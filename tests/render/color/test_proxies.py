"""A proxy is sRGB already: what is made of it has the colors of what is made of the original."""

import pytest

from tests.support.pictures import decoded, encoded, scene
from tests.support.pixels import difference
from tests.support.signaled_colors import cicp, gama
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

RENDERER, LIMITS = Renderer(), RenderLimits()
SMALL = Transform(300, 100, "png")


@pytest.fixture(scope="module")
def plain() -> bytes:
    return encoded(scene(3300, 1100), "PNG", compress_level=1)


@pytest.mark.parametrize("chunk", [cicp(12, 13), cicp(9, 16), gama(1)])
def test_a_proxy_is_converted_once(plain: bytes, chunk: bytes) -> None:
    data = plain[:33] + chunk + plain[33:]
    whole = decoded(RENDERER.render(data, SMALL, LIMITS).body)
    reduced = RENDERER.render_proxy(RENDERER.make_proxy(data, LIMITS), SMALL, LIMITS)
    assert reduced is not None
    assert difference(decoded(reduced.body), whole) < 1.5
    unconverted = decoded(RENDERER.render(plain, SMALL, LIMITS).body)
    assert difference(unconverted, whole) > 3
