"""A JPEG is refused when picture data is missing, and only then: the damage is known, as the tests do it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.jpegs import EOI, Sample, sample, samples
from tests.support.pictures import decoded, noise
from tests.support.pixels import rendered
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Crop, Transform

WHOLE = Transform(format="png")
SEQUENTIAL: dict[str, dict[str, object]] = {
    "plain": {},
    "restarts": {"restart_marker_blocks": 3},
    "gray": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
}
SIZES = {"CMYK": (24, 20)}  # inks are not subsampled
# In how many places it is cut before the last nine bytes, and the distance of those within them. Inks are converted,
# which takes far longer than following their codes.
CUTS = {"CMYK": (6, 4)}


def pixels(data: bytes, transform: Transform = WHOLE) -> bytes:
    return decoded(rendered(data, transform).body).tobytes()


def refused(data: bytes, transform: Transform = WHOLE) -> bool:
    try:
        rendered(data, transform)
    except SourceBroken:
        return True
    return False


def of_kind(name: str) -> Sample:
    options = dict(SEQUENTIAL[name])
    mode = str(options.pop("mode", "RGB"))
    return sample(noise(*SIZES.get(name, (48, 40))).convert(mode), **options)


@pytest.mark.parametrize("name", SEQUENTIAL)
@pytest.mark.parametrize("end", [EOI, b"", EOI + b"\0" * 40, b"\xff"], ids=["end", "none", "junk", "half"])
def test_a_file_that_is_cut_within_its_picture_data_is_broken(name: str, end: bytes) -> None:
    made = of_kind(name)
    start, stop = made.scans[0]
    places, step = CUTS.get(name, (24, 1))
    for cut in (*range(start, stop - 9, (stop - start) // places), *range(stop - 9, stop, step)):
        assert refused(made.data[:cut] + end), cut
    assert not refused(made.data[:stop] + end)


@pytest.mark.parametrize("end", [b"", b"\xff", EOI, EOI + b"more", b"more", b"\xff\xff"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    "transform", [WHOLE, Transform(20, 20, "png"), Transform(format="png", crop=Crop(0, 60, 96, 80))]
)
def test_a_complete_file_without_its_end_marker_gives_the_same_picture(
    end: bytes, transform: Transform, *, progressive: bool
) -> None:
    made = sample(progressive=progressive)
    stop = made.scans[-1][1]
    assert pixels(made.data[:stop] + end, transform) == pixels(made.data, transform)


@settings(max_examples=15, deadline=None)
@given(made=samples(), where=st.floats(0, 1, exclude_max=True), ended=st.booleans())
def test_data_that_ends_within_the_last_scan_is_broken(made: Sample, where: float, *, ended: bool) -> None:
    start, stop = made.scans[-1]
    cut = start + int((stop - start) * where)
    assert refused(made.data[:cut] + (EOI if ended else b""))
    assert not refused(made.data[:stop] + (EOI if ended else b""))


@settings(max_examples=15, deadline=None)
@given(made=samples(progressive=True), scan=st.integers(0, 9), where=st.floats(0, 1, exclude_max=True))
def test_a_progressive_file_that_is_cut_in_any_scan_is_broken(made: Sample, scan: int, where: float) -> None:
    start, stop = made.scans[scan % len(made.scans)]
    cut = start + int((stop - start) * where)
    assert refused(made.data[:cut] + EOI)
    assert refused(made.data[:cut])


def test_a_progressive_file_without_its_last_scans_is_broken_unless_it_says_that_it_has_ended() -> None:
    made = sample(progressive=True)
    for _, stop in made.scans[:-1]:
        assert refused(made.data[:stop])
        assert refused(made.data[: stop + 3])
        assert not refused(made.data[:stop] + EOI)  # libjpeg has nothing to say of it, and some have no more


@settings(max_examples=15, deadline=None)
@given(
    made=samples(progressive=False), where=st.floats(0, 1, exclude_max=True), marker=st.sampled_from([0xC4, 0xFE, 1])
)
def test_a_marker_within_the_data_cuts_it_off(made: Sample, where: float, marker: int) -> None:
    start, stop = made.scans[0]
    cut = start + int((stop - start) * where)
    cut += made.data[cut - 1] == 0xFF  # not within a stuffed byte or a marker
    if 0xD0 <= made.data[cut - 1] <= 0xD7 or b"\xff\xdd" in made.data:
        return  # behind a restart marker libjpeg passes over other markers
    assert refused(made.data[:cut] + bytes((0xFF, marker)) + made.data[cut:])


@settings(max_examples=15, deadline=None)
@given(made=samples(progressive=False), count=st.integers(1, 40))
def test_bytes_too_many_before_a_restart_marker_do_no_harm(made: Sample, count: int) -> None:
    data = made.data
    for at in reversed(made.restarts):
        data = data[:at] + bytes(count) + data[at:]
    assert pixels(data) == pixels(made.data)


@settings(max_examples=15, deadline=None)
@given(made=samples(progressive=False), which=st.integers(0, 200), less=st.integers(1, 3))
def test_an_interval_that_is_short_is_broken(made: Sample, which: int, less: int) -> None:
    if not made.restarts:
        return
    at = made.restarts[which % len(made.restarts)]
    before = max([made.scans[0][0], *(each + 2 for each in made.restarts if each < at)])
    assert refused(made.data[: max(before, at - less)] + made.data[at:])


def test_a_picture_of_one_scan_for_each_component_needs_all_of_them() -> None:
    made = sample(progressive=True)
    stop = made.scans[0][1]
    gray = sample(noise(96, 80).convert("L"), progressive=True)
    assert refused(made.data[: stop - 1] + EOI)
    assert refused(gray.data[: gray.scans[0][1] - 1] + EOI)


# ------------------------------------------------------------------------------------------- other warnings


def segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(content) + 2).to_bytes(2, "big") + content


HEAD = b"\xff\xd8"
WARNINGS = {
    "bytes between segments": lambda data: data.replace(b"\xff\xdb", b"\0\0\1\xff\xdb", 1),
    "bytes before the scan": lambda data: data.replace(b"\xff\xda", b"\0\0\0\xff\xda", 1),
    "fill bytes": lambda data: data.replace(b"\xff\xda", b"\xff\xff\xff\xda", 1),
    "an unknown version of JFIF": lambda data: data.replace(b"JFIF\0\1", b"JFIF\0\3", 1),
    "parameters of a progressive scan": lambda data: data.replace(b"\x11\0\x3f\0", b"\x11\0\0\0", 1),
    "an unknown transform of Adobe": lambda data: HEAD + segment(0xEE, b"Adobe\0\x64\0\0\0\0\7") + data[2:],
    "bytes behind the scan": lambda data: data[:-2] + bytes(50) + EOI,
    "a second picture": lambda data: data + data,
    "a film behind the picture": lambda data: data + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 8,
}


@pytest.mark.parametrize("name", WARNINGS)
@pytest.mark.parametrize("transform", [WHOLE, Transform(12, 10, "png")], ids=["whole", "small"])
def test_what_libjpeg_warns_of_and_is_no_missing_data_does_no_harm(name: str, transform: Transform) -> None:
    made = sample()
    changed = WARNINGS[name](made.data)
    assert changed != made.data
    assert pixels(changed, transform) == pixels(made.data, transform)


@pytest.mark.parametrize("name", WARNINGS)
def test_missing_data_is_seen_behind_another_warning(name: str) -> None:
    made = sample()
    changed = WARNINGS[name](made.data[: made.scans[0][1] - 200] + EOI)
    assert refused(changed)
