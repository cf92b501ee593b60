"""Frames of an animation, one after the other: each is a complete canvas in memory, and few are held at once."""

import contextlib
from collections.abc import Iterator, Sequence

import pyvips

from thumbs.errors import SourceBroken
from thumbs.render import libvips
from thumbs.render.codecs.orientation import upright
from thumbs.render.color.profiles import with_profile, without_profile
from thumbs.render.containers.gif import Disposal, Frame, Gif, Unreadable
from thumbs.render.header import Animation, Header

# Of the frames that libvips decodes together: it writes pictures of more than 100 MiB to a file where it may.
_STRIP_PIXELS = 24_000_000
_COLORS = 3  # the bands of an opaque frame
# Milliseconds. Browsers show a frame with a delay of up to a hundredth of a second for a tenth, in every format.
_SHOWN_AS_DEFAULT, _SHORTEST_GIF_DELAY, _LONGEST_GIF_DELAY = 10, 20, 655_350


def pages(data: bytes, header: Header, count: int, deadline: libvips.Deadline) -> Iterator[pyvips.Image]:
    """The first `count` frames of a GIF or an animated WebP, in memory and upright. A GIF has alpha only if needed.

    Raises `SourceBroken` for a frame that cannot be decoded or whose pixels are not all there, and `RenderTimeout` at
    the deadline.
    """
    if header.gif is not None:
        return _composed(data, header, header.gif, count, deadline)
    return _strips(data, header, count, deadline)


def join_frames(frames: Sequence[pyvips.Image], animation: Animation, output: str) -> pyvips.Image:
    """One image of all `frames`, which have one size, with the delays and the loop count of the source.

    libvips saves the frames of an animation one below the other. The delays are such as the format `output` can have.
    """
    if any(frame.hasalpha() for frame in frames):
        frames = [frame if frame.hasalpha() else frame.addalpha() for frame in frames]
    image = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    image.set_type(pyvips.GValue.gint_type, "loop", animation.loop)
    if len(animation.delays) >= len(frames):
        delays = animation.delays[: len(frames)]
        delays = tuple(map(_gif_delay, delays)) if output == "gif" else delays
        image.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    return image


def _gif_delay(milliseconds: int) -> int:
    """One that libvips writes as it should be shown: it rounds to hundredths of a second, and keeps 16 bits of them."""
    if _SHOWN_AS_DEFAULT < milliseconds < _SHORTEST_GIF_DELAY:
        return _SHORTEST_GIF_DELAY
    return min(milliseconds, _LONGEST_GIF_DELAY)


