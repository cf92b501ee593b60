"""The table of filters: how each is read from a URL and written into one, one row each.

A filter that is not in the table does not exist. `render.steps` has the table of what they do to pixels.
"""

import re

from thumbs.errors import BadFilter
from thumbs.image import colors
from thumbs.image.limits import MAX_SIDE
from thumbs.image.transforms import MAX_SHARPEN_SIGMA, MAX_SIGMA, MIN_SIGMA, Transform
from thumbs.request import filter_codecs, parameters
from thumbs.request.filter_codecs import Fields
from thumbs.request.filter_kinds import Filter, amount, choice, sigma, switch
from thumbs.request.parameters import DEFAULT_SHARPEN
from thumbs.request.scalars import TOKEN, decimal, decimal_text, matched, whole

_FROM = f"a sigma from {MIN_SIGMA:g} to"
FILTER = re.compile(r"([a-z_]{1,32})(?:\(([^()/]*)\))?")

_ROWS = (
    Filter(
        "format",
        "jpeg, jpg, png, webp, avif, jxl, gif, auto, json or original",
        filter_codecs.read_format,
        lambda transform: transform.format,
        short="fmt",
        parameters=parameters.FORMAT,
    ),
    Filter(
        "quality",
        "a whole number from 1 to 100",
        lambda text: {"quality": whole(text)},
        lambda transform: None if transform.quality is None else str(transform.quality),
        short="q",
        parameters=(parameters.number(75, 1, 100),),
    ),
    Filter(
        "fit",
        "cover, contain, fill, stretch, outside, auto, or fill and a color: fill,ffcc00",
        filter_codecs.read_fit,
        filter_codecs.write_fit,
        parameters=parameters.FIT,
    ),
    Filter(
        "crop",
        "four whole numbers of pixels inside the upright source: left,top,right,bottom, and perhaps clamp; or width, "
        "height and a direction, and perhaps its offsets: 400,300,northwest,10,20",
        filter_codecs.read_crop,
        lambda transform: filter_codecs.write_crop(transform, percent=False),
        short="c",
        parameters=parameters.CROP,
    ),
    Filter(
        "pcrop",
        "four numbers of percent, 0 to 100: left,top,right,bottom",
        filter_codecs.read_pcrop,
        lambda transform: filter_codecs.write_crop(transform, percent=True),
        short="pc",
        parameters=(parameters.box("%", 100, step=0.1),),
    ),
    Filter(
        "gravity",
        "center, a compass direction such as northeast, smart, entropy, or a focal point such as 0.31,0.62; also "
        "offsets behind a direction, as in east,50,0, and a point in pixels of the source: 310px,620px",
        filter_codecs.read_gravity,
        filter_codecs.write_gravity,
        short="g",
        parameters=parameters.GRAVITY,
    ),
    Filter(
        "upscale",
        "yes, no or ratio",
        filter_codecs.read_upscale,
        filter_codecs.write_upscale,
        short="up",
        parameters=parameters.UPSCALE,
    ),
    choice("linear"),
    Filter(
        "dpr",
        "a number from 1 to 4",
        lambda text: {"dpr": decimal(text)},
        lambda transform: None if transform.dpr == 1 else decimal_text(transform.dpr),
        parameters=(parameters.number(2, 1, 4, step=0.5),),
    ),
    Filter(
        "trim",
        "a tolerance from 0 to 255, and perhaps a color: trim(10,ffffff)",
        filter_codecs.read_trim,
        filter_codecs.write_trim,
        parameters=parameters.TRIM,
    ),
    Filter(
        "rotate",
        "90, 180 or 270",
        filter_codecs.read_rotate,
        lambda transform: str(transform.rotate) if transform.rotate else None,
        short="r",
        parameters=(parameters.choice(("90", "180", "270")),),
    ),
    switch("flip"),
    switch("flop"),
    sigma("blur", f"{_FROM} {MAX_SIGMA:g}", parameters.BLUR),
    sigma("sharpen", f"{_FROM} {MAX_SHARPEN_SIGMA:g}, or nothing", parameters.SHARPEN, default=DEFAULT_SHARPEN),
    switch("grayscale", short="gray"),
    amount("brightness"),
    amount("contrast"),
    amount("saturation"),
    Filter(
        "padding",
        f"one to four whole numbers of pixels up to {MAX_SIDE}, as in CSS: top,right,bottom,left",
        filter_codecs.read_padding,
        filter_codecs.write_padding,
        short="pad",
        parameters=parameters.PADDING,
    ),
    Filter(
        "background",
        "a CSS color name, hex digits such as ffcc00, or transparent",
        lambda text: {"background": colors.parse(text)},
        lambda transform: None if transform.background is None else colors.build(transform.background),
        short="bg",
        parameters=(parameters.color(),),
    ),
    Filter(
        "watermark",
        "the name of a watermark of this server, and perhaps a place, an opacity from 0 to 100, a scale from 0 to 1, "
        "and two offsets in pixels: watermark(logo,southeast,50,0.25,10,10)",
        filter_codecs.read_watermark,
        filter_codecs.write_watermark,
        short="wm",
        parameters=parameters.WATERMARK,
    ),
    Filter(
        "frames",
        "first, all, or a number of frames from 1",
        filter_codecs.read_frames,
        filter_codecs.write_frames,
        parameters=(parameters.number_or(("first", "all"), least=1),),
    ),
    Filter(
        "max_bytes",
        "a whole number of bytes from 1",
        lambda text: {"max_bytes": whole(text)},
        lambda transform: None if transform.max_bytes is None else str(transform.max_bytes),
        short="mb",
        parameters=(parameters.number(20_000, 1, unit="bytes"),),
    ),
    Filter(
        "data",
        "thumbhash, color or both, and goes with format(json)",
        filter_codecs.read_data,
        lambda transform: ",".join(transform.data) or None,
        parameters=parameters.DATA_ABOUT,
    ),
    Filter(
        "version",
        "1 to 64 letters, digits, dots, underscores, tildes or hyphens",
        lambda text: {"version": matched(TOKEN, text)},
        lambda transform: transform.version,
        short="v",
    ),
    Filter(
        "align",
        "the place of the picture on the canvas of fit(fill): center, a compass direction such as northeast, one with "
        "offsets such as east,50,0, or a point such as 0.31,0.62",
        filter_codecs.read_align,
        filter_codecs.write_align,
        parameters=parameters.ALIGN,
    ),
    switch("swap"),
    switch("keep"),
    # Neither is a field of a transform: `grammar` replaces a preset by its filters, and `build_filters` gets the time
    # as an argument.
    Filter(
        "preset",
        "the name of a preset of this server",
        filter_codecs.read_preset,
        lambda _: None,
        short="p",
        parameters=(parameters.name_of("presets"),),
    ),
    Filter(
        "expires",
        "a time in Unix seconds",
        filter_codecs.read_expires,
        lambda _: None,
        short="exp",
        parameters=(parameters.number(2_000_000_000, 1, unit="Unix seconds"),),
    ),
)
FILTERS: dict[str, Filter] = {row.name: row for row in _ROWS}
BY_NAME: dict[str, Filter] = FILTERS | {row.short: row for row in _ROWS if row.short}

