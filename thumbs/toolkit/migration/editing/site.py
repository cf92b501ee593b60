"""What a site says about its package for thumbnails, by its settings and models: the one place here that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db.models import FileField


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Settings of the peers, each as the peer reads it, the template libraries that TEMPLATES adds, and models."""

    aliases: Mapping[str, Mapping[str, Mapping[str, object]]] = field(
        default_factory=dict
    )  # easy-thumbnails, by target
    default_options: Mapping[str, object] = field(default_factory=dict)  # easy-thumbnails
    processors: tuple[str, ...] = ()  # easy-thumbnails
    upscale: bool = True  # sorl-thumbnail
    padding: bool = False  # sorl-thumbnail
    padding_color: str = "#ffffff"  # sorl-thumbnail
    colorspace: str | None = "RGB"  # sorl-thumbnail
    blur: int = 0  # sorl-thumbnail
    orientation: bool = True  # sorl-thumbnail
    srcset: tuple[float, ...] = ()  # django-imagekit
    pictures: Mapping[str, object] = field(default_factory=dict)  # django-pictures
    rendition_sets: Mapping[str, object] = field(default_factory=dict)  # django-versatileimagefield
    libraries: Mapping[str, str] = field(default_factory=dict)  # name of a template library: its module
    builtins: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()  # INSTALLED_APPS
    file_fields: frozenset[str] = frozenset()  # the names of all file fields of the installed models


def read() -> SiteSettings:
    """The settings of the running site, and the default of each package where they have none."""
    libraries, builtins = _libraries()
    return SiteSettings(
        aliases=getattr(settings, "THUMBNAIL_ALIASES", None) or {},
        default_options=getattr(settings, "THUMBNAIL_DEFAULT_OPTIONS", None) or {},
        processors=tuple(getattr(settings, "THUMBNAIL_PROCESSORS", None) or ()),
        upscale=bool(getattr(settings, "THUMBNAIL_UPSCALE", True)),
        padding=bool(getattr(settings, "THUMBNAIL_PADDING", False)),
        padding_color=str(getattr(settings, "THUMBNAIL_PADDING_COLOR", "#ffffff")),
        colorspace=getattr(settings, "THUMBNAIL_COLORSPACE", "RGB"),
        blur=int(getattr(settings, "THUMBNAIL_BLUR", 0) or 0),
        orientation=bool(getattr(settings, "THUMBNAIL_ORIENTATION", True)),
        srcset=tuple(getattr(settings, "IMAGEKIT_DEFAULT_THUMBNAIL_SRCSET_SCALES", None) or ()),
        pictures=getattr(settings, "PICTURES", None) or {},
        rendition_sets=getattr(settings, "VERSATILEIMAGEFIELD_RENDITION_KEY_SETS", None) or {},
        libraries=libraries,
        builtins=builtins,
        apps=tuple(getattr(settings, "INSTALLED_APPS", ())),
        file_fields=frozenset(
            field.name
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields  # noqa: SLF001 - Django's documented API
            if isinstance(field, FileField)
        ),
    )


def _libraries() -> tuple[dict[str, str], tuple[str, ...]]:
    named: dict[str, str] = {}
    builtins: list[str] = []
    for engine in getattr(settings, "TEMPLATES", None) or ():
        options = engine.get("OPTIONS", {})
        named |= options.get("libraries", {})
        builtins += options.get("builtins", ())
    return named, tuple(builtins)
