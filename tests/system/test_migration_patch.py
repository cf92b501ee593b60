"""The output of `thumb_migrate` is a patch: `git apply` and `patch` make of a tree what `--write` makes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import environ_with
from tests.support.servers import ROOT, service

_LOAD, _TAG = b"{% load thumbnail %}", b'{% thumbnail f "9x9" crop="center" %}'
_CODE = "from sorl.thumbnail import get_thumbnail\nu = 'é', get_thumbnail(f, '9x9', crop='center').url\n"
_FILES = {
    "plain.html": _LOAD + b"\n<p>\n" + _TAG + b"\n",
    "crlf.html": _LOAD + b"\r\n<p>\r\n" + _TAG + b"\r\n",
    "no-newline.html": _LOAD + b"\n" + _TAG,
    "latin.txt": b"\xe9\xff\n" + _LOAD + b"\n\xe9\n" + _TAG + b"\n",
    "long.html": _LOAD + b"\n" * 40 + _TAG + b"\n" * 40 + b"{% thumbnail f size %}\n",
    "code/views.py": _CODE.encode(),
    "code/latin.py": b"# coding: latin-1\n" + _CODE.encode("latin-1"),
}


def tree(root: Path) -> Path:
    for name, data in _FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def migrate(root: Path, environ: dict[str, str], *arguments: str) -> bytes:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "thumb_migrate", "--from", "sorl", *arguments, "."],
        cwd=root,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # one place is left alone
    return done.stdout


def contents(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in _FILES}


@pytest.mark.parametrize("tool", ["git", "patch"])
def test_the_output_is_a_patch_of_what_is_written(tool: str, tmp_path: Path) -> None:
    program = service(tool)
    environ = environ_with(tmp_path, [{"name": "photos", "driver": "local", "root": str(tmp_path)}])
    written, patched = tree(tmp_path / "written"), tree(tmp_path / "patched")
    output = migrate(patched, environ)
    assert contents(patched) == _FILES
    migrate(written, environ, "--write")
    words = [program, "apply", "-"] if tool == "git" else [program, "--binary", "-p1"]
    done = subprocess.run(words, cwd=patched, input=output, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(patched) == contents(written)
    assert all(data != _FILES[name] for name, data in contents(written).items())
