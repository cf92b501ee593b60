"""Hostile JPEG XL and HEIC files over HTTP, and mutants of valid ones: a picture or the right error, and no crash."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.hostile.parts import Hostile
from tests.support.hostile_packages import heic_files, jxl_files
from tests.support.missing_extras import need
from tests.support.processes import children
from tests.support.servers import ROOT, Server
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS
from thumbs.image.formats import FORMATS, sniff

RECIPES = (
    "90x60",
    "x/f:fmt(png)",
    "300x200/f:g(smart);fmt(webp)",
    "100x100/f:pc(10,10,90,90);fmt(jpeg)",
    "600x600/f:trim(10);fit(stretch);r(90);blur(3);fmt(auto)",
)
KINDS: dict[str, Callable[[], Iterator[Hostile]]] = {"jxl": jxl_files, "heic": heic_files}
# What no answer may hold.
SECRETS = (b"Traceback", b"site-packages", b"imagecodecs", b"pillow", b"libheif", b"JxlDecoder")
MUTANTS = 300


@pytest.fixture(scope="module", params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    need(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def server(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    directory = tmp_path_factory.mktemp(f"hostile-{kind}")
    root = directory / "originals"
    root.mkdir()
    document = {
        "storages": [{"name": "hostile", "driver": "local", "root": str(root)}],
        "input_formats": ["jpeg", kind],
        "limits": {"render_seconds": 0.8 * WAIT_SECONDS},
        "isolation": "auto",
        "run_dir": str(directory / "run"),
    }
    with servers.standalone(document, directory) as server:
        yield server, root


def test_hostile_files_are_answered_and_no_worker_dies(kind: str, server: tuple[Server, Path]) -> None:
    front, root = server
    servers.eventually(lambda: bool(children(front.process.pid)))
    workers = children(front.process.pid)
    wrong = []

    def ask(file: Hostile, recipe: str) -> None:
        answer = front.get(f"hostile/thumbs/{recipe}/{file.name}.{kind}")
        declared = answer.headers["content-type"]
        is_right = answer.status in file.right and not any(secret in answer.body for secret in SECRETS)
        if answer.status == 200:
            is_right = is_right and FORMATS[sniff(answer.body) or "svg"].content_type == declared
        if not is_right:
            wrong.append((file.name, recipe, answer.status, answer.body[:200]))

    with ThreadPoolExecutor(2) as pool:
        for file in KINDS[kind]():
            (root / f"{file.name}.{kind}").write_bytes(file.build())
            list(pool.map(lambda recipe, file=file: ask(file, recipe), RECIPES))
    assert wrong == []
    assert children(front.process.pid) == workers


def test_mutants_give_a_picture_or_a_refusal_and_never_end_the_process(kind: str) -> None:
    command = [sys.executable, "-m", "tests.support.mutants_of_packages", kind, str(MUTANTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONG_WAIT_SECONDS)
    lines = done.stdout.splitlines()
    assert len(lines) == MUTANTS, (done.returncode, lines[-1:], done.stderr[-2000:])
    outcomes = {line.partition(" ")[2] for line in lines}
    assert outcomes <= {"Picture", "SourceBroken", "SourceOverLimit", "SourceUnsupported", "SizeOverLimit"}
    assert {"Picture", "SourceBroken"} <= outcomes
