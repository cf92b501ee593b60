"""SECRET_KEY and its fallbacks: URLs are signed with it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings

from tests.ordinary_site.factories import picture
from thumbs import thumb_url


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    default_storage.save("logo.png", ContentFile(picture()))


def url() -> str:
    return thumb_url("uploads", "logo.png", "40x30")


def test_a_new_key_signs_and_verifies(client: Client) -> None:
    before = url()
    with override_settings(SECRET_KEY="another"):
        assert url() != before
        assert client.get(url()).status_code == 200
        assert client.get(before).status_code == 403
    assert url() == before
    assert client.get(before).status_code == 200


def test_a_new_key_by_the_fixture(client: Client, settings: Any) -> None:
    before = url()
    settings.SECRET_KEY = "a third"
    assert client.get(url()).status_code == 200
    assert client.get(before).status_code == 403


def test_an_old_key_verifies_while_it_is_a_fallback(client: Client) -> None:
    before = url()
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["only for tests"]):
        assert client.get(before).status_code == 200
        assert url() != before
    with override_settings(SECRET_KEY="another"):
        assert client.get(before).status_code == 403


def test_a_fallback_that_is_added_and_removed(client: Client, settings: Any) -> None:
    with override_settings(SECRET_KEY="old"):
        old = url()
    assert client.get(old).status_code == 403
    settings.SECRET_KEY_FALLBACKS = ["old"]
    assert client.get(old).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(old).status_code == 403


def test_a_storage_with_a_secret_of_its_own(client: Client, settings: Any) -> None:
    (storage,) = settings.THUMBS["STORAGES"]
    before = url()
    settings.THUMBS = {**settings.THUMBS, "STORAGES": [{**storage, "signature_secret_key": "its own secret"}]}
    assert client.get(url()).status_code == 200
    assert client.get(before).status_code == 403
