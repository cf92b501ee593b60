"""Every sample, rendered by a server, is what Chromium shows of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.browser import canvas, mage
from bench.browser.comparison import Comparison
from bench.browser.report import differing, table
from bench.browser.samples.__main__ import samples, write
from bench.browser.samples.known import expected
from tests.support.browser import installation

FAMILIES = (
    *("png", "png-rgb8", "png-rgb16", "png-rgba8", "jpeg", "orientation", "webp", "gif", "gif-disposal"),
    *("odd-jpeg", "odd-png", "odd-webp", "odd-gif", "odd-avif"),
    *("cut-jpeg", "cut-png", "cut-webp", "cut-gif", "cut-avif"),
    *("avif", "avif-deep", "avif-matrix", "avif-full-420", "avif-full-444", "avif-limited-420", "avif-limited-444"),
)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    browser = installation()
    directory, scratch = tmp_path_factory.mktemp("samples"), tmp_path_factory.mktemp("scratch")
    names = write(directory, samples())
    assert {name.partition("/")[0] for name in names} == set(FAMILIES)
    with mage.serving([directory / name for name in names], scratch) as server, canvas.opened(browser) as drawer:
        yield Comparison(directory, server, drawer, expected(names), frames=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_is_what_the_browser_shows(comparison: Comparison, family: str) -> None:
    files = sorted(Path(comparison.directory, family).iterdir())
    results = list(comparison.results(files))
    assert len(results) >= len(files) > 0
    assert not differing(results), f"\n{table(differing(results))}"
