"""Pictures in Django's admin: previews in forms and in views without the right to change, and a column in lists."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.admin import helpers
from django.contrib.admin.utils import display_for_field, flatten_fieldsets
from django.contrib.admin.widgets import AdminFileWidget
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from thumbs.toolkit.forms.widgets import MEDIA, FocalPointInput, ThumbImageMixin, preview_image
from thumbs.toolkit.models.focal_points import FocalPointField
from thumbs.toolkit.thumb import thumb

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.forms import Media
    from django.http import HttpRequest, HttpResponse

    _Admin = ModelAdmin[Any]
else:
    _Admin = object


logger = logging.getLogger("thumbs")


class AdminThumbImageInput(ThumbImageMixin, AdminFileWidget):
    """The admin's input of a file, with a preview of the saved picture."""


class ThumbAdminMixin(_Admin):
    """For a ModelAdmin or an inline: a preview for every image field, and an input with the picture for focal points.

    A widget that the site sets in `formfield_overrides` or in a form of its own stays.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        overrides: dict[Any, Any] = {FocalPointField: {"widget": FocalPointInput}, **self.formfield_overrides}
        if overrides.get(models.ImageField, {}).get("widget") is AdminFileWidget:
            overrides[models.ImageField] = {**overrides[models.ImageField], "widget": AdminThumbImageInput}
        self.formfield_overrides = overrides  # type: ignore[misc]  # as Django's own constructor does

    @property
    def media(self) -> "Media":
        return super().media + MEDIA

    def render_change_form(
        self, request: "HttpRequest", context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> "HttpResponse":
        form = context["adminform"]
        form.fieldsets, form.readonly_fields = _with_previews(self, form.fieldsets, form.readonly_fields)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_inline_formsets(self, *args: Any, **kwargs: Any) -> list[Any]:
        inlines = super().get_inline_formsets(*args, **kwargs)
        for inline in inlines:
            if isinstance(inline.opts, ThumbAdminMixin):
                _show_previews(inline)
        return inlines


def thumb_column(
    field: str,
    spec: str,
    /,
    *,
    description: object = None,
    alt: "Callable[[Any], object] | str | None" = None,
    **options: Any,
) -> Callable[[Any], Any]:
    """A column of `list_display` with a thumbnail of each row's `field`. It makes no query.

    `field` may follow relations (`album__cover`): name them in `list_select_related`. A deferred field is shown as a
    blank one, and logged once. `description` is the header, by
    default the name of the field. `alt` is the text of each picture or a function of the row, by default the row's own
    text, because the picture may be all that the link to the row shows. `options` are those of `thumb`. Raises as
    `thumb` does.
    """
    return _Column(field, spec, description, alt, options)


class _Column:
    def __init__(self, field: str, spec: str, description: object, alt: object, options: dict[str, Any]) -> None:
        self.__name__ = field
        if description is not None:
            self.short_description = description
        self._path = field.split("__")
        self._spec = spec
        self._alt = alt
        self._options = options
        self._logged = False

    def __call__(self, row: models.Model) -> SafeString | None:
        """The `<img>`; None for a blank field, which the admin shows as its empty value."""
        file: Any = row
        for name in self._path:
            if isinstance(file, models.Model) and name in file.get_deferred_fields():
                self._log_deferred(file, name)
                return None
            file = getattr(file, name)
            if not file:
                return None
        alt = str(row) if self._alt is None else self._alt(row) if callable(self._alt) else self._alt
        return thumb(file, self._spec, **self._options).img(alt, **{"class": "thumbs-column"}) or None

    def _log_deferred(self, row: models.Model, name: str) -> None:
        if not self._logged:
            self._logged = True
            logger.warning("thumb_column(%r): %s of %s is deferred", self.__name__, name, type(row).__name__)


class _ReadonlyPreview:
    """Stands for an image field where its form may not be changed. The admin shows what it returns for a row."""

    do_not_call_in_templates = True  # a table of rows has its name in the header

    def __init__(self, field: models.ImageField, model_admin: Any) -> None:
        self.__name__ = field.name
        self.short_description = field.verbose_name
        self._field = field
        self._admin = model_admin

    def __str__(self) -> str:
        return self.__name__

    def __call__(self, row: models.Model) -> object:
        file = self._field.value_from_object(row)
        link = display_for_field(file, self._field, self._admin.get_empty_value_display())
        image = preview_image(file)
        if not image:
            return link
        focus = row.__dict__.get(getattr(self._field, "focus_field", None) or "")
        if focus:
            image = format_html('<thumbs-focus-shown data-focus="{}">{}</thumbs-focus-shown>', focus, image)
        return format_html('<div class="thumbs-preview-place">{}{}</div>', image, link)


def _show_previews(inline: helpers.InlineAdminFormSet) -> None:
    readonly = list(inline.readonly_fields)
    # Rows that may be added have inputs in the same fieldsets.
    is_view = not inline.has_change_permission and not inline.has_add_permission
    shown = readonly + (flatten_fieldsets(inline.fieldsets) if is_view else [])
    inline.fieldsets, replaced = _with_previews(inline.opts, inline.fieldsets, shown)
    inline.readonly_fields = replaced[: len(readonly)]


def _with_previews(model_admin: Any, fieldsets: Any, readonly: Any) -> tuple[list[Any], list[Any]]:
    """Fieldsets and read-only fields, with a preview in the place of each image field that is read-only."""
    images = {field.name: field for field in model_admin.opts.concrete_fields if isinstance(field, models.ImageField)}
    previews: dict[object, object] = {
        name: _ReadonlyPreview(images[name], model_admin)
        for name in readonly
        if isinstance(name, str) and name in images
    }

    def replaced(fields: Any) -> list[Any]:
        return [replaced(each) if isinstance(each, list | tuple) else previews.get(each, each) for each in fields]

    return (
        [(name, {**options, "fields": replaced(options["fields"])}) for name, options in fieldsets],
        [previews.get(name, name) for name in readonly],
    )
