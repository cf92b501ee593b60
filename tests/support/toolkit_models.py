"""A model whose pictures have columns beside them, and the page of P27: fifty rows of ten pictures."""

import contextlib
from collections.abc import Iterator
from typing import ClassVar

from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import include, path

from tests.support.untouched import untouched

PICTURES = 10
PAGE = (
    "{% load thumbs %}{% for row in rows %}"
    '{% thumb row.image "card" %} {% thumb row.image "400x300" format="webp" as t %}{{ t.url }}'
    "{% if t.width == 400 %}{{ t.content_type }}{% endif %}"
    '{% thumb_img row.image "100x100" alt=row.title class="x" %}{% thumb_url "uploads" row.image "90x" %}'
    '{% thumb_picture row.image "hero" widths="400 800 1200" sizes="50vw" alt=row.title %}'
    '{% thumb_picture row.plain "card" %}{% thumb_picture row.image ratio="16/9" grid="m6 l4" priority %}'
    '{% thumb row.plain "800x" name="a.jpg" lifetime=60 %}{% thumb row.image "card" version=row.pk %}'
    '{% thumb row.plain "300x" fit="contain" %}\n{% endfor %}'
)


class Pictured(models.Model):
    title = models.CharField(max_length=100, default="")
    image = models.ImageField(blank=True, width_field="width", height_field="height")
    plain = models.ImageField(blank=True)
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)

    objects: ClassVar[models.Manager["Pictured"]] = models.Manager()

    class Meta:
        app_label = "tests"

    def __str__(self) -> str:
        return self.title


@contextlib.contextmanager
def fifty_rows() -> Iterator[None]:
    """The table with fifty rows, of which some are blank or named badly. No file exists."""
    with connection.schema_editor() as editor:
        editor.create_model(Pictured)
    try:
        for number in range(50):
            name = {0: "", 1: "a/../b.jpg", 2: "été & <b>.png"}.get(number, f"photos/2026/photo-{number}.jpg")
            # Not by the model: Django reads the file of a row without dimensions.
            insert = "INSERT INTO tests_pictured (title, image, plain, width, height) VALUES (%s, %s, %s, 4000, 3000)"
            with connection.cursor() as cursor:
                cursor.execute(insert, [f"Photo <{number}>", name, name])
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Pictured)


def page(request: HttpRequest) -> HttpResponse:
    template = Template(PAGE)
    rows = list(Pictured.objects.all())
    with untouched():
        return HttpResponse(template.render(Context({"rows": rows})))


async def asynchronous_page(request: HttpRequest) -> HttpResponse:
    template = Template(PAGE)
    rows = [row async for row in Pictured.objects.all()]
    with untouched():
        return HttpResponse(template.render(Context({"rows": rows})))


urlpatterns = [path("page/", page), path("apage/", asynchronous_page), path("img/", include("thumbs.urls"))]
