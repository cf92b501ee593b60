"""libvips' log says that libjpeg had warnings: these tests fail when its wording changes."""

import logging
import threading

import pytest
import pyvips

from tests.support.jpegs import EOI, sample
from tests.support.pictures import noise
from tests.support.pixels import rendered
from thumbs.errors import SourceBroken
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.image.transforms import Transform
from thumbs.render import libvips
from thumbs.render.completeness.libjpeg import VipsLog, watched

WHOLE = sample(noise(48, 40).convert("L"))  # five rows of blocks
LAST_ROW_CUT = WHOLE.data[: WHOLE.scans[0][1] - 20] + EOI


@pytest.fixture(autouse=True)
def _started() -> None:
    libvips.start(DEFAULT_INPUTS)


def decode(data: bytes, fail_on: str = "warning") -> None:
    pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=fail_on).copy_memory()


def test_libvips_does_not_fail_for_a_warning_in_the_last_rows_but_logs_it() -> None:
    with watched() as watch:
        decode(LAST_ROW_CUT)
    assert watch.warned


def test_a_whole_file_has_no_warning() -> None:
    with watched() as watch:
        decode(WHOLE.data)
    assert not watch.warned


def test_libvips_fails_for_a_warning_in_rows_before() -> None:
    with pytest.raises(pyvips.Error):
        decode(WHOLE.data[: WHOLE.scans[0][0] + 20] + EOI)


def test_what_other_threads_close_is_not_counted() -> None:
    with watched() as watch:
        thread = threading.Thread(target=decode, args=(LAST_ROW_CUT,))
        thread.start()
        thread.join()
    assert not watch.warned


def test_no_configuration_of_logging_hides_it() -> None:
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(SourceBroken):
            rendered(LAST_ROW_CUT, Transform(format="png"))
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("transform", [Transform(format="png"), Transform(6, 5, "png"), Transform(format="jpeg")])
def test_data_that_is_missing_in_the_last_rows_is_missing(transform: Transform) -> None:
    with pytest.raises(SourceBroken):
        rendered(LAST_ROW_CUT, transform)


def test_only_errors_of_libvips_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = VipsLog()
    log.log(logging.WARNING, "VIPS: error in tile 0 x 8")
    log.log(logging.ERROR, "VIPS: something else")
    assert [record.getMessage() for record in caplog.records if record.name == "pyvips"] == ["VIPS: something else"]
