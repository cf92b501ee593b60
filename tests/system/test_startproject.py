"""The commands in a site that has only just been begun: a mistake is one line that says what to do, and a status."""

import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pictures, servers
from tests.support.servers import fetch
from tests.support.startproject import ASGI, INCLUDE, THUMBS, WRAP, Project, startproject
from tests.support.waiting import WAIT_SECONDS

_PICTURE = "img/media/thumbs/90x60/quarters.jpg"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return startproject(tmp_path_factory.mktemp("begun") / "project")


@pytest.fixture
def project(begun: Project, tmp_path: Path) -> Project:
    shutil.copytree(begun.directory, tmp_path / "project")
    return Project(tmp_path / "project")


def _line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of the error. The warnings of the checks, such as that nothing serves thumbnails, come before it."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    *warnings, line = done.stderr.splitlines()
    assert not warnings or warnings[0].startswith("System check identified some issues")
    return line.removeprefix("CommandError: ")


def _refused(project: Project, *arguments: str) -> str:
    return _line(project.manage("run_thumb_server", "--bind", f"127.0.0.1:{servers.free_port()}", *arguments))


@contextlib.contextmanager
def _served(project: Project, log: Path) -> Iterator[str]:
    port = servers.free_port()
    command = [sys.executable, "manage.py", "run_thumb_server", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=project.directory, env=project.environ, stdout=output, stderr=output)
    try:
        servers.wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


# ----------------------------------------------------------------------------------------- without THUMBS


@pytest.mark.parametrize(
    "command",
    [
        ["run_thumb_server"],
        ["run_cache_janitor", "--once"],
        ["clear_thumb_cache"],
        ["thumb_cache_stats"],
        ["warm_thumb_cache", "media", "a.jpg", "--size", "90x60"],
        ["thumb_url", "media", "a.jpg"],
        ["thumb_url", "--explain", "/img/media/thumbs/90x60/a.jpg"],
    ],
    ids=" ".join,
)
def test_a_command_without_thumbs_in_the_settings_shows_the_least(project: Project, command: list[str]) -> None:
    line = _line(project.manage(*command))
    assert line.startswith("(thumbs.E004) THUMBS.storages: is required. In settings.py, the least is THUMBS = {")


def test_the_least_is_enough(project: Project) -> None:
    hint = _line(project.manage("clear_thumb_cache")).partition("the least is ")[2].removesuffix(".")
    project.add("settings", f"\nMEDIA_ROOT = BASE_DIR / 'media'\n{hint}\n")
    done = project.manage("thumb_url", "media", "a.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("/media/thumbs/")


# ---------------------------------------------------------------------------------------- the application


def test_a_new_site_gets_the_hint_to_set_its_asgi_application(project: Project) -> None:
    project.add("settings", THUMBS)
    line = _refused(project)
    assert line == "Set ASGI_APPLICATION in settings.py: ASGI_APPLICATION = 'mysite.asgi.application'."


def test_without_wrapper_and_include_the_hint_names_both(project: Project) -> None:
    project.add("settings", THUMBS + ASGI)
    line = _refused(project)
    assert line.startswith("Nothing in this site serves thumbnails.")
    assert "mysite.asgi: application = thumbs.asgi.ThumbsASGI(" in line
    assert 'path("img/", include("thumbs.urls"))' in line


@pytest.mark.parametrize(
    ("dotted", "sentence"),
    [
        ("application", "ASGI_APPLICATION takes a module and a name in it, as in 'mysite.asgi.application', not"),
        ("mysite.asgi:application", "ASGI_APPLICATION takes a module and a name in it, as in"),
        ("mysite.agsi.application", "ASGI_APPLICATION is 'mysite.agsi.application', but mysite.agsi fails: ModuleNot"),
        ("mystie.asgi.application", "ASGI_APPLICATION is 'mystie.asgi.application', but mystie.asgi fails: ModuleNot"),
        ("mysite.asgi.app", "ASGI_APPLICATION is 'mysite.asgi.app', but mysite.asgi has no 'app'."),
        ("mysite.wsgi.application", "ASGI_APPLICATION is 'mysite.wsgi.application', which is no ASGI application."),
        ("mysite.settings.BASE_DIR", "ASGI_APPLICATION is 'mysite.settings.BASE_DIR', which is no ASGI application."),
        (".application", "ASGI_APPLICATION takes a module and a name in it"),
        ("mysite..application", "ASGI_APPLICATION is 'mysite..application', but mysite. fails: ModuleNotFoundError"),
        (".asgi.application", "ASGI_APPLICATION is '.asgi.application', but .asgi fails: TypeError"),
        (3, "ASGI_APPLICATION takes a module and a name in it, as in 'mysite.asgi.application', not 3."),
    ],
)
def test_a_wrong_path_is_reported_with_what_is_wrong(project: Project, dotted: object, sentence: str) -> None:
    project.add("settings", f"{THUMBS}\nASGI_APPLICATION = {dotted!r}\n")
    assert _refused(project).startswith(sentence)


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name' ("),
        ("1 / 0", "ZeroDivisionError: division by zero ("),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines ("),
        ("def broken(:", "SyntaxError: invalid syntax (asgi.py, line "),
        ("import sys; sys.exit('no')", "SystemExit: no ("),
        (WRAP.replace("/img/", "img"), "ValueError: a prefix begins and ends with a slash, as in '/img/' ("),
    ],
)
def test_a_module_that_fails_is_reported_with_file_and_line(project: Project, mistake: str, sentence: str) -> None:
    project.add("settings", THUMBS + ASGI)
    project.add("asgi", f"\n{mistake}\n")
    line = _refused(project)
    assert line.startswith(f"ASGI_APPLICATION is 'mysite.asgi.application', but mysite.asgi fails: {sentence}")
    assert "asgi.py" in line.rpartition("(")[2]


