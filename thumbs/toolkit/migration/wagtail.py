"""wagtail: its tags are always left alone, because its images are models; each gets a line that Mage would take."""

import re

from thumbs.toolkit.migration.editing.edits import Conversion
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.templates import Token

LIBRARIES = frozenset({"wagtailimages_tags"})
TAGS = frozenset({"image", "srcset_image", "picture", "image_url"})
FILTERS: frozenset[str] = frozenset()
JINJA = re.compile(
    r"\b(?P<tag>image|srcset_image|picture|image_url)\(\s*(?P<image>[^,()]+?)\s*,\s*(?P<quote>[\"'])(?P<specs>[^\"']+)(?P=quote)"
)

_SPEC = re.compile(r"[a-z]+(?:-[\w.{},-]+)?")
_SIZES = {
    "fill": '"{0}", gravity=focus_of({1})',
    "max": '"{0}", fit="contain"',
    "width": '"{0}x"',
    "height": '"x{0}"',
}
_OPTIONS = {
    "jpegquality": "quality={}",
    "webpquality": "quality={}",
    "avifquality": "quality={}",
    "format": 'format="{}"',
    "bgcolor": 'background="{}"',
}
_NO_EQUIVALENT = {"min": "min, the larger of both fits", "scale": "scale, percent of the original"}


def convert(page: Page) -> Conversion:
    """Lists every tag, with the call that Mage would take."""
    done = Conversion()
    for token in page.template.tags(*TAGS):
        if page.owns(token, token.name):
            done.left.append(token.remark(_sentence(token)))
    return done


def suggestion(image: str, specs: list[str]) -> str:
    """`thumb(image.file, "400x300", gravity=focus_of(image))`, or why there is none."""
    size, options = '"x"', []
    for spec in specs:
        name, _, argument = spec.partition("-")
        if name in _NO_EQUIVALENT:
            return f"Mage has no equivalent of {_NO_EQUIVALENT[name]}."
        if "{" in spec:
            return f'Mage: {{% thumb_picture {image}.file "preset" widths="…" %}}, with a preset of {spec}.'
        if name in _SIZES:
            side = argument.split("-")[0]
            size = _SIZES[name].format(side, image)
        elif name in _OPTIONS:
            options.append(_OPTIONS[name].format(argument.split("-")[0].removeprefix("#")))
    return f"Mage: {', '.join([f'thumb({image}.file, {size}', *options])})."


def _sentence(token: Token) -> str:
    if len(token.bits) < 2:
        return "wagtail's tags are left alone."
    image, rest = token.bits[1], list(token.bits[2:])
    if rest[-2:-1] == ["as"]:
        rest = rest[:-2]
    if token.name == "image_url":
        specs = rest[0].strip("\"'").split("|") if rest else []
    else:
        specs = [part for bit in rest if "=" not in bit for part in bit.split("|") if _SPEC.fullmatch(part)]
    return f"wagtail's tags are left alone. {suggestion(image, specs)}"
