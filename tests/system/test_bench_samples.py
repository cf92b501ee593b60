"""Every sample, rendered by a server, is what Chromium shows of it."""

import fnmatch
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.browser import canvas, mage
from bench.browser.comparison import Comparison
from bench.browser.report import differing, table
from bench.browser.samples.__main__ import samples, write
from bench.browser.samples.known import expected
from tests.support.browser import installation

# Samples that are not yet rendered as browsers show them.
NOT_YET = (
    *("png-*/cicp-*", "png-*/gama-*", "png-*/icc-broken-p3-gama-1.png", "png/*-gama-1.png", "png/*-cicp-p3.png"),
    *("png/gray*-icc-linear.png", "jpeg/gray-icc-*.jpg"),
    *(
        "avif/*-premultiplied.avif",
        "avif/limited-400*",
        "avif/limited-*-saturated.avif",
        "avif-full-*/*",
        "avif-limited-*/*",
        "avif-matrix/*",
    ),
    *("cut-jpeg/*-end.jpg", "odd-jpeg/*-no-end*.jpg", "odd-jpeg/*-half-end.jpg", "odd-jpeg/exif-*", "odd-jpeg/icc-*"),
    *("odd-png/adler*.png", "odd-png/chrm-short.png", "odd-png/gama-twice.png", "odd-png/*profile*.png"),
    *("odd-webp/*-size-large.webp", "odd-webp/lossless-flag-alpha.webp"),
    *("gif/background-beyond.gif", "gif/beyond-*", "gif/outside*", "gif/small*", "gif-disposal/*-2.gif"),
)
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
    files = sorted(file for file in Path(comparison.directory, family).iterdir() if not _is_pending(family, file))
    results = list(comparison.results(files))
    assert len(results) >= len(files)
    assert not differing(results), f"\n{table(differing(results))}"


def _is_pending(family: str, file: Path) -> bool:
    return any(fnmatch.fnmatchcase(f"{family}/{file.name}", pattern) for pattern in NOT_YET)
