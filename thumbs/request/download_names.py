"""Download names for keys that need one: without it, the end of such a key would be read as a download name."""

from dataclasses import replace

from thumbs.errors import BadPath
from thumbs.image.outputs import output_of_name, usual_extension
from thumbs.image.transforms import ORIGINAL
from thumbs.request.grammar import MAX_SEGMENT_BYTES, Target, looks_named
from thumbs.request.resolve import keeps_one_frame


def named_again(target: Target, output: str) -> Target:
    """`target`, with the end of its key as its download name where a URL needs one, else as it is.

    `output` is the format of the thumbnail, which such a name decides. Raises `BadPath` where a name is needed for the
    stored original, which has none.
    """
    if target.name is not None or not looks_named(target.path):
        return target
    if output == ORIGINAL:
        raise BadPath
    # No name has the extension of every format, and one of a format without animation is refused with frames.
    frames = 1 if keeps_one_frame(output) else target.transform.frames
    transform = replace(target.transform, format=output, frames=frames)
    return replace(target, transform=transform, name=_end_of(target.path, output))


def _end_of(key: str, output: str) -> str:
    """The last segment of `key`, with the extension of the thumbnail."""
    last = key.rpartition("/")[2]
    if output_of_name(last) == output and not last.startswith("."):
        return last
    extension = usual_extension(output)
    name = f"{last.rpartition('.')[0] or last}.{extension}"
    too_long = len(name.encode()) > MAX_SEGMENT_BYTES
    return f"thumbnail.{extension}" if too_long or name.startswith(".") else name
