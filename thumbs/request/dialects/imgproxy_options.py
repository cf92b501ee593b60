"""The options of imgproxy: one reader each, by every name. A reader raises ValueError or KeyError for wrong arguments.

Of an option that stands twice, the last one counts. A preset expands where it stands.
"""

from collections.abc import Mapping, Sequence

from thumbs.errors import BadFilter
from thumbs.request.dialects import imgproxy_files as files
from thumbs.request.dialects import imgproxy_geometry as geometry
from thumbs.request.dialects.dialect import wrong
from thumbs.request.dialects.imgproxy_values import Options, Reader

_MAX_PRESETS = 32  # that a URL and its presets may name
_UNKNOWN = "There is no imgproxy option of this name, or it is one of the paid edition."


def apply(options: Options, segment: str, presets: Mapping[str, str]) -> None:
    """Apply `name:argument:…`. Raises `BadFilter` for one that imgproxy or this server refuses."""
    name, *arguments = segment.split(":")
    if name in ("preset", "pr"):
        apply_presets(options, arguments, presets)
        return
    row = READERS.get(name)
    if row is None:
        raise BadFilter(_UNKNOWN)
    long_name, most, read = row
    if most is not None and len(arguments) > most:
        wrong(long_name)
    try:
        read(options, arguments)
    except (ValueError, KeyError, IndexError):
        wrong(long_name)


def apply_presets(options: Options, names: Sequence[str], presets: Mapping[str, str]) -> None:
    """Apply the options of the presets `names`, one after the other. Raises as `apply` does."""
    for name in names:
        spelled = presets.get(name)
        options.presets += 1
        if spelled is None or options.presets > _MAX_PRESETS:
            raise BadFilter("There is no imgproxy preset of this name.")
        for segment in spelled.split("/"):
            apply(options, segment, presets)


# Names, the long one first; the most arguments; the reader.
_ROWS: tuple[tuple[tuple[str, ...], int | None, Reader], ...] = (
    (("resize", "rs"), 8, geometry.read_resize),
    (("size", "s"), 7, geometry.read_size),
    (("resizing_type", "rt"), 1, geometry.read_resizing_type),
    (("width", "w"), 1, geometry.read_width),
    (("height", "h"), 1, geometry.read_height),
    (("min-width", "mw"), 1, geometry.read_minimum),
    (("min-height", "mh"), 1, geometry.read_minimum),
    (("zoom", "z"), 2, geometry.read_zoom),
    (("dpr",), 1, geometry.read_dpr),
    (("enlarge", "el"), 1, geometry.read_enlarge),
    (("extend", "ex"), 4, geometry.read_extend),
    (("extend_aspect_ratio", "extend_ar", "exar"), 4, geometry.read_extend_aspect_ratio),
    (("gravity", "g"), 3, geometry.read_gravity_of),
    (("crop", "c"), 5, geometry.read_crop),
    (("trim", "t"), 4, geometry.read_trim),
    (("padding", "pd"), 4, geometry.read_padding),
    (("auto_rotate", "ar"), 1, geometry.read_auto_rotate),
    (("rotate", "rot"), 1, geometry.read_rotate),
    (("flip", "fl"), 2, geometry.read_flip),
    (("background", "bg"), 3, files.read_background),
    (("blur", "bl"), 1, files.read_blur),
    (("sharpen", "sh"), 1, files.read_sharpen),
    (("pixelate", "pix"), 1, files.read_pixelate),
    (("watermark", "wm"), 5, files.read_watermark),
    (("quality", "q"), 1, files.read_quality),
    (("format_quality", "fq"), None, files.read_format_quality),
    (("max_bytes", "mb"), 1, files.read_max_bytes),
    (("format", "f", "ext"), 1, files.read_format),
    (("skip_processing", "skp"), None, files.read_skip_processing),
    (("raw",), 1, files.read_raw),
    (("cachebuster", "cb"), None, files.read_cachebuster),
    (("expires", "exp"), 1, files.read_expires),
    (("filename", "fn"), 2, files.read_filename),
    (("return_attachment", "att"), 1, files.read_attachment),
    (("strip_metadata", "sm"), 1, files.read_without_effect),
    (("keep_copyright", "kcr"), 1, files.read_without_effect),
    (("strip_color_profile", "scp"), 1, files.read_without_effect),
    (("enforce_thumbnail", "eth"), 1, files.read_without_effect),
    (("preserve_hdr", "ph"), 1, files.read_without_effect),
    (("max_src_resolution", "msr"), 1, files.read_of_operators),
    (("max_src_file_size", "msfs"), 1, files.read_of_operators),
    (("max_animation_frames", "maf"), 1, files.read_of_operators),
    (("max_animation_frame_resolution", "mafr"), 1, files.read_of_operators),
    (("max_result_dimension", "mrd"), 1, files.read_of_operators),
)
READERS = {name: (names[0], most, read) for names, most, read in _ROWS for name in names}
