"""Hostile files over HTTP: each is answered with a picture or the right error, and no worker crashes."""

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.fronts import ACCESS_KEY, BUCKET, SECRET, s3_storage, signature
from tests.support.hostile.files import FILES
from tests.support.hostile.parts import LISTENER, Hostile
from tests.support.processes import children
from tests.support.servers import OUR_WORKER, Answer, Server
from tests.support.waiting import WAIT_SECONDS
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS, sniff

HEADER_ONLY = "x/f:fmt(json)"  # it may be right where pixels are damaged
RECIPES = (
    "90x60",
    "x/f:fmt(png)",
    "300x200/f:g(smart);fmt(webp)",
    "120x120/f:fit(fill,fff8);dpr(2);frames(all);fmt(gif)",
    "100x100/f:pc(10,10,90,90);fmt(avif)",
    "600x600/f:trim(10);fit(stretch);r(90);blur(3);fmt(auto)",
    "x/f:fmt(json);data(thumbhash,color);trim(10)",
    HEADER_ONLY,
)
# Names of libraries, and what some of the files contain for browsers and servers to run.
_LIBRARIES = (
    "Traceback",
    'File "',
    "site-packages",
    "vips",
    "libjpeg",
    "libpng",
    "heif",
    "errno",
    "django",
    "gunicorn",
)
_PAYLOADS = ("<script", "alert(1)", "<?php", "<!ENTITY", "root:x:0")
_MOST, _SLOW_SECONDS = 5, 2.0
# On a busy machine a picture takes many times as long. What a parser may cost is counted in steps, by
# `tests/render/test_parser_bounds.py`.
_PATIENT = {"render_seconds": 0.8 * WAIT_SECONDS, "queue_seconds": WAIT_SECONDS}


@dataclass(frozen=True, order=True)
class Asked:
    """One request: how long its answer took, the server, and the target. A status of 0 is no answer at all."""

    seconds: float
    file: str
    recipe: str
    front: str
    status: int

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s  {self.status}  {self.file:40} {self.recipe:48} {self.front}"


@dataclass
class Ground:
    """Both worker classes, running on the same directory. `canaries` are texts that no answer may hold."""

    root: Path
    fronts: tuple[Server, ...]
    listener: socket.socket
    canaries: tuple[str, ...]
    asked: list[Asked] = field(default_factory=list)
    grown: dict[str, int] = field(default_factory=dict)

    @property
    def workers(self) -> set[int]:
        return {pid for front in self.fronts for pid in children(front.process.pid)}

    def lay(self, file: Hostile) -> None:
        host, port = self.listener.getsockname()
        (self.root / f"{file.name}.jpg").write_bytes(file.build().replace(LISTENER, f"{host}:{port}".encode()))

    def ask(self, file: Hostile, recipe: str, front: Server) -> Answer:
        path = f"{recipe}/{file.name}.jpg"
        signed = f"hostile/thumbs/{signature(f'/hostile/thumbs/{path}')}/{path}"
        began = time.monotonic()
        try:
            answer = front.get(signed, headers={"Accept": "image/webp,*/*"})
        except (OSError, HTTPException) as error:
            answer = Answer(0, {}, repr(error).encode())
        self.asked.append(Asked(time.monotonic() - began, file.name, recipe, front.name, answer.status))
        return answer

    def visited(self) -> bool:
        """Whether there was a connection to the address that some files refer to."""
        with contextlib.suppress(BlockingIOError):
            self.listener.accept()[0].close()
            return True
        return False

    def report(self) -> str:
        asked = sorted(self.asked, reverse=True)
        over = sorted({each.file for each in asked if each.seconds > _SLOW_SECONDS})
        largest = sorted(self.grown, key=self.grown.__getitem__, reverse=True)[:_MOST]
        return "\n".join(
            (
                f"{len(asked)} requests; over {_SLOW_SECONDS:g} s: {', '.join(over) or 'none'}",
                *map(str, asked[:_MOST]),
                *(f"{self.grown[name]:+6} MiB  {name}" for name in largest),
            )
        )


