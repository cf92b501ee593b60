"""An API with thumbnails on a real server: its answers lead to pictures, and are what its OpenAPI schema says."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.gallery import settings
from tests.support import pictures
from tests.support.albums import make_albums
from tests.support.gallery import Gallery
from tests.support.servers import fetch

_ROWS = """
from tests.albums.models import Album, Slide
album = Album.objects.create(title="Summer", cover="a.jpg")
Slide.objects.create(album=album, image="a.jpg", width=600, height=400, focus="0.1,0.1", version=7)
Slide.objects.create(album=album, image="a.jpg")
Slide.objects.filter(pk=2).update(width=None, height=None)
Slide.objects.create(image="../a.jpg")
Album.objects.create(title="Empty")
"""
_CLIENT = """
import json
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
client = APIClient(headers={"host": "photos.example"})
with CaptureQueriesContext(connection) as queries:
    albums = client.get("/api/albums/", format="json", secure=True)
count = len(queries)
posted = client.post("/api/albums/", {"cover": "b.jpg"}, format="json")
print(json.dumps([albums.json(), count, posted.status_code, client.get("/api/slides/3/").json()]))
"""


def make_api(directory: Path, version: str) -> Gallery:
    """The site with its rows; `version` is that of OpenAPI."""
    gallery = make_albums(
        directory,
        settings={
            "INSTALLED_APPS": [*settings.INSTALLED_APPS, "tests.albums", "rest_framework", "drf_spectacular"],
            "REST_FRAMEWORK": {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
            "SPECTACULAR_SETTINGS": {"OAS_VERSION": version},
        },
    )
    (gallery.media / "a.jpg").write_bytes(pictures.encoded(pictures.quarters(), "JPEG"))
    gallery.copy(_ROWS)
    return gallery


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Gallery]:
    """The site of each version, made once: no test changes its rows."""
    return cache(lambda version: make_api(tmp_path_factory.mktemp("api"), version))


def urls_of(value: Any) -> list[str]:
    """Every `url` and every candidate of a `srcset` in an answer."""
    if isinstance(value, list):
        return [url for each in value for url in urls_of(each)]
    if not isinstance(value, dict):
        return []
    own = [value["url"]] if "url" in value else []
    own += [candidate.split()[0] for candidate in value.get("srcset", "").split(", ") if candidate]
    return own + [url for each in value.values() for url in urls_of(each)]


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_every_url_of_an_answer_leads_to_a_picture(apis: Callable[[str], Gallery], worker: str) -> None:
    gallery = apis("3.0.3")
    with gallery.served(worker=worker) as server:
        answer = fetch(server.url("api/albums/"), headers={"accept": "application/json"})
        shown = json.loads(answer.body)
        urls = urls_of(shown)
        assert len(urls) > 20
        for url in set(urls):
            assert url.startswith(server.url("img/"))
            picture = fetch(url)
            assert (picture.status, picture.headers["content-type"].partition("/")[0]) == (200, "image")
        card = shown[0]["slides"][0]["pictures"]["card"]
        assert pictures.decoded(fetch(card["url"]).body).size == (card["width"], card["height"]) == (400, 300)
        assert fetch(card["url"]).headers["content-type"] == card["type"]
        thumb = shown[0]["slides"][0]["thumb"]
        assert "gravity(0.1,0.1)" in thumb["url"]
        assert "immutable" in fetch(thumb["url"]).headers["cache-control"]


def test_the_test_client_sees_absolute_urls_and_no_more_queries(apis: Callable[[str], Gallery]) -> None:
    albums, queries, posted, refused = json.loads(apis("3.0.3").copy(_CLIENT))
    assert queries == 2  # the albums, and the slides of all of them
    assert posted == 405
    assert albums[1] == {"id": 2, "title": "Empty", "cover": None, "slides": []}
    assert all(url.startswith("https://photos.example/img/uploads/thumbs/") for url in urls_of(albums))
    assert refused == {
        "id": 3,
        "focus": "",
        "thumb": None,
        "cover": None,
        "pictures": {"card": None, "hero": None},
    }


@pytest.mark.parametrize("version", ["3.0.3", "3.1.1"])
def test_the_schema_is_valid_and_the_answers_are_what_it_says(apis: Callable[[str], Gallery], version: str) -> None:
    gallery = apis(version)
    schema = json.loads(gallery.manage("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json"))
    assert schema["openapi"] == version
    slide = schema["components"]["schemas"]["Slide"]
    assert {"thumb", "pictures", "cover"} <= set(slide["required"])
    assert slide["properties"]["thumb"]["readOnly"] is True
    assert slide["properties"]["cover"]["description"] == "That of the album."
    assert list(slide["properties"]["pictures"]["properties"]) == ["card", "hero"]
    if version == "3.0.3":
        assert slide["properties"]["thumb"]["nullable"] is True
        return
    # Of 3.1 on, schemas are JSON Schema.
    answers = json.loads(gallery.copy(_CLIENT))
    check = {"$ref": "#/components/schemas/Slide", "components": schema["components"]}
    assert answers[0][0]["slides"][1]["pictures"]["hero"]["width"] is None
    for answer in (*answers[0][0]["slides"], answers[3]):
        jsonschema.validate(answer, check, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**answers[3], "thumb": {"url": None}}, check, cls=jsonschema.Draft202012Validator)
