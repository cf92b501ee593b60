"""Descriptions between a child and its parent: what is sent arrives, and nothing else is taken for one."""

import json
import random
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_child import FakeSite, fake_site
from tests.support.thumbhash_vectors import REFERENCE_HASHES
from thumbs.errors import RenderFailed, SourceOverLimit
from thumbs.image.description import COLOR_SPACES, Description
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import COLOR, DATA, JSON, THUMBHASH
from thumbs.image.transforms import Transform
from thumbs.render.isolation import wire
from thumbs.render.isolation.descriptions import is_description, pack, unpack
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import Answer, Call, Invalid, Outcome, Work
from thumbs.render.values import RenderLimits

HASH = bytes.fromhex(REFERENCE_HASHES["fading 100x67"])
LIMITS = RenderLimits(seconds=10.0, truncated=True)
PLAIN = Description("jpeg", (600, 400), 1, 6, has_alpha=False, color_space="srgb", output=(90, 60))
SIZE = len(pack(PLAIN))
ALL = replace(PLAIN, thumbhash=HASH, color=(1, 2, 255), truncated=True, has_alpha=True)


def work(*data: str, limits: RenderLimits = LIMITS) -> Work:
    return Work(limits, Transform(format=JSON, data=data))


_sides = st.tuples(st.integers(1, 5120), st.integers(1, 5120))
_described = st.builds(
    Description,
    st.sampled_from(sorted(FORMATS)),
    st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)),
    st.integers(1, 2**32 - 1),
    st.integers(1, 8),
    has_alpha=st.booleans(),
    color_space=st.sampled_from(COLOR_SPACES),
    output=_sides,
    thumbhash=st.just(b"") | st.sampled_from(sorted(REFERENCE_HASHES.values())).map(bytes.fromhex),
    color=st.none() | st.tuples(*[st.integers(0, 255)] * 3),
    truncated=st.booleans(),
)


@given(_described)
def test_a_description_arrives_as_it_was_sent(described: Description) -> None:
    asked = [*([THUMBHASH] if described.thumbhash else []), *([COLOR] if described.color is not None else [])]
    message = pack(described)
    assert unpack(message, work(*asked)) == described
    assert len(message) <= wire.largest_body(Call.DESCRIBE, work())


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_other_bytes_are_none_or_a_description_of_closed_values(message: bytes) -> None:
    for asked in ((), DATA):
        try:
            found = unpack(message, work(*asked))
        except Invalid:
            assert not is_description(message, work(*asked))
        else:
            assert pack(found)
            assert json.loads(found.document(1))


@pytest.mark.parametrize(
    "changed",
    [
        *[replace(ALL, size=size) for size in ((0, 1), (1, 0), (65_536, 1), (1, 2**32 - 1))],
        *[replace(ALL, output=size) for size in ((0, 1), (1, 0), (5121, 1), (1, 5121))],
        *[replace(ALL, orientation=number) for number in (0, 9, 255)],
        replace(ALL, frames=0),
        replace(ALL, color=None),
        replace(ALL, thumbhash=b""),
        replace(ALL, thumbhash=HASH[:-1]),
        replace(ALL, thumbhash=bytes(25)),
    ],
    ids=str,
)
def test_a_value_outside_of_its_list_is_refused(changed: Description) -> None:
    assert is_description(pack(ALL), work(*DATA))
    assert not is_description(pack(changed), work(*DATA))


def test_numbers_of_formats_and_color_spaces_that_are_none_are_refused() -> None:
    message = bytearray(pack(PLAIN))
    for place, most in ((0, len(FORMATS)), (struct.calcsize(">BIIIB?"), len(COLOR_SPACES))):
        for number in (most, 255):
            changed = message.copy()
            changed[place] = number
            assert not is_description(bytes(changed), work())
    assert is_description(bytes(message), work())


@pytest.mark.parametrize("message", [b"", pack(PLAIN)[:-1], pack(PLAIN) + b"\0", b"{}"])
def test_another_length_is_refused(message: bytes) -> None:
    assert not is_description(message, work())


def test_data_that_were_not_asked_for_are_refused() -> None:
    for described, asked in ((ALL, (COLOR,)), (ALL, (THUMBHASH,)), (ALL, ()), (PLAIN, (COLOR,)), (PLAIN, (THUMBHASH,))):
        assert not is_description(pack(described), work(*asked))


def test_a_part_is_described_only_where_parts_are_rendered() -> None:
    strict = replace(LIMITS, truncated=False)
    assert not is_description(pack(ALL), work(*DATA, limits=strict))
    assert is_description(pack(replace(ALL, truncated=False)), work(*DATA, limits=strict))


def test_a_thumbnail_larger_than_the_limits_is_refused() -> None:
    small = replace(LIMITS, output=OutputLimits(side=89))
    assert not is_description(pack(PLAIN), work(limits=small))


# ------------------------------------------------------------------------------------------- the parent


def renderer(monkeypatch: pytest.MonkeyPatch, *replies: object) -> tuple[IsolatedRenderer, FakeSite]:
    """A renderer whose first child answers with `replies`."""
    made = fake_site(monkeypatch)
    made.prepare = lambda child: child.replies.extend(replies)  # type: ignore[arg-type]
    return IsolatedRenderer(made.pool(), LIMITS, lambda _: b""), made


def answer(body: bytes) -> Answer:
    return Answer(Outcome.BYTES, "", 0.5, 0.0, body)


def test_the_parent_writes_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    render, site = renderer(monkeypatch, answer(pack(ALL)))
    transform = Transform(90, 60, JSON, data=DATA)
    made = render(b"original", transform, fallback=None)
    assert (made.format, made.truncated) == (JSON, True)
    assert made.body == ALL.document(len(b"original"))
    assert site.children[0].asked == [(Call.DESCRIBE, Work(LIMITS, transform), b"original")]


@pytest.mark.parametrize(
    "reply",
    [
        answer(b""),
        answer(b'{"source": {}}'),
        answer(pack(ALL)),
        answer(random.Random(1).randbytes(SIZE)),
        Answer(Outcome.PICTURE, "webp", 0.5, 0.25, b"RIFF\0\0\0\0WEBPVP8 "),
        Answer(Outcome.TOO_SMALL, "", 0.5, 0.0, b""),
    ],
)
def test_a_child_that_answers_otherwise_is_ended(monkeypatch: pytest.MonkeyPatch, reply: Answer) -> None:
    render, site = renderer(monkeypatch, reply)
    with pytest.raises(RenderFailed):
        render(b"original", Transform(format=JSON), fallback=None)
    assert site.events["invalid"] == 1
    assert site.children[0].ends == 1


def test_a_failure_of_the_child_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    render, _ = renderer(monkeypatch, SourceOverLimit())
    with pytest.raises(SourceOverLimit):
        render(b"original", Transform(format=JSON), fallback=None)