def _forget_peak(pid: int) -> None:
    with contextlib.suppress(OSError):  # not every kernel permits it
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _mebibytes(pid: int, name: str) -> int:
    match = re.search(rf"{name}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) // 1024 if match else 0


@contextlib.contextmanager
def _running(directory: Path, *, wide: bool) -> Iterator[Ground]:
    """Servers that read the usual formats or, when `wide`, SVG and TIFF as well."""
    root = directory / "canary-originals"
    root.mkdir()
    document = {
        "storages": [
            {"name": "hostile", "driver": "local", "root": str(root), "signature_secret_key": SECRET},
            s3_storage("elsewhere", "http://127.0.0.1:9", signature_secret_key=SECRET),
        ],
        "input_formats": [*DEFAULT_INPUTS, *(("svg", "tiff") if wide else ())],
        "limits": _PATIENT,
        "run_dir": str(directory / "run"),
    }
    starts = []
    for worker in (OUR_WORKER, "gthread"):
        own = directory / worker
        own.mkdir()
        starts.append(partial(servers.standalone, document, own, worker=worker))
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(starts)) as pool:
        fronts = tuple(pool.map(lambda start: stack.enter_context(start()), starts))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.setblocking(False)
        ground = Ground(root, fronts, listener, (str(directory), root.name, BUCKET, SECRET, ACCESS_KEY))
        servers.eventually(lambda: len(ground.workers) == len(fronts))
        yield ground
        print(f"\n{ground.report()}")  # noqa: T201 - figures to read with `pytest -s`
        for front in fronts:  # both at once
            front.process.terminate()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with _running(tmp_path_factory.mktemp("hostile"), wide=False) as ground:
        yield ground


@pytest.fixture(scope="module")
def wide_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with _running(tmp_path_factory.mktemp("wide"), wide=True) as ground:
        yield ground


def _cases(*, wide: bool) -> list[object]:
    return [
        pytest.param(file, id=file.name, marks=[pytest.mark.slow] if file.slow else [])
        for file in FILES
        if file.wide is wide
    ]


@pytest.mark.parametrize("file", _cases(wide=False))
def test_a_hostile_file_is_answered_and_harms_no_other_request(ground: Ground, file: Hostile) -> None:
    _attack(ground, file)


@pytest.mark.parametrize("file", _cases(wide=True))
def test_a_hostile_svg_or_tiff_harms_no_server_that_reads_it(wide_ground: Ground, file: Hostile) -> None:
    _attack(wide_ground, file)


def _attack(ground: Ground, file: Hostile) -> None:
    ground.lay(file)
    alive = ground.workers
    assert len(alive) == len(ground.fronts)
    resident = {pid: _mebibytes(pid, "VmRSS") for pid in alive}
    for pid in alive:
        _forget_peak(pid)
    requests = [(recipe, front) for recipe in RECIPES for front in _fronts_for(recipe, file, ground)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda request: ground.ask(file, *request), requests))
    assert ground.workers == alive, "a worker died"
    ground.grown[file.name] = max(_mebibytes(pid, "VmHWM") - resident[pid] for pid in alive)
    statuses: dict[str, set[int]] = {recipe: set() for recipe in RECIPES}
    for (recipe, front), answer in zip(requests, answers, strict=True):
        statuses[recipe].add(answer.status)
        right = {200, *file.right} if recipe == HEADER_ONLY else file.right
        assert answer.status in right, (recipe, front.name, answer.body[:300])
        _check(answer, ground.canaries)
    assert all(len(seen) == 1 for seen in statuses.values()), statuses  # both classes say the same
    assert not ground.visited()
    (ground.root / f"{file.name}.jpg").unlink()


def _fronts_for(recipe: str, file: Hostile, ground: Ground) -> tuple[Server, ...]:
    """Both, except that of a heavy file each renders half of the recipes: both render by the same code.

    The first recipe and the last one show that both say the same of it.
    """
    number = RECIPES.index(recipe)
    if not file.heavy or number in (0, len(RECIPES) - 1):
        return ground.fronts
    return (ground.fronts[number % len(ground.fronts)],)


def _check(answer: Answer, canaries: tuple[str, ...]) -> None:
    """The answer is of the type that it declares, and has no internal detail in it."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items() if name != "server")
    body = answer.body.decode("latin-1")
    kind = answer.headers["content-type"]
    if answer.status == 200:
        is_data = answer.body.startswith(b'{"source"')
        assert kind == "application/json" if is_data else FORMATS[sniff(answer.body) or "svg"].content_type == kind
        found = [text for text in (*canaries, *_PAYLOADS) if text in body]
    else:
        assert (kind, answer.headers["cache-control"]) == ("application/problem+json", "no-store")
        found = [text for text in (*canaries, *_PAYLOADS, *_LIBRARIES) if text in body]
    found += [text for text in (*canaries, *_PAYLOADS, *_LIBRARIES) if text in head]
    assert not found, (found, head, body[:1000])


def test_there_are_files_enough() -> None:
    names = {file.name for file in FILES}
    assert len(names) == len(FILES) >= 120
    assert os.sep not in "".join(names)