NOT_IN_TRANSFORM = ("preset", "expires")  # fields that filters set besides those of a transform

_UNKNOWN_FILTER = f"Unknown filter. The filters are {', '.join(FILTERS)}."
_REPEATED_FILTER = "A filter may stand only once in a URL."
_BOTH_CROPS = "crop and pcrop do not go together, and each may stand only once."


def find(name: str) -> Filter | None:
    """The filter of this name or short name."""
    return BY_NAME.get(name)


def parse_filters(text: str) -> Fields:
    """The fields that `name(arguments);name(arguments)…` sets. Raises `BadFilter`."""
    fields: Fields = {}
    for spelled in text.split(";"):
        match = FILTER.fullmatch(spelled)
        if match is None:
            raise BadFilter
        row = BY_NAME.get(match[1])
        if row is None:
            raise BadFilter(_UNKNOWN_FILTER)
        changes = read_arguments(row, match[2] or "")
        if not changes.keys().isdisjoint(fields):
            raise BadFilter(_BOTH_CROPS if "crop" in changes else _REPEATED_FILTER)
        fields |= changes
    return fields


def build_filters(transform: Transform, *, expires: int | None = None) -> str:
    """The canonical filters of `transform`, in the order of the table; empty when every field has its default.

    `expires` is Unix seconds.
    """
    written = [(row.name, row.write(transform)) for row in _ROWS]
    if expires is not None:
        written.append(("expires", str(expires)))
    return ";".join(
        f"{name}({arguments})" if arguments else name for name, arguments in written if arguments is not None
    )


def read_arguments(row: Filter, arguments: str) -> Fields:
    """The fields that a filter sets with `arguments`, the text in its parentheses. Raises `BadFilter`."""
    try:
        changes = row.read(arguments)
        # Transform checks its fields: a value that it refuses is a bad argument of this filter.
        Transform(**{name: value for name, value in changes.items() if name not in NOT_IN_TRANSFORM})  # type: ignore[arg-type]
    except (ValueError, KeyError):
        raise BadFilter(f"{row.name} takes {row.takes}.") from None
    return changes
