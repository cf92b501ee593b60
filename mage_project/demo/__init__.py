"""The demo: draws five pictures, writes the configuration of their storage, and prints URLs to try.

`python -m mage_project.demo DIR PORT` prepares DIR. It runs in a process of its own because libvips must not run in a
process that forks workers afterwards.
"""

import json
import os
import sys
from pathlib import Path

from mage_project.demo.pictures import PICTURES

__all__ = ["PICTURES", "draw", "main", "storages", "urls"]

EXAMPLES = (
    "400x300/filters:format(webp)/lake.jpg",
    "480x480/filters:fit(fill,10202c);format(avif)/forest.jpg",
    "300x300/flower.png",
)


def draw(directory: Path) -> list[Path]:
    """Draw the pictures missing in `directory` and return the paths of all. Each is written atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / name for name in PICTURES]
    for path in paths:
        if not path.exists():
            _write(path, PICTURES[path.name]())
    return paths


def storages(directory: Path) -> dict[str, object]:
    """The configuration of the demo, as in storages.json; originals and cache are in `directory`.

    The playground shows and signs everything, so only this machine can reach the server.
    """
    cache = {
        "memory": {"enabled": True, "max_size_mb": 64},
        "disk": {"enabled": True, "ttl_seconds": 3600, "max_size_mb": 256, "dir": str(directory / "cache")},
    }
    storage = {"name": "demo", "driver": "local", "root": str(directory / "originals"), "cache": cache}
    return {"host": "127.0.0.1", "playground": "sign", "storages": [storage]}


def urls(port: int) -> list[str]:
    """URLs to try on a server at `port` of this machine."""
    return [f"http://localhost:{port}/demo/thumbs/{rest}" for rest in EXAMPLES]


def main(directory: Path, port: int) -> None:
    """Prepare `directory` and print the URLs."""
    directory = directory.resolve()
    draw(directory / "originals")
    _write(directory / "storages.json", json.dumps(storages(directory), indent=2).encode())
    sys.stdout.write("".join(f"  {url}\n" for url in urls(port)))


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
