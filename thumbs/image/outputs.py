"""What a URL can ask for: the picture formats that are written, and data about the original.

Data are no row of the table of formats, because no decoder or encoder belongs to them.
"""

from thumbs.image.formats import FORMATS, OUTPUT_NAMES, format_of_extension

# The argument of `format()` for data, its media type and the extension of its files. `image.description` has the data.
JSON, JSON_TYPE = "json", "application/json"
# The arguments of `data()`, in the order in which they are written.
THUMBHASH, COLOR = DATA = ("thumbhash", "color")


def content_type_of(output: str) -> str:
    """The media type of an output."""
    return JSON_TYPE if output == JSON else FORMATS[output].content_type


def usual_extension(output: str) -> str:
    """The extension that a file of an output has in most cases."""
    return JSON if output == JSON else FORMATS[output].extensions[0]


def output_of_name(name: str) -> str | None:
    """The output that the extension of a download name stands for, ignoring case; None for any other extension."""
    if name.lower().endswith(f".{JSON}"):
        return JSON
    found = format_of_extension(name)
    return found if found in OUTPUT_NAMES else None
