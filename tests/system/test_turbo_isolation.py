"""The extra `turbo` under isolation: children decode with it, locked down as before; the server never loads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.missing_extras import need
from tests.support.pictures import encoded
from thumbs.render.isolation import lockdown

# Renders FILE in a child, or in this process; prints which processes have the package in memory.
PROGRAM = """
import json, os, pathlib, sys

sys.path.insert(0, sys.argv[3])
data = pathlib.Path(sys.argv[1]).read_bytes()
hidden = sys.argv[2] == "without"
if hidden:
    sys.modules["simplejpeg"] = sys.modules["numpy"] = None
from thumbs.image.transforms import Transform
from thumbs.render.values import RenderLimits

transform = Transform(300, 200, "png")
found = {}
if sys.argv[2] == "child":
    from tests.support.processes import descendants
    from tests.support.isolated import is_locked_down
    from tests.support.render_children import command, setup
    from thumbs.render.isolation.pool import ChildPool
    from thumbs.render.isolation.wire import Call, Work

    pool = ChildPool(command(), setup(), places=1, count=lambda event: None)
    body = pool.run(Call.RENDER, Work(RenderLimits(), transform), data).body
    # A spare child may be on its way.
    ready = [child for child in descendants(os.getpid()) if is_locked_down(child)]
    found["locked"] = bool(ready)
    found["child"] = all("simplejpeg" in pathlib.Path(f"/proc/{child}/maps").read_text() for child in ready)
    pool.close()
else:
    from thumbs.render.renderer import Renderer

    body = Renderer().render(data, transform, RenderLimits()).body
found["bytes"] = len(body)
found["parent"] = [name for name in ("simplejpeg", "numpy") if sys.modules.get(name) is not None]
print(json.dumps(found))
"""


def run(data: bytes, tmp_path: Path, way: str) -> dict[str, object]:
    file = tmp_path / "photo.jpg"
    file.write_bytes(data)
    command = [sys.executable, "-c", PROGRAM, str(file), way, str(Path.cwd())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def photo() -> bytes:
    return encoded(pictures.scene(1503, 1207), "JPEG", quality=90)


def test_a_child_decodes_with_it_and_is_locked_down_and_the_parent_never_imports_it(
    photo: bytes, tmp_path: Path
) -> None:
    need("turbo")
    found = run(photo, tmp_path, "child")
    assert found["child"] is True
    assert found["parent"] == []
    assert found["bytes"]
    if not lockdown.missing():
        assert found["locked"] is True


def test_a_render_in_this_process_imports_it_where_it_is_installed(photo: bytes, tmp_path: Path) -> None:
    need("turbo")
    assert run(photo, tmp_path, "here")["parent"] == ["simplejpeg", "numpy"]


def test_a_render_works_without_it(photo: bytes, tmp_path: Path) -> None:
    found = run(photo, tmp_path, "without")
    assert found["parent"] == []
    assert found["bytes"]
