"""One file, drawn by Chromium and rendered by Mage: what each shows, and whether that is the same."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.browser.canvas import CanvasError, Drawing
from bench.browser.mage import Answer
from bench.browser.signaling import has_high_dynamic_range
from thumbs.image.formats import sniff

TOLERANCE = 2.0  # levels
_HIGH_RANGE_FACTOR = 3.0  # PQ and HLG: tone mapping differs between libraries
_NOT_IN_BROWSERS = ("tiff",)
_HEAD_BYTES = 1 << 20  # descriptions of color stand before the pixels
_REFUSALS = range(400, 500)


class Verdict(enum.Enum):
    """The result for a file. The value is for the table."""

    SAME = "same"
    AS_EXPECTED = "as expected"
    NEITHER = "shown by neither"
    NO_BROWSER = "not a browser's format"
    COLOR = "color differs"
    ALPHA = "alpha differs"
    SIZE = "size differs"
    STATUS = "status differs"
    REFUSED = "refused by Mage"
    ONLY_MAGE = "shown by Mage only"
    MAGE_FAILED = "Mage failed"
    BROWSER_FAILED = "browser failed"


GOOD = frozenset({Verdict.SAME, Verdict.AS_EXPECTED, Verdict.NEITHER, Verdict.NO_BROWSER})


@dataclass(frozen=True, slots=True)
class Result:
    """What both made of a file. `thumbnail` is what the browser draws of Mage's PNG, None without one.

    `drawing` is what it draws of the original; None when it shows nothing, and when it failed: `failure` then says how.
    `tolerance` is the largest difference of color that counts as the same.
    """

    name: str
    answer: Answer
    thumbnail: Drawing | None
    drawing: Drawing | None
    verdict: Verdict
    tolerance: float
    failure: str = ""

    @property
    def difference(self) -> tuple[float, float] | None:
        """The largest differences of color and alpha; None unless both show a picture."""
        if self.thumbnail is None or self.drawing is None:
            return None
        return self.thumbnail.difference(self.drawing)


class Renderer(Protocol):
    """Makes a PNG of a whole original. `mage.Mage` is one."""

    def thumbnail(self, file: Path, /) -> Answer: ...


class Drawer(Protocol):
    """Draws a file or its bytes. `canvas.Canvas` is one."""

    def draw(self, picture: Path | bytes, /) -> Drawing | None: ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """The files below `directory`, compared. `expected` has the status of files where the browser is no reference.

    Names are paths relative to `directory`, with slashes.
    """

    directory: Path
    renderer: Renderer
    drawer: Drawer
    expected: Mapping[str, int]
    tolerance: float = TOLERANCE

    def results(self, files: Sequence[Path]) -> Iterator[Result]:
        """One result for each file. Mage renders a file while the browser draws it."""
        with ThreadPoolExecutor(1) as pool:
            for file in files:
                answering = pool.submit(self.renderer.thumbnail, file)
                try:
                    drawing, failure = self.drawer.draw(file), ""
                except CanvasError as error:
                    drawing, failure = None, str(error)
                yield self._result(file, answering.result(), drawing, failure)

    def _result(self, file: Path, answer: Answer, drawing: Drawing | None, failure: str) -> Result:
        name = file.relative_to(self.directory).as_posix()
        thumbnail = None
        if answer.status == 200:
            try:
                thumbnail = self.drawer.draw(answer.picture)
            except CanvasError as error:
                failure = failure or str(error)
        head = _head(file)
        tolerance = self.tolerance * (_HIGH_RANGE_FACTOR if has_high_dynamic_range(head) else 1)
        if name in self.expected:
            verdict = Verdict.AS_EXPECTED if answer.status == self.expected[name] else Verdict.STATUS
        elif drawing is None or thumbnail is None:
            verdict = _by_status(answer, drawing, failure, sniff(head))
        else:
            verdict = _by_pixels(thumbnail, drawing, color=tolerance, alpha=self.tolerance)
        return Result(name, answer, thumbnail, drawing, verdict, tolerance, failure)


def files_of(directory: Path) -> list[Path]:
    """All files below a directory, by name."""
    return sorted(file for file in directory.rglob("*") if file.is_file())


def _by_pixels(thumbnail: Drawing, drawing: Drawing, *, color: float, alpha: float) -> Verdict:
    if (thumbnail.width, thumbnail.height) != (drawing.width, drawing.height):
        return Verdict.SIZE
    of_color, of_alpha = thumbnail.difference(drawing)
    if of_alpha > alpha:
        return Verdict.ALPHA
    return Verdict.COLOR if of_color > color else Verdict.SAME


def _by_status(answer: Answer, drawing: Drawing | None, failure: str, name: str | None) -> Verdict:
    if answer.status != 200 and answer.status not in _REFUSALS:
        return Verdict.MAGE_FAILED
    if failure:
        return Verdict.BROWSER_FAILED
    if answer.status == 200:
        if drawing is not None:
            return Verdict.MAGE_FAILED  # its PNG is not one that the browser shows
        return Verdict.NO_BROWSER if name in _NOT_IN_BROWSERS else Verdict.ONLY_MAGE
    if drawing is not None:
        return Verdict.REFUSED
    return Verdict.NO_BROWSER if name in _NOT_IN_BROWSERS else Verdict.NEITHER


def _head(file: Path) -> bytes:
    """The first bytes of a file; empty where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except OSError:
        return b""
