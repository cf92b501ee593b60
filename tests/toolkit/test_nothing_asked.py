"""A page of five hundred tags: no query, no storage, no cache, no file and no socket, under WSGI and ASGI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.files.images import ImageFile
from django.db import connection
from django.template import Context, Template
from django.test import AsyncClient, Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.support.toolkit_models import PAGE, Pictured, fifty_rows
from tests.support.toolkit_site import PRESETS, SECRETS
from tests.support.untouched import Touched, untouched
from thumbs import picture, thumb
from thumbs.wiring import process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[None]:
    """A site whose storage, cache layers and files raise."""
    layers = {"memory": {"enabled": True, "max_size_mb": 1}, "shared": {"alias": "default"}}
    conf = {"name": "uploads", "driver": "django", "alias": "default", "signature_secret_key": SECRETS, "cache": layers}
    media = {"BACKEND": "tests.support.untouched.UntouchableStorage", "OPTIONS": {"location": str(tmp_path)}}
    with override_settings(
        ROOT_URLCONF="tests.support.toolkit_models",
        STORAGES={"default": media, "staticfiles": media},
        CACHES={"default": {"BACKEND": "tests.support.untouched.UntouchableCache"}},
        THUMBS={"STORAGES": [conf], "PRESETS": PRESETS, "RUN_DIR": str(tmp_path / "run")},
    ):
        process.reset()
        with fifty_rows():
            # What is imported at the first use is read from files, once in a process; a measurement of coverage looks
            # at the file of each module that runs.
            Template(PAGE).render(Context({"rows": list(Pictured.objects.all())}))
            process.reset()
            yield


def _check(body: str, queries: CaptureQueriesContext) -> None:
    assert [each["sql"].split()[0] for each in queries.captured_queries] == ["SELECT"]  # the rows
    assert 'FROM "tests_pictured"' in queries.captured_queries[0]["sql"]
    lines = body.splitlines()
    assert len(lines) == 50
    assert [line.count("/img/uploads/thumbs/") > 30 for line in lines] == [False, False, *[True] * 48]


def test_a_page_asks_nothing_under_wsgi(site: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        body = Client().get("/page/").content.decode()
    _check(body, queries)


async def _get() -> str:
    return (await AsyncClient().get("/apage/")).content.decode()


def test_a_page_asks_nothing_under_asgi(site: None) -> None:
    from asgiref.sync import async_to_sync  # noqa: PLC0415 - after Django's set-up

    with CaptureQueriesContext(connection) as queries:
        body = async_to_sync(_get)()
    _check(body, queries)


def test_the_first_url_of_a_process_asks_nothing_either(site: None) -> None:
    rows = list(Pictured.objects.all())
    process.reset()
    process.current()  # reading the configuration looks at directories
    with untouched(), CaptureQueriesContext(connection) as queries:
        assert thumb(rows[5].image, "card")
        assert picture(rows[5].image, "hero", widths=[400])
    assert not queries.captured_queries


def test_a_deferred_column_stays_deferred(site: None) -> None:
    row = Pictured.objects.get(pk=4)
    assert row.width == 4000
    image = row.image
    del row.__dict__["width"]
    assert row.get_deferred_fields() == {"width"}
    with CaptureQueriesContext(connection) as queries:
        assert thumb(image, "300x").height is None
        assert "300w" in picture(image, "300x", widths=[300]).html
    assert not queries.captured_queries
    assert row.get_deferred_fields() == {"width"}


def test_the_dimensions_of_a_file_are_never_read(site: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: ImageFile) -> None:
        raise Touched("dimensions")

    monkeypatch.setattr(ImageFile, "_get_image_dimensions", refuse)
    row = Pictured.objects.get(pk=5)
    with pytest.raises(Touched):
        _ = row.image.width
    assert thumb(row.image, "300x").img(alt="x")
    assert picture(row.image, "300x", widths=[300, 600])


def test_the_parts_that_raise_do_raise(site: None) -> None:
    row = Pictured.objects.get(pk=5)
    for ask in (lambda: row.image.url, lambda: row.image.size, lambda: caches["default"].get("x")):
        with pytest.raises(Touched):
            ask()
    with untouched(), pytest.raises(Touched):
        open("/dev/zero")  # noqa: PTH123, SIM115
