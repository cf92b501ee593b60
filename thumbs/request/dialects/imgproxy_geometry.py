"""Readers of imgproxy's options of size, cut and turn. Each raises ValueError or the like for wrong arguments."""

from thumbs.image.transforms import Attention, Focus, Gravity, Trim
from thumbs.request.dialects.dialect import unsupported
from thumbs.request.dialects.imgproxy_values import COMPASS, RESIZING, Arguments, Options
from thumbs.request.dialects.scalars import flag, hex_color, number, positive, whole
from thumbs.request.dialects.turning import anchored


def read_resize(options: Options, arguments: Arguments) -> None:
    if arguments[0]:
        read_resizing_type(options, arguments[:1])
    read_size(options, arguments[1:])


def read_size(options: Options, arguments: Arguments) -> None:
    width, height, enlarge, *extend = (*arguments, *[""] * (3 - len(arguments)))
    if width:
        options.width = whole(width)
    if height:
        options.height = whole(height)
    if enlarge:
        options.enlarge = flag(enlarge)
    if extend and extend[0]:
        read_extend(options, extend)


def read_resizing_type(options: Options, arguments: Arguments) -> None:
    options.resizing = {name: name for name in RESIZING}[arguments[0]]


def read_width(options: Options, arguments: Arguments) -> None:
    options.width = whole(arguments[0])


def read_height(options: Options, arguments: Arguments) -> None:
    options.height = whole(arguments[0])


def read_minimum(_: Options, arguments: Arguments) -> None:
    if whole(arguments[0]):
        unsupported("min-width and min-height")


def read_zoom(options: Options, arguments: Arguments) -> None:
    first = _above_zero(arguments[0])
    options.zoom = first, _above_zero(arguments[1]) if len(arguments) > 1 else first


def read_dpr(options: Options, arguments: Arguments) -> None:
    options.dpr = _above_zero(arguments[0])


def read_enlarge(options: Options, arguments: Arguments) -> None:
    options.enlarge = flag(arguments[0])


def read_extend(options: Options, arguments: Arguments) -> None:
    options.extend = flag(arguments[0])
    if len(arguments) > 1 and arguments[1]:
        options.align = _gravity(arguments[1:], attention=False)


def read_extend_aspect_ratio(_: Options, arguments: Arguments) -> None:
    if len(arguments) > 1 and arguments[1]:
        _gravity(arguments[1:], attention=False)
    if flag(arguments[0]):
        unsupported("extend_aspect_ratio")


def read_gravity_of(options: Options, arguments: Arguments) -> None:
    options.gravity = _gravity(arguments)


def read_crop(options: Options, arguments: Arguments) -> None:
    options.crop = positive(arguments[0]), positive(arguments[1]) if len(arguments) > 1 else 0
    if len(arguments) > 2 and arguments[2]:
        options.crop_gravity = _gravity(arguments[2:])


def _gravity(arguments: Arguments, *, attention: bool = True) -> Gravity:
    name, *numbers = arguments
    if name == "sm" and attention and not numbers:
        return Attention.SMART
    if name == "fp":
        x, y = map(positive, numbers)
        return Focus(x, y)
    if len(numbers) > 2:
        raise ValueError("two offsets at most")
    x, y, *_ = (*(number(each) if each else 0 for each in numbers), 0, 0)
    return anchored(COMPASS[name], _offset(x), _offset(y))


def _offset(value: float) -> float:
    return value if abs(value) < 1 else int(value)


def _above_zero(text: str) -> float:
    value = number(text)
    if value <= 0:
        raise ValueError("not above 0")
    return value


def read_trim(options: Options, arguments: Arguments) -> None:
    threshold, hex_digits, *equal = (*arguments, "")
    if not threshold:
        options.trim = None
        return
    color = hex_color(hex_digits) if hex_digits else None
    options.trim = Trim(min(int(positive(threshold)), 255), color)
    if any(map(flag, equal)):
        unsupported("trim with equal sides")


def read_padding(options: Options, arguments: Arguments) -> None:
    sides = list(options.padding)
    for number_of, text in enumerate(arguments):
        if text:
            value = whole(text)
            for side in ((0, 1, 2, 3), (1, 3), (2,), (3,))[number_of]:  # as in CSS
                sides[side] = value
    options.padding = sides[0], sides[1], sides[2], sides[3]


def read_auto_rotate(_: Options, arguments: Arguments) -> None:
    if not flag(arguments[0]):
        unsupported("auto_rotate:0")


def read_rotate(options: Options, arguments: Arguments) -> None:
    angle = whole(arguments[0])
    if angle % 90:
        raise ValueError("not a multiple of 90")
    options.rotate = angle % 360


def read_flip(options: Options, arguments: Arguments) -> None:
    options.flop = flag(arguments[0])
    options.flip = len(arguments) > 1 and flag(arguments[1])
