"""Recorded URLs of other image servers are planned as those servers answered: sizes, types and refusals.

No picture is made here: tests/system/test_dialect_rows.py compares those.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.block_pictures import write_originals
from tests.support.dialect_differences import reason
from tests.support.recorded_rows import DialectServer, Row, rows, servers_of_rows
from thumbs.conf.loading import Configuration
from thumbs.image.formats import FALLBACK_OUTPUT
from thumbs.image.transforms import ORIGINAL, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import Picture, RenderLimits
from thumbs.wiring.rendering import Rendering

DIALECTS = ("imgproxy", "thumbor", "imagor", "ipx", "mage")
CUT_OFF = "truncated.jpg"  # which only its pixels show
ALIKE = [
    row
    for name in DIALECTS
    for row in rows(name)
    if reason(row.dialect, row.setup, row.url) is None and CUT_OFF not in row.url
]


@dataclass(frozen=True)
class Planner:
    """A renderer whose pictures are their own sizes, as text."""

    renderer: Renderer

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:  # noqa: ARG002
        is_stored = transform.format == ORIGINAL
        wanted = Transform() if is_stored else transform
        found = self.renderer.describe(data, wanted, RenderLimits())
        return Picture(b"%dx%d" % found.output, found.format if is_stored else transform.format or FALLBACK_OUTPUT, 0.0)

    def make_proxy(self, _: bytes) -> bytes:
        return b""  # there is no gain in one

    def render_proxy(self, *_: object, **__: object) -> None:
        return None


class Planning(Rendering):
    def renderer(self, *_: object, **__: object) -> Planner:
        return Planner(Renderer())


def planning(read: Configuration) -> Planning:
    return Planning(read.document, 1, lambda _: None)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Row], DialectServer]]:
    with servers_of_rows(write_originals(tmp_path_factory.mktemp("originals")), planning) as found:
        yield found


@pytest.mark.parametrize("row", ALIKE, ids=lambda row: f"{row.dialect}-{row.setup}-{row.url[:100]}")
def test_a_recorded_url_has_the_recorded_size_and_type_or_is_refused_as_it_was(
    row: Row, server: Callable[[Row], DialectServer]
) -> None:
    answer = server(row).ask(row.url, row.accept)
    if row.status != 200:
        assert 400 <= answer.status < 500
        return
    assert answer.status == 200
    if row.names_format:
        assert answer.content_type == row.content_type
    if row.size is not None:
        assert answer.body == b"%dx%d" % row.size
