"""The hint of a system check, followed in a project as `startproject` makes it, ends the warning."""

from pathlib import Path

from tests.support.startproject import ASGI, INCLUDE, THUMBS, WRAP, startproject


def test_the_hint_is_enough(tmp_path: Path) -> None:
    """In a project as `startproject` makes it, that saves sessions."""
    project = startproject(tmp_path / "project")
    project.add("settings", THUMBS + "\nSESSION_SAVE_EVERY_REQUEST = True\n")
    project.add("urls", INCLUDE)
    done = project.manage("check")
    assert done.returncode == 0
    assert "(thumbs.W004) MIDDLEWARE: django.contrib.sessions.middleware.SessionMiddleware saves" in done.stderr
    assert "ThumbsWSGI(get_wsgi_application(), prefix" in done.stderr
    project.add("settings", ASGI)
    project.add("asgi", WRAP)
    assert project.manage("check").stdout == "System check identified no issues (0 silenced).\n"