def _strips(data: bytes, header: Header, count: int, deadline: libvips.Deadline) -> Iterator[pyvips.Image]:
    """The frames of a WebP as libvips composes them, a few of them at a time.

    libvips holds all frames that it is asked for, and decodes those before them once more.
    """
    most = max(1, _STRIP_PIXELS // (header.size[0] * header.size[1]))
    for start in range(0, count, most):
        number = min(most, count - start)
        try:
            options = {"fail_on": header.fail_on, "page": start, "n": number}
            image = pyvips.Image.new_from_buffer(data, "", access="sequential", **options)
            image = without_profile(image) if header.profile is None else with_profile(image, header.profile)
        except libvips.VIPS_ERRORS as error:
            raise SourceBroken from error
        height = image.height // number
        for row in range(number):
            frame = _in_memory(image.extract_area(0, row * height, image.width, height), deadline)
            yield upright(frame, header.orientation)


def _composed(data: bytes, header: Header, gif: Gif, count: int, deadline: libvips.Deadline) -> Iterator[pyvips.Image]:
    """The frames as browsers compose them. libvips decodes each frame alone, and draws none over another."""
    canvas, opaque = None, False  # None: all of it is transparent
    if count == 1 and (plain := _plain_still(data, gif, deadline, fail_on=header.fail_on)) is not None:
        yield plain
        return
    for number in range(count):
        try:
            frame = gif.frame(data, number)
            shown = _drawn_as_far_as_wanted(canvas, gif.size, frame, deadline, fail_on=header.fail_on)
        except (Unreadable, *libvips.VIPS_ERRORS) as error:
            raise SourceBroken from error
        opaque = opaque or _is_opaque(shown, frame, alone=canvas is None)
        yield shown.extract_band(0, n=3) if opaque else shown
        if frame.disposal is Disposal.CLEAR:
            canvas, opaque = _cleared(shown, frame, deadline), False
        elif frame.disposal is Disposal.KEEP:
            canvas = shown
        else:
            opaque = False


def _plain_still(data: bytes, gif: Gif, deadline: libvips.Deadline, *, fail_on: str) -> pyvips.Image | None:
    """The first frame in memory, without alpha, if it is opaque; None where it is not, or may lack pixels.

    It takes less time so. A last pixel that is black may be missing.
    """
    try:
        frame = gif.frame(data, 0)
        if frame.transparent is not None or frame.cut or (frame.left, frame.top, frame.size) != (0, 0, gif.size):
            return None
        page = pyvips.Image.new_from_buffer(frame.alone(), "", access="sequential", fail_on=fail_on)
        if (page.width, page.height, page.bands) != (*gif.size, _COLORS):
            return None
        shown = _in_memory(page, deadline)
    except (SourceBroken, Unreadable, *libvips.VIPS_ERRORS):
        return None  # and it fails again
    return shown if any(shown(shown.width - 1, frame.last_row(shown.height))) else None


def _drawn_as_far_as_wanted(
    canvas: pyvips.Image | None, size: tuple[int, int], frame: Frame, deadline: libvips.Deadline, *, fail_on: str
) -> pyvips.Image:
    """As `_drawn`; where `fail_on` allows it, of a frame with a damaged code what stands before that."""
    try:
        return _drawn(canvas, size, frame, deadline, fail_on=fail_on)
    except (SourceBroken, *libvips.VIPS_ERRORS):
        if fail_on != "none":
            raise
    return _drawn(canvas, size, frame.rewritten(), deadline, fail_on=fail_on)


def _drawn(
    canvas: pyvips.Image | None, size: tuple[int, int], frame: Frame, deadline: libvips.Deadline, *, fail_on: str
) -> pyvips.Image:
    """`frame` on `canvas`, in memory: a pixel that is transparent or missing shows what is below it."""
    visible = frame.visible(size)
    if min(visible) <= 0:
        return _in_memory(_transparent(size), deadline) if canvas is None else canvas
    part = frame.coded(visible)
    if frame.cut and fail_on != "none":
        _check_complete(frame, part, deadline)
    pixels = _page(frame.file(part), fail_on)
    if frame.transparent is None and not frame.cut:
        pixels = _with_last_code(pixels, frame, part, deadline)
    pixels = pixels.extract_area(0, 0, *visible)
    if canvas is None:
        whole = pixels if visible == size else pixels.embed(frame.left, frame.top, *size)
        return _in_memory(whole, deadline)
    below = canvas if visible == size else canvas.extract_area(frame.left, frame.top, *visible)
    both = pixels.extract_band(3).ifthenelse(pixels, below)
    return _in_memory(both if visible == size else canvas.insert(both, frame.left, frame.top), deadline)


def _with_last_code(
    pixels: pyvips.Image, frame: Frame, part: tuple[int, int], deadline: libvips.Deadline
) -> pyvips.Image:
    """The first `part` of an opaque frame, in memory; where its last pixel is missing, with that of its last code."""
    pixels = _in_memory(pixels, deadline)
    if pixels(part[0] - 1, frame.last_row(part[1]))[3] == 0:
        with contextlib.suppress(Unreadable, SourceBroken):
            return _in_memory(_page(frame.rewritten().file(part), "none"), deadline)
    return pixels


def _is_opaque(shown: pyvips.Image, frame: Frame, *, alone: bool) -> bool:
    """Whether no pixel of a canvas is transparent; `alone`: nothing was below the frame on it.

    A frame that could cover the canvas does, unless its data lack pixels: then they lack the last one.
    """
    width, height = shown.width, shown.height
    if alone and frame.transparent is None and frame.size == frame.visible((width, height)) == (width, height):
        return bool(shown(width - 1, frame.last_row(height))[3] == 255)
    return bool(shown.extract_band(3).min() == 255)


def _check_complete(frame: Frame, part: tuple[int, int], deadline: libvips.Deadline) -> None:
    """Raise `SourceBroken` for a frame at the end of a cut file that lacks pixels: the last one of its data.

    Only the end of the blocks may be missing, as is the trailer of many files.
    """
    pixels = _in_memory(_page(frame.file(part, opaque=True), "error"), deadline)
    if pixels(part[0] - 1, frame.last_row(part[1]))[3] < 255:
        raise SourceBroken


def _cleared(shown: pyvips.Image, frame: Frame, deadline: libvips.Deadline) -> pyvips.Image | None:
    visible = frame.visible((shown.width, shown.height))
    if visible == (shown.width, shown.height):
        return None
    if min(visible) <= 0:
        return shown
    return _in_memory(shown.insert(_transparent(visible), frame.left, frame.top), deadline)


def _transparent(size: tuple[int, int]) -> pyvips.Image:
    return pyvips.Image.black(*size, bands=4).copy(interpretation="srgb")


def _page(file: bytes, fail_on: str) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(file, "", access="sequential", fail_on=fail_on, page=1)


def _in_memory(image: pyvips.Image, deadline: libvips.Deadline) -> pyvips.Image:
    with deadline.watch(image, SourceBroken):
        return image.copy_memory()
