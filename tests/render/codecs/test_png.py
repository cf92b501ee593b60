"""The text chunks of a PNG are left out, whatever lies between them; all other bytes stay."""

import zlib

import pytest

from thumbs.errors import SourceOverLimit
from thumbs.render.codecs import png
from thumbs.render.codecs.png import PNG, with_usable_chunks


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


HEAD, PIXELS, END = chunk(b"IHDR", b"head"), chunk(b"IDAT", b"pixels" * 50), chunk(b"IEND")
TEXTS = [chunk(b"tEXt", b"a"), chunk(b"zTXt", b"b" * 300), chunk(b"iTXt")]


def test_a_file_with_usable_chunks_is_the_same_object() -> None:
    data = PNG + HEAD + PIXELS + END
    assert with_usable_chunks(data) is data


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_left_out_in_every_place(text: bytes) -> None:
    data = PNG + text + HEAD + text + text + PIXELS + text + END
    assert with_usable_chunks(data) == PNG + HEAD + PIXELS + END


def test_what_follows_the_end_stays() -> None:
    tail = TEXTS[0] + b"tail"
    assert with_usable_chunks(PNG + TEXTS[1] + END + tail) == PNG + END + tail


@pytest.mark.parametrize("rest", [b"", b"\0\0\0\x09IDA", b"\0\0\0\x09"])
def test_a_file_that_ends_early_ends_there(rest: bytes) -> None:
    assert with_usable_chunks(PNG + HEAD + TEXTS[0] + rest) == PNG + HEAD + rest


def test_a_text_that_ends_early_is_left_out() -> None:
    assert with_usable_chunks(PNG + HEAD + TEXTS[1][:20]) == PNG + HEAD


def test_too_many_chunks_are_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MAX_PNG_CHUNKS", 4)
    data = PNG + HEAD + PIXELS + PIXELS + END
    assert with_usable_chunks(data) is data
    with pytest.raises(SourceOverLimit):
        with_usable_chunks(PNG + HEAD + PIXELS * 3 + END)
