"""`ImageSpecField` of django-imagekit as `ThumbDescriptor`, and the processors of a spec as a thumbnail."""

import ast
from collections.abc import Mapping, Sequence

from thumbs.toolkit.migration.editing.edits import Conversion, Edit, Unmapped
from thumbs.toolkit.migration.editing.python_code import Module
from thumbs.toolkit.migration.editing.python_imports import imports
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.wanted import Options, Wanted, color, output_format, quality, sized
from thumbs.toolkit.migration.imagekit import gravity

# The arguments of each processor, in their order, with its defaults (pilkit/processors/resize.py).
_PROCESSORS: Mapping[str, Mapping[str, object]] = {
    "ResizeToFill": {"width": None, "height": None, "anchor": None, "upscale": True},
    "SmartResize": {"width": None, "height": None, "upscale": True},
    "ResizeToFit": {"width": None, "height": None, "upscale": True, "mat_color": None, "anchor": "c"},
    "Resize": {"width": None, "height": None, "upscale": True},
    "Thumbnail": {"width": None, "height": None, "anchor": None, "crop": None, "upscale": None},
    "Transpose": {},
    "MakeOpaque": {"background_color": "#FFFFFF"},
}
_ANCHORS = {
    "TOP_LEFT": "tl", "TOP": "t", "TOP_RIGHT": "tr", "LEFT": "l", "CENTER": "c", "RIGHT": "r",
    "BOTTOM_LEFT": "bl", "BOTTOM": "b", "BOTTOM_RIGHT": "br",
}  # fmt: skip
Processor = tuple[str, Mapping[str, object]]  # its name and its arguments by name


def wanted(processors: Sequence[Processor], file_format: object, options: object) -> Wanted:
    """The thumbnail that the processors of a spec make. Raises `Unmapped`."""
    made: Wanted | None = None
    extra: Options = {}
    for name, given in processors:
        if name == "MakeOpaque":
            extra["background"] = color(str(given.get("background_color", "#FFFFFF")))
        elif name != "Transpose":
            if made is not None:
                raise Unmapped("It resizes twice.")
            made = _resized(name, {**_PROCESSORS.get(name, {}), **given})
    if file_format is not None:
        extra["format"] = output_format(str(file_format))
    for name, value in options.items() if isinstance(options, Mapping) else ():
        if name == "quality" and isinstance(value, int):
            extra["quality"] = quality(value)
        elif name not in ("optimize", "progressive", "subsampling"):
            raise Unmapped(f"Mage has no equivalent of the option {name}.")
    return (made or Wanted("x")).adding(**extra)


def _resized(name: str, given: Mapping[str, object]) -> Wanted:
    width, height = given.get("width"), given.get("height")
    if name not in _PROCESSORS:
        raise Unmapped(f"Mage has no equivalent of the processor {name}.")
    if not all(side is None or isinstance(side, int) for side in (width, height)):
        raise Unmapped("The size is not constant.")
    sides = (width if isinstance(width, int) else None, height if isinstance(height, int) else None)
    upscale, anchor = bool(given["upscale"]), str(given.get("anchor") or "")
    if name == "Thumbnail":
        crop = given["crop"]
        cover = bool(anchor) or (all(sides) if crop is None else bool(crop))
        chosen = anchor or ("auto" if crop is None else "c")
        return sized(*sides, cover=cover, upscale=upscale).adding(**(gravity(chosen) if cover else {}))
    if name == "SmartResize":
        return sized(*sides, cover=True, upscale=upscale, gravity="entropy")
    if name == "ResizeToFill":
        return sized(*sides, cover=True, upscale=upscale).adding(**gravity(anchor or "c"))
    if name == "Resize":
        if not upscale:
            raise Unmapped("Mage stretches a picture in each direction by itself where it may not upscale.")
        return Wanted(f"{sides[0]}x{sides[1]}", {"fit": "stretch"})
    return _fitted(sides, upscale=upscale, mat=given["mat_color"], anchor=anchor)


def _fitted(sides: tuple[int | None, int | None], *, upscale: bool, mat: object, anchor: str) -> Wanted:
    made = sized(*sides, cover=False, upscale=upscale)
    if mat is None:
        return made
    if anchor not in ("", "c"):
        raise Unmapped("Mage pads on all sides alike.")
    text = "".join(f"{part:02x}" for part in mat) if isinstance(mat, tuple | list) else str(mat)
    return Wanted(made.spec, {**made.options, "fit": f"fill,{color(text)}"})


def convert(module: Module, site: SiteSettings) -> Conversion:
    """`thumb = ImageSpecField(source="image", …)` in a model becomes `thumb = ThumbDescriptor("image", …)`."""
    del site
    done, name = Conversion(), "ThumbDescriptor"
    fields = {local for local, full in module.imported("imagekit").items() if full.endswith(".ImageSpecField")}
    for owner in [node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]:
        for statement in owner.body:
            match statement:
                case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Name(id=called)) as call) if (
                    called in fields
                ):
                    try:
                        source, made = _field(call)
                    except Unmapped as error:
                        done.left.append(module.remark(call, str(error)))
                    else:
                        done.edits.append(Edit(*module.span(call), f'{name}("{source}", {made.in_python()})'))
    if done.edits:
        done.edits += imports(module, "imagekit", done.edits, f"from thumbs.fields import {name}")
    return done


def _field(call: ast.Call) -> tuple[str, Wanted]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if call.args or not given.keys() <= {"source", "processors", "format", "options"}:
        raise Unmapped("It has other arguments than source, processors, format and options.")
    source = _literal(given["source"]) if "source" in given else None
    if not isinstance(source, str):
        raise Unmapped("Its source is not the name of a field.")
    processors = given.get("processors", ast.List(elts=[]))
    if not isinstance(processors, ast.List | ast.Tuple):
        raise Unmapped("Its processors are not a list of calls.")
    constants = [_literal(given[name]) if name in given else None for name in ("format", "options")]
    return source, wanted([_processor(node) for node in processors.elts], *constants)


def _processor(node: ast.expr) -> Processor:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            positional = dict(zip(_PROCESSORS.get(name, {}), map(_literal, node.args), strict=False))
            named = {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}
            return name, {**positional, **named}
    raise Unmapped("A processor is no call.")


def _literal(node: ast.expr) -> object:
    match node:
        case ast.Attribute(value=ast.Name(id="Anchor") | ast.Attribute(attr="Anchor"), attr=name) if name in _ANCHORS:
            return _ANCHORS[name]
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise Unmapped("A value is known only when the code runs.") from None
