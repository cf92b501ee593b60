"""The playground in this process: its settings, and what its data says."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.test import Client, override_settings

from thumbs.wiring import process

SERVER, SITE = "tests.support.pages_of_the_server", "tests.support.pages_of_a_site"
SECRET = "0123456789abcdef0123456789abcdef"


@contextlib.contextmanager
def playground(root: Path | str, mode: str = "sign", *, urlconf: str = SERVER, **more: object) -> Iterator[Client]:
    """A client of this machine. The storages are `open` and `signed`, both in `root`; `more` is more of THUMBS."""
    storages = [
        {"name": "open", "driver": "local", "root": str(root)},
        {"name": "signed", "driver": "local", "root": str(root), "signature_secret_key": SECRET},
    ]
    thumbs = {"STORAGES": storages, "PLAYGROUND": mode, **more}
    with override_settings(THUMBS=thumbs, ROOT_URLCONF=urlconf):
        process.reset()
        yield Client(headers={"host": "localhost:8080"})
    process.reset()


def described(client: Client, **parts: str) -> dict[str, Any]:
    """What the page is told of these parts."""
    answer = client.get("/playground/link", {"storage": "open", "key": "cats/tom.jpg", **parts})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def parsed(client: Client, url: str) -> dict[str, Any]:
    """What the page is told of a URL."""
    answer = client.get("/playground/url", {"url": url})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found
