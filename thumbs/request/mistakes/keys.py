"""Finds the mistakes of the path of an original and of a download name: which segment or character, and why."""

import re
from collections.abc import Iterator

from thumbs.image.formats import BY_EXTENSION, OUTPUT_NAMES, default_output
from thumbs.image.outputs import JSON, output_of_name
from thumbs.problems import closest
from thumbs.request.grammar import BAD_NAME, CONTROL, MAX_PATH_BYTES, MAX_SEGMENT_BYTES
from thumbs.request.mistakes.located import NOT_UTF_8, Mistake, Span

OUTPUT_EXTENSIONS = (*(extension for extension, name in BY_EXTENSION.items() if name in OUTPUT_NAMES), JSON)
_CONTROLS = re.compile(f"(?:{CONTROL.pattern})+")
_BACKSLASH = re.compile(r"\\")
_CHARACTERS = (
    (NOT_UTF_8, "These bytes are not UTF-8.", ""),
    (_CONTROLS, "A path has no control characters.", ""),
    (_BACKSLASH, "A path has no backslashes: segments are separated by slashes.", "/"),
)


def key_mistakes(key: Span, *, max_segment_bytes: int = MAX_SEGMENT_BYTES) -> Iterator[Mistake]:
    """The mistakes of `key`, the path of an original in its storage, whose segments may have that many bytes."""
    if not key.text:
        yield key.mistake("The path of the original is missing here: its key in the storage, such as cats/tom.jpg.")
        return
    if _length(key.text) > MAX_PATH_BYTES:
        yield key.mistake(f"The path has {_length(key.text):,} bytes, and {MAX_PATH_BYTES:,} are the most.")
    for segment in key.split("/"):
        if segment.text:
            yield from _segment_mistakes(segment, max_segment_bytes)
            continue
        slash = segment.offset - key.offset - (1 if segment.offset > key.offset else 0)
        yield key.at(slash, slash + 1).mistake("A segment of the path is empty: this slash is one too many.")


def name_mistakes(name: Span, *, file_name: str, output: str | None) -> Iterator[Mistake]:
    """The mistakes of a download name on its own. `output` is the format that filters set, None or `auto` without one.

    `file_name` is the path of the original without the query of a URL, for the nearest right extension.
    """
    extension = extension_of(name)
    if not name.text:
        yield name.mistake(f"The download name is missing here. {BAD_NAME}", f"tom.{_extension_for(file_name, output)}")
        return
    yield from _segment_mistakes(name, MAX_SEGMENT_BYTES)
    if name.text.startswith(".") and name.text not in (".", ".."):
        yield name.at(0, 1).mistake("A download name does not begin with a dot.")
    if output_of_name(name.text) is not None:
        return
    sentence = BAD_NAME
    if extension is None:
        # A key that itself ends in /as/{name} is the other way to get here.
        sentence += " A path that itself ends in /as/{name} needs a second one."
        yield name.mistake(
            sentence, f"{name.text.rstrip('.')}.{_extension_for(file_name, output)}" if name.text.strip(".") else ""
        )
    else:
        yield extension.mistake(sentence, closest(extension.text.lower(), OUTPUT_EXTENSIONS))


def extension_of(name: Span) -> Span | None:
    """The last extension of a download name, without its dot; None for a name that has none."""
    _, dot, extension = name.text.rpartition(".")
    return name.at(len(name.text) - len(extension)) if dot and extension else None


def _extension_for(file_name: str, output: str | None) -> str:
    named = output if output in (*OUTPUT_NAMES, JSON) else default_output(file_name)
    return "jpg" if named == "jpeg" else named


def _segment_mistakes(segment: Span, most: int) -> Iterator[Mistake]:
    if segment.text in (".", ".."):
        yield segment.mistake(f"A path has no segment {segment.text!r}: it is a key, not a way through directories.")
    if most and _length(segment.text) > most:
        sentence = f"This segment has {_length(segment.text):,} bytes, and {most} are the most."
        yield segment.mistake(sentence)
    for pattern, sentence, near in _CHARACTERS:
        for match in pattern.finditer(segment.text):
            yield segment.at(*match.span()).mistake(sentence, near)


def _length(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
