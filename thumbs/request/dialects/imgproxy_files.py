"""Readers of imgproxy's options of effects, files and caches; wrong arguments raise ValueError or the like."""

import base64
from urllib.parse import unquote

from thumbs.errors import BadFilter
from thumbs.image.transforms import Color, Compass
from thumbs.request.dialects.dialect import unsupported
from thumbs.request.dialects.imgproxy_values import COMPASS, FORMATS, OTHER_FORMATS, Arguments, Mark, Options
from thumbs.request.dialects.scalars import flag, hex_color, number, positive, whole


def read_background(options: Options, arguments: Arguments) -> None:
    if len(arguments) == 3:
        options.background = Color(*map(whole, arguments))
    elif len(arguments) == 1:
        options.background = hex_color(arguments[0]) if arguments[0] else None
    else:
        raise ValueError("hex digits, or three numbers")


def read_blur(options: Options, arguments: Arguments) -> None:
    options.blur = positive(arguments[0])


def read_sharpen(options: Options, arguments: Arguments) -> None:
    options.sharpen = positive(arguments[0])


def read_pixelate(_: Options, arguments: Arguments) -> None:
    if whole(arguments[0]) > 1:
        unsupported("pixelate")


def read_watermark(options: Options, arguments: Arguments) -> None:
    opacity, position, x, y, scale, *_ = (*arguments, *[""] * 5)
    share = number(opacity)
    if not 0 <= share <= 1:
        raise ValueError("an opacity is 0-1")
    if position == "re":
        unsupported("watermark:…:re")
    compass = COMPASS[position] if position else Compass.CENTER
    offsets = [number(each) if each else 0 for each in (x, y)]
    if any(0 < abs(each) < 1 for each in offsets):
        unsupported("a watermark with an offset below 1")
    size = positive(scale) if scale else 0
    if size > 1:
        unsupported("a watermark with a scale above 1")
    options.mark = Mark(round(share * 100), compass, int(offsets[0]), int(offsets[1]), size) if share else None


def read_quality(options: Options, arguments: Arguments) -> None:
    options.quality = _percent(arguments[0])


def read_format_quality(options: Options, arguments: Arguments) -> None:
    if len(arguments) % 2:
        raise ValueError("pairs of format and quality")
    for name, text in zip(arguments[::2], arguments[1::2], strict=True):
        options.qualities[FORMATS.get(name) or {each: each for each in OTHER_FORMATS}[name]] = _percent(text)


def _percent(text: str) -> int:
    value = whole(text)
    if value > 100:
        raise ValueError("a quality is 0-100")
    return value


def read_max_bytes(options: Options, arguments: Arguments) -> None:
    options.max_bytes = whole(arguments[0])


def read_format(options: Options, arguments: Arguments) -> None:
    if arguments[0] in OTHER_FORMATS:
        unsupported("formats other than jpg, png, webp, avif and gif")
    options.format = FORMATS[arguments[0]]


def read_skip_processing(options: Options, arguments: Arguments) -> None:
    options.skipped = tuple(FORMATS.get(name) or {each: each for each in OTHER_FORMATS}[name] for name in arguments)


def read_raw(options: Options, arguments: Arguments) -> None:
    options.raw = flag(arguments[0])


def read_cachebuster(options: Options, arguments: Arguments) -> None:
    options.cachebuster = ":".join(arguments)


def read_expires(options: Options, arguments: Arguments) -> None:
    options.expires = whole(arguments[0])


def read_filename(options: Options, arguments: Arguments) -> None:
    name = unquote(arguments[0], errors="strict")
    if len(arguments) > 1 and flag(arguments[1]):
        encoded = name.rstrip("=")
        name = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    options.filename = name


def read_attachment(options: Options, arguments: Arguments) -> None:
    options.attachment = flag(arguments[0])
    if options.attachment:
        options.ignored.add("return_attachment")


def read_without_effect(_: Options, __: Arguments) -> None:
    """Of files: metadata and profiles are never kept, but for `encoding.keep_copyright`."""


def read_of_operators(_: Options, __: Arguments) -> None:
    raise BadFilter("Limits are set by this server, not by a URL.")
