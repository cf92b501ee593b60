"""The calls that each peer documents for Python, as calls of `thumbs.thumb`; and what Mage has for its other names."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from thumbs.toolkit.migration import easy_options, sorl_options, versatile, wagtail
from thumbs.toolkit.migration.editing.edits import Conversion, Unmapped
from thumbs.toolkit.migration.editing.python_code import Module
from thumbs.toolkit.migration.editing.python_imports import convert_calls
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.wanted import Expression, Value, Wanted, preset_name

_SIZE = re.compile(r"[0-9]+x[0-9]+")
_Call = tuple[ast.expr, Callable[[], str]]

_THUMB_FIELD = "Mage's field is thumbs.fields.ThumbImageField; a plain models.ImageField does as well."
ADVICE: Mapping[str, Mapping[str, str]] = {
    "sorl.thumbnail": {
        "ImageField": _THUMB_FIELD,
        "AdminImageMixin": "Mage's mixin is thumbs.admin.ThumbAdminMixin.",
        "delete": "thumbs.purge drops the thumbnails of one original; delete the file with file.delete().",
        "get_thumbnail": "Mage's function is thumbs.thumb.",
        "source_cache": "Nothing is read when Mage makes a URL: leave it out.",
    },
    "easy_thumbnails": {
        "ThumbnailerImageField": f'{_THUMB_FIELD} file["small"].url becomes file.thumb("small").url.',
        "ThumbnailerField": f'{_THUMB_FIELD} file["small"].url becomes file.thumb("small").url.',
        "get_thumbnailer": "Mage's function is thumbs.thumb.",
        "aliases": 'Mage\'s presets are in THUMBS["PRESETS"].',
        "generate_aliases": "Mage makes thumbnails when they are requested; warm_thumb_cache makes them ahead.",
        "generate_aliases_global": "Mage makes thumbnails when they are requested; warm_thumb_cache makes them ahead.",
        "saved_file": "Mage makes thumbnails when they are requested; warm_thumb_cache makes them ahead.",
        "ImageClearableFileInput": "Mage's mixin for the admin is thumbs.admin.ThumbAdminMixin.",
    },
    "imagekit": {
        "ImageSpecField": "Mage's attribute of a model is thumbs.fields.ThumbDescriptor.",
        "ProcessedImageField": f"Mage keeps originals as they were uploaded. {_THUMB_FIELD}",
        "ImageSpec": 'Mage\'s presets are in THUMBS["PRESETS"]; thumb_migrate --presets prints those of the registry.',
        "register": 'Mage\'s presets are in THUMBS["PRESETS"]; thumb_migrate --presets prints those of the registry.',
        "AdminThumbnail": "Mage's function is thumbs.admin.thumb_column.",
        "ImageCacheFile": "Mage's function is thumbs.thumb.",
    },
    "pictures": {
        "PictureField": f"{_THUMB_FIELD} In a serializer it is thumbs.rest_framework.PictureField.",
        "AlterPictureField": "Mage writes no files for a field: the migration may become AlterField.",
    },
    "versatileimagefield": {
        "VersatileImageField": f"{_THUMB_FIELD} Its focus_field has the place of ppoi_field.",
        "PPOIField": "Mage's field is thumbs.fields.FocalPointField, which reads 0.31x0.62.",
        "VersatileImageFieldSerializer": "Mage's fields are thumbs.rest_framework.ThumbField and PictureField.",
        "VersatileImageFieldWarmer": "Mage's command is warm_thumb_cache.",
    },
    "wagtail.images": {},
}


def sorl_calls(module: Module, site: SiteSettings) -> Conversion:
    """`get_thumbnail(file, "100x100", quality=99)`."""
    names = [name for name, full in module.imported("sorl.thumbnail").items() if full.endswith(".get_thumbnail")]

    def calls() -> Iterator[_Call]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node, lambda call=node: _sorl(module, call, site)  # type: ignore[misc]

    return convert_calls(module, "sorl.thumbnail", calls())


def _sorl(module: Module, call: ast.Call, site: SiteSettings) -> str:
    if len(call.args) != 2 or any(isinstance(arg, ast.Starred) for arg in call.args):
        raise Unmapped("Its file and geometry are not two plain arguments.")
    geometry = _value(module, call.args[1])
    if not isinstance(geometry, str):
        raise Unmapped("The geometry is known only when the code runs.")
    if any(keyword.arg is None or keyword.arg == "options" for keyword in call.keywords):
        raise Unmapped("The options are known only when the code runs.")
    options = {str(keyword.arg): _value(module, keyword.value) for keyword in call.keywords}
    return f"{module.code(call.args[0])}, {sorl_options.wanted(geometry, options, site).in_python()}"


def easy_calls(module: Module, site: SiteSettings) -> Conversion:
    """`get_thumbnailer(file)["small"]`, and `get_thumbnailer(file).get_thumbnail({"size": (100, 100)})`."""
    names = [name for name, full in module.imported("easy_thumbnails").items() if full.endswith(".get_thumbnailer")]

    def calls() -> Iterator[_Call]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield _easy(module, node, site)

    done = convert_calls(module, "easy_thumbnails", calls())
    done.add(_listed(module, lambda node: _item_of_alias(node, site)))
    return done


def _item_of_alias(node: ast.expr, site: SiteSettings) -> str | None:
    """`photo.image["small"].url` where the settings have the alias: the field decides what it is."""
    match node:
        case ast.Attribute(
            value=ast.Subscript(value=ast.Attribute() as file, slice=ast.Constant(value=str(alias))), attr="url" | "tag"
        ) if any(alias in aliases for aliases in site.aliases.values()):
            try:
                easy_options.known_alias(site, alias)
            except Unmapped as error:
                return str(error)
            call = f'{ast.unparse(file)}.thumb("{preset_name(alias)}").url'
            return f"Of a ThumbImageField it is {call}."
    return None


def _easy(module: Module, call: ast.Call, site: SiteSettings) -> _Call:
    parent, above = module.parent(call), None
    if isinstance(parent, ast.Subscript):
        return parent, lambda: _easy_alias(module, call, parent, site)
    if isinstance(parent, ast.Attribute) and parent.attr == "get_thumbnail":
        above = module.parent(parent)
    if isinstance(above, ast.Call):
        return above, lambda: _easy_options(module, call, above, site)
    return call, _refuse("Mage has no thumbnailer: call thumbs.thumb for each thumbnail.")


def _refuse(sentence: str) -> Callable[[], str]:
    def refuse() -> str:
        raise Unmapped(sentence)

    return refuse


def _easy_alias(module: Module, call: ast.Call, item: ast.Subscript, site: SiteSettings) -> str:
    alias = _value(module, item.slice)
    if not isinstance(alias, str):
        raise Unmapped("The alias is known only when the code runs.")
    easy_options.known_alias(site, alias)
    return f"{_file(module, call)}, {Wanted(preset_name(alias)).in_python()}"


def _easy_options(module: Module, call: ast.Call, made: ast.Call, site: SiteSettings) -> str:
    try:
        options = ast.literal_eval(made.args[0]) if len(made.args) == 1 and not made.keywords else None
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise Unmapped("The options are known only when the code runs.")
    return f"{_file(module, call)}, {easy_options.wanted_of_alias(options, site).in_python()}"


def _file(module: Module, call: ast.Call) -> str:
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        raise Unmapped("The thumbnailer has another file or name than its one argument.")
    return module.code(call.args[0])


def versatile_calls(module: Module, site: SiteSettings) -> Conversion:
    """`photo.image.crop["400x400"].url`."""
    del site

    def calls() -> Iterator[_Call]:
        for node in ast.walk(module.tree):
            match node:
                case ast.Subscript(
                    value=ast.Attribute(value=file, attr="crop" | "thumbnail" as sizer),
                    slice=ast.Constant(value=str(size)),
                ) if _SIZE.fullmatch(size):
                    yield node, lambda file=file, made=(sizer, size): _versatile(module, file, made)  # type: ignore[misc]

    return convert_calls(module, "versatileimagefield", calls())


def _versatile(module: Module, file: ast.expr, made: tuple[str, str]) -> str:
    code = module.code(file)
    if ".filters" in code:
        raise Unmapped("Mage has no filter of VersatileImageField.")
    return f"{code}, {versatile.wanted(*made).in_python()}"


def pictures_calls(module: Module, site: SiteSettings) -> Conversion:
    """`photo.picture.aspect_ratios[…]` is listed."""
    del site
    sentence = 'Mage has a picture of every ratio: thumbs.picture(file, ratio="16/9"), or thumbs.thumb for one URL.'
    return _listed(
        module,
        lambda node: (
            sentence
            if isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "aspect_ratios"
            else None
        ),
    )


def wagtail_calls(module: Module, site: SiteSettings) -> Conversion:
    """`image.get_rendition("fill-400x300")` is listed with the call that Mage would take."""
    del site

    def sentence(node: ast.expr) -> str | None:
        match node:
            case ast.Call(func=ast.Attribute(value=image, attr="get_rendition"), args=[ast.Constant(value=str(specs))]):
                return (
                    f"wagtail's renditions are left alone. {wagtail.suggestion(ast.unparse(image), specs.split('|'))}"
                )
        return None

    return _listed(module, sentence)


def _listed(module: Module, sentence_of: Callable[[ast.expr], str | None]) -> Conversion:
    done = Conversion()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.expr) and (sentence := sentence_of(node)) is not None:
            done.left.append(module.remark(node, sentence))
    return done


def _value(module: Module, node: ast.expr) -> Value | None:
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str | int | float)):
        return node.value
    return Expression(module.code(node))
