"""Form widgets with the picture: an input of a focal point to click on, and an input of a file with its preview.

Their script sets styles, and no HTML has any, so that they work under `Content-Security-Policy: default-src 'self'`.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import FileField
from django.forms.utils import flatatt
from django.forms.widgets import Media, Script
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    _FileInput = forms.ClearableFileInput
else:
    _FileInput = object

STYLES = "thumbs/focal_point.css"
# Not a module: a browser refuses one of another host that sends no CORS headers.
SCRIPT = Script("thumbs/focal_point.js", defer=True)
_SCRIPTS: list[Any] = [SCRIPT]
MEDIA = Media(css={"all": [STYLES]}, js=_SCRIPTS)


class FocalPointInput(forms.TextInput):
    """A text input with the picture beside it. A click or the arrow keys set the point; without script it is text.

    `picture` is the name of the form's field of the file. `FocalPointFormField` finds it for a model.
    """

    class Media:
        css = {"all": [STYLES]}  # noqa: RUF012 - as Django reads it
        js = _SCRIPTS

    def __init__(self, attrs: dict[str, Any] | None = None, *, picture: str = "") -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false", "size": 14, **(attrs or {})})
        self.picture = picture
        self.name = ""
        self.file: object = None

    def bind(self, form: forms.BaseForm, name: str) -> None:
        """Show the picture of this form, whose field of the focal point is `name`."""
        instance = getattr(form, "instance", None)
        picture = self.picture or _picture_field(instance, name)
        if not picture:
            return
        self.picture, self.name = picture, name
        # Not the instance's: after a refused upload it holds a file that was never saved.
        initial = form.initial.get(picture) or getattr(form.fields.get(picture), "initial", None)
        self.file = initial or (None if picture in form.fields else getattr(instance, picture, None))

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        from thumbs.toolkit.forms.previews import preview  # noqa: PLC0415 - models are loaded before most else

        shown = preview(self.file)
        data = {
            "src": shown.url or None,
            "picture": self.picture or None,
            "name": self.name or None,
            "label": _("position in the picture"),
            "hint": _(
                "Click the picture, or move the point with the arrow keys by 1 %, with Shift by 10 %. "
                "Home centers it, Delete clears it."
            ),
            "at": _("{x} % from the left, {y} % from the top"),
            "none": _("not set"),
            "center": _("Center"),
            "clear": _("Clear"),
            "empty": _("Choose a picture to set its focal point here."),
            "broken": _("The picture cannot be shown. The focal point can be entered as text."),
        }
        if self.file and not shown:
            data["empty"] = data["broken"]
        attributes = flatatt({f"data-{key}": text for key, text in data.items()})
        text_input = super().render(name, value, attrs, renderer)
        return format_html("<thumbs-focal-point{}>{}</thumbs-focal-point>", attributes, text_input)


class ThumbImageMixin(_FileInput):
    """For a file input: shows a preview of the saved picture above it."""

    class Media:
        css = {"all": [STYLES]}  # noqa: RUF012 - as Django reads it

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        file_input = super().render(name, value, attrs, renderer)
        shown = preview_image(value)
        if not shown:
            return file_input
        return format_html('<div class="thumbs-preview-place">{}{}</div>', shown, file_input)


class ThumbImageInput(ThumbImageMixin, forms.ClearableFileInput):
    """Django's input of a file, with a preview of the saved picture."""


def preview_image(file: object) -> SafeString:
    """An `<img>` of all of the picture; empty where there is none. The name of the file is shown beside it."""
    from thumbs.toolkit.forms.previews import preview  # noqa: PLC0415

    return preview(file).img(**{"class": "thumbs-preview"})


def _picture_field(instance: object, focus: str) -> str | None:
    """The name of the model's file field whose focal point is in the field `focus`."""
    meta = getattr(instance, "_meta", None)
    for field in meta.concrete_fields if meta is not None else ():
        if isinstance(field, FileField) and getattr(field, "focus_field", None) == focus:
            return field.name
    return None
