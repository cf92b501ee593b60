"""What is followed of a damaged JPEG is bounded. One over the bound gets the same verdict where that is cheap."""

import struct
import tracemalloc

import pytest

from tests.support.jpegs import EOI, sample
from tests.support.pictures import decoded, noise
from tests.support.pixels import rendered
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform
from thumbs.render.completeness import coding
from thumbs.render.completeness.jpeg import is_cut_off
from thumbs.render.completeness.segments import Unreadable, read_segments

WHOLE = Transform(format="png")


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "MAX_JPEG_STEPS", 500)


def grown(data: bytes, width: int, height: int) -> bytes:
    """The same data in a frame of another size."""
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


@pytest.mark.usefixtures("few_steps")
def test_a_large_one_of_one_scan_is_broken_when_it_is_cut_off() -> None:
    made = sample(noise(200, 160))
    start, stop = made.scans[0]
    for cut in (start + 10, (start + stop) // 2, stop - 60):
        data = made.data[:cut] + EOI
        assert is_cut_off(data, read_segments(data)) is None
        with pytest.raises(SourceBroken):
            rendered(data, WHOLE)


@pytest.mark.usefixtures("few_steps")
def test_a_large_one_of_one_scan_is_rendered_when_libjpeg_warns_of_something_else() -> None:
    made = sample(noise(200, 160))
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\7"  # an unknown transform
    changed = made.data[:2] + adobe + made.data[2:]
    assert is_cut_off(changed, read_segments(changed)) is None
    assert rendered(changed, WHOLE).body == rendered(made.data, WHOLE).body


@pytest.mark.usefixtures("few_steps")
def test_of_a_large_one_with_restart_markers_the_last_intervals_are_followed() -> None:
    made = sample(noise(400, 320), restart_marker_blocks=2)
    at = made.restarts[3]
    changed = made.data[:at] + bytes(20) + made.data[at:]
    assert decoded(rendered(changed, WHOLE).body).tobytes() == decoded(rendered(made.data, WHOLE).body).tobytes()
    with pytest.raises(SourceBroken):
        rendered(made.data[: made.scans[0][1] - 2] + EOI, WHOLE)
    with pytest.raises(SourceBroken):
        rendered(made.data[: made.scans[0][1] // 2] + EOI, WHOLE)


@pytest.mark.usefixtures("few_steps")
def test_a_large_progressive_one_that_is_damaged_counts_as_cut_off() -> None:
    made = sample(noise(200, 160), progressive=True)
    rendered(made.data, WHOLE)
    with pytest.raises(SourceBroken):
        rendered(made.data[: made.scans[-1][1] - 5] + EOI, WHOLE)


@pytest.mark.slow  # six seconds together: the memory is that of all steps that are followed, and fewer take less
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("interval", [0, 1])
def test_a_file_full_of_codes_takes_little_memory(interval: int, *, progressive: bool) -> None:
    options = {"restart_marker_blocks": interval} if interval else {}
    made = sample(noise(64, 64), progressive=progressive, **options)
    start, stop = made.scans[0]
    data = grown(made.data[:start] + bytes(8_000_000) + made.data[stop:], 5000, 5000)
    jpeg = read_segments(data)
    tracemalloc.start()
    try:
        assert is_cut_off(data, jpeg) is not False
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


def test_a_file_of_too_many_scans_is_not_followed() -> None:
    made = sample(noise(8, 8), progressive=True)
    start, stop = made.scans[-2][1], made.scans[-1][1]
    with pytest.raises(Unreadable):
        read_segments(made.data[:stop] + made.data[start:stop] * 1000 + EOI)


def test_tables_that_do_not_fit_are_unreadable() -> None:
    made = sample()
    at = made.data.find(b"\xff\xc4")
    with pytest.raises(Unreadable):
        read_segments(made.data[: at + 5] + b"\xff" * 16 + made.data[at + 21 :])