# --------------------------------------------------------------------------------------------- the address


@pytest.mark.parametrize(
    ("bind", "sentence"),
    [
        ("", "--bind takes HOST:PORT or unix:PATH, not ''."),
        (":", "--bind takes HOST:PORT or unix:PATH, not ':'."),
        ("localhost", "--bind takes HOST:PORT or unix:PATH, not 'localhost'."),
        ("localhost:", "--bind takes HOST:PORT or unix:PATH, not 'localhost:'."),
        ("localhost:http", "--bind takes HOST:PORT or unix:PATH"),
        ("localhost:-1", "--bind takes HOST:PORT or unix:PATH"),
        ("localhost:65536", "--bind takes HOST:PORT or unix:PATH"),
        ("::1:8080", "--bind takes HOST:PORT or unix:PATH"),
        ("http://localhost:8080", "--bind takes HOST:PORT or unix:PATH"),
        ("fd://3", "--bind takes HOST:PORT or unix:PATH"),
        ("vsock:x", "--bind takes HOST:PORT or unix:PATH"),
        ("a..b:80", "Cannot listen at a..b:80: this is not the name of a host."),
        (f"{'x' * 80}:80", f"Cannot listen at {'x' * 80}:80: this is not the name of a host."),
        ("192.0.2.1:8080", "Cannot listen at 192.0.2.1:8080: "),
        ("unix:", "--bind unix:PATH takes the path of a socket."),
        ("unix:/nonexistent/socket", "Cannot listen at /nonexistent/socket: there is no directory /nonexistent."),
        ("unix:///nonexistent/socket", "Cannot listen at /nonexistent/socket: there is no directory /nonexistent."),
        ("unix:manage.py", "Cannot listen at manage.py: the path exists and is not a socket."),
        (f"unix:{'x' * 108}", f"Cannot listen at {'x' * 108}: a socket's path has at most 107 bytes."),
    ],
)
def test_an_odd_address_is_refused(project: Project, bind: str, sentence: str) -> None:
    project.add("settings", THUMBS + ASGI)
    project.add("asgi", WRAP)
    assert _line(project.manage("run_thumb_server", "--bind", bind)).startswith(sentence)


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        project.add("settings", THUMBS.replace("THUMBS = {", f'THUMBS = {{"PORT": {port}, ') + ASGI)
        project.add("asgi", WRAP)
        sentence = f"Port {port} is in use: choose another one with --bind HOST:PORT or PORT."
        assert _line(project.manage("run_thumb_server", "--bind", f"127.0.0.1:{port}")) == sentence
        assert _line(project.manage("run_thumb_server")) == sentence


@pytest.mark.parametrize("workers", ["0", "-1", "1025"])
def test_a_number_of_workers_that_cannot_be_is_refused(project: Project, workers: str) -> None:
    project.add("settings", THUMBS + ASGI)
    project.add("asgi", WRAP)
    assert _refused(project, f"--workers={workers}") == "--workers takes a whole number from 1 to 1024."


# ------------------------------------------------------------------------------------------ and when it is right


def test_a_site_with_the_wrapper_is_served_without_a_word(originals: Path, project: Project, tmp_path: Path) -> None:
    project.add("settings", THUMBS + 'THUMBS["URL_PREFIX"] = "/img/"\n' + ASGI)
    project.add("asgi", WRAP)
    shutil.copy(originals / "quarters.jpg", project.directory / "media")
    with _served(project, tmp_path / "log") as base:
        assert pictures.decoded(fetch(base + _PICTURE).body).size == (90, 60)
        assert fetch(f"{base}admin/login/").status == 200
    assert "WARNING" not in (tmp_path / "log").read_text()


def test_a_site_with_the_include_alone_is_served_and_gets_a_hint_at_the_wrapper(
    originals: Path, project: Project, tmp_path: Path
) -> None:
    project.add("settings", THUMBS + ASGI)
    project.add("urls", INCLUDE)
    shutil.copy(originals / "quarters.jpg", project.directory / "media")
    with _served(project, tmp_path / "log") as base:
        assert pictures.decoded(fetch(base + _PICTURE).body).size == (90, 60)
    said = (tmp_path / "log").read_text()
    assert "Thumbnails pass through Django and its middleware. Faster, in mysite.asgi: application = " in said


def test_a_site_whose_wrapper_cannot_be_seen_is_served(originals: Path, project: Project, tmp_path: Path) -> None:
    """Something of the site's own is around ours."""
    project.add("settings", THUMBS + ASGI)
    around = (
        "\ninner = application\nasync def application(scope, receive, send):\n    await inner(scope, receive, send)\n"
    )
    project.add("asgi", WRAP + around)
    shutil.copy(originals / "quarters.jpg", project.directory / "media")
    with _served(project, tmp_path / "log") as base:
        assert fetch(base + _PICTURE).status == 200
    assert "The application of mysite.asgi is not a ThumbsASGI" in (tmp_path / "log").read_text()
