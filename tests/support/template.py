"""A process that has imported what the servers of the tests import, and forks a copy of itself for each program to run.

`tests.support.copies` starts it. A copy becomes what `python PROGRAM` or `python -m PROGRAM` would be: nothing that
reads settings or the environment is imported before, and there is no thread.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import types
from pathlib import Path

from thumbs.conf import installation

# What waits for the environment: it chooses how to count when it is imported.
_LATER = ("prometheus_client", "pyvips", "mage_project.settings", "tests.support.site")
_MODULES = (
    *("django.core.asgi", "django.core.wsgi", "django.core.management", "django.core.management.commands.check"),
    *("thumbs.apps", "thumbs.asgi", "thumbs.wsgi", "thumbs.urls", "thumbs.wiring.build"),
    *("thumbs.checks.config", "thumbs.checks.caches", "thumbs.checks.isolation", "thumbs.checks.mounts"),
    *("thumbs.checks.private", "django.utils.translation.reloader"),
    *("mage_project.views", "thumbs.management.commands.run_thumb_server", "thumbs.server.janitor"),
)
# These need an extra.
_OF_EXTRAS = (
    *("gunicorn.app.wsgiapp", "gunicorn.arbiter", "gunicorn.workers.gthread", "gunicorn.asgi.protocol"),
    *("thumbs.server.worker", "thumbs.server.protocol", "uvloop", "thumbs.sources.s3.source"),
)


def main(descriptor: int) -> None:
    for name in _MODULES:
        importlib.import_module(name)
    for name in _OF_EXTRAS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    installation.libvips()  # the system checks ask a process of its own, and remember
    loaded = [name for name in _LATER if name in sys.modules]
    if loaded or threading.active_count() != 1:
        raise RuntimeError(f"loaded too early: {loaded}; threads: {threading.enumerate()}")
    gc.collect()
    gc.freeze()
    program = _serve(socket.socket(fileno=descriptor))
    if program:
        _become(program)


def _serve(control: socket.socket) -> list[str]:
    """Fork for each request, and report how each copy has ended. Returns in a copy, with its arguments.

    A request is one byte with three files: where to report to, the output, and a document of what to run.
    """
    reports: dict[int, socket.socket] = {}
    ended, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is ended:
                    ended.recv(4096)
                    _report(reports)
                    continue
                said, files, _, _ = socket.recv_fds(control, 1, 4)
                if not said:  # the tests have ended, perhaps in the middle of one
                    for pid in reports:
                        os.kill(pid, signal.SIGTERM)
                    return []
                report, *outputs, document = files
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for each in (control, ended, waker, *reports.values()):
                        each.close()
                    os.close(report)
                    return _prepared(outputs, document)
                reports[pid] = socket.socket(fileno=report)
                for file in (*outputs, document):
                    os.close(file)
                with contextlib.suppress(OSError):  # the test has ended meanwhile
                    reports[pid].sendall(b"%d" % pid)


def _report(reports: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with reports.pop(pid) as report, contextlib.suppress(OSError):
                report.sendall(b"%d" % os.waitstatus_to_exitcode(status))


def _prepared(outputs: list[int], document: int) -> list[str]:
    """Take over environment, directory and output. Returns the arguments."""
    for number, file in enumerate(outputs, 1):
        os.dup2(file, number)
        os.close(file)
    if len(outputs) == 1:
        os.dup2(1, 2)
    with os.fdopen(document, "rb") as text:
        wanted = json.load(text)
    before, after = (each.get("PYTHONPATH", "") for each in (os.environ, wanted["environ"]))
    for directory in filter(None, before.split(os.pathsep)):
        sys.path.remove(directory)
    sys.path[1:1] = filter(None, after.split(os.pathsep))
    os.environ.clear()
    os.environ.update(wanted["environ"])
    os.chdir(wanted["directory"])
    arguments: list[str] = wanted["arguments"]
    return arguments


def _become(program: list[str]) -> None:
    """Run `-m MODULE …`, `-c CODE …` or `FILE …`, as Python does after its start."""
    if program[0] == "-c":
        sys.path[0] = ""
        sys.argv = ["-c", *program[2:]]
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(program[1], "<string>", "exec"), vars(module))
    elif program[0] == "-m":
        _, name, *arguments = program
        sys.path[0] = str(Path.cwd())
        sys.argv = ["-m", *arguments]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(program[0]).resolve().parent)
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]))
