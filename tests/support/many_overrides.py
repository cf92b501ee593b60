"""A process that overrides the configuration many times, and prints what is left: `python -m … ISOLATION ROUNDS`.

A process of its own, because one that runs other tests has threads, descriptors and children of theirs.
"""

import json
import os
import sys
import threading
from pathlib import Path

import django
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from tests.support.isolated import render_children
from tests.support.pictures import encoded, quarters
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.http.messages import Request
from thumbs.test import override_thumbs
from thumbs.wiring import process

MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
STORAGE = {"name": "uploads", "driver": "django", "alias": "default"}
PICTURE = encoded(quarters(30, 20), "PNG")


def rendered() -> int:
    """The status of a thumbnail that is made of a file that was just saved."""
    default_storage.save("a.png", ContentFile(PICTURE))
    path = b"/uploads/thumbs/9x6/a.png"
    return process.thumbnailer().answer(Request("GET", path, len(path))).status


def _held() -> dict[str, int]:
    return {
        "threads": len(threading.enumerate()),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "children": len(render_children(os.getpid())),
    }


def _main(isolation: str, rounds: int) -> None:
    def override() -> None:
        with override_settings(STORAGES=MEMORY), override_thumbs(storages=[STORAGE], isolation=isolation):
            assert rendered() == 200

    override()  # what one render leaves behind for the whole process is there before
    eventually(lambda: not render_children(os.getpid()))
    before, most = _held(), 0
    for _ in range(rounds):
        override()
        most = max(most, len(threading.enumerate()))
    try:  # what was closed may need a moment to end
        eventually(lambda: all(now <= before[kind] for kind, now in _held().items()), seconds=WAIT_SECONDS)
    finally:
        json.dump({"before": before, "after": _held(), "most threads": most}, sys.stdout)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.support.settings"
    django.setup()
    _main(sys.argv[1], int(sys.argv[2]))
