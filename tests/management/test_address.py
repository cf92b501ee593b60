"""The address of `--bind` is refused in one sentence that names what is wrong, before anything is started."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from thumbs.management import address
from thumbs.management.address import require_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of the loopback where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refusal(bind: str) -> str:
    with pytest.raises(CommandError) as raised:
        require_free(bind)
    return str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "", "tcp://127.0.0.1"])
def test_a_free_port_is_good_and_stays_free(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    require_free(f"{host}:{port}")
    require_free(f"{host}:{port}")


def test_a_literal_address_of_ipv6_is_read_without_its_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str | None, int]] = []
    monkeypatch.setattr(address, "_listen", lambda host, port: asked.append((host, port)))
    require_free("[::1]:8080")
    require_free(":80")
    assert asked == [("::1", 8080), (None, 80)]


def test_a_port_that_is_taken_is_named(taken: int) -> None:
    sentence = f"Port {taken} is in use: choose another one with --bind HOST:PORT or PORT."
    assert refusal(f"127.0.0.1:{taken}") == refusal(f"tcp://localhost:{taken}") == sentence


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "Port 80 needs more privileges: choose one from 1024 on with --bind HOST:PORT or PORT.",
        ),
        (OSError(errno.ENODEV, "No such device"), "Cannot listen at h:80: No such device."),
        (OSError("all at once"), "Cannot listen at h:80: all at once."),
    ],
)
def test_what_the_system_refuses_is_a_sentence(monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(address, "_listen", fail)
    assert refusal("h:80") == sentence


@pytest.mark.parametrize(
    "bind",
    [
        *("", ":", "localhost", "localhost:", "localhost:http", "localhost:-1", "localhost:65536", "localhost:123456"),
        *("::1:8080", "http://localhost:8080", "fd://3", "vsock:x", "vsock:1:2:3", "a/b:80"),
    ],
)
def test_an_odd_address_is_refused(bind: str) -> None:
    assert refusal(bind) == f"--bind takes HOST:PORT or unix:PATH, not {bind!r}."


@pytest.mark.parametrize("host", ["a..b", "x" * 80])
def test_a_name_that_cannot_be_a_hosts_is_refused(host: str) -> None:
    assert refusal(f"{host}:80") == f"Cannot listen at {host}:80: this is not the name of a host."


def test_an_address_of_another_machine_is_refused() -> None:
    assert refusal("192.0.2.1:8080") == "Cannot listen at 192.0.2.1:8080: Cannot assign requested address."


def test_a_virtual_socket_is_left_to_gunicorn() -> None:
    require_free("vsock:2:1234")


# ------------------------------------------------------------------------------------------ sockets with a path


@pytest.mark.parametrize("scheme", ["unix:", "unix://"])
def test_a_path_where_nothing_or_a_socket_is_is_good(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    require_free(f"{scheme}socket")
    assert list(tmp_path.iterdir()) == []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        require_free(f"{scheme}socket")  # gunicorn removes it


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert refusal("unix:") == refusal("unix://") == "--bind unix:PATH takes the path of a socket."
    assert refusal(f"unix:{file}") == f"Cannot listen at {file}: the path exists and is not a socket."
    away = tmp_path / "away"
    for bind in (f"unix:{away}/s", f"unix://{away}/s"):
        assert refusal(bind) == f"Cannot listen at {away}/s: there is no directory {away}."


def test_a_path_is_as_long_as_the_system_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    require_free(f"unix:{'x' * 107}")
    sentence = f"Cannot listen at {'x' * 108}: a socket's path has at most 107 bytes."
    assert refusal(f"unix:{'x' * 108}") == sentence
    assert refusal(f"unix:{'ü' * 54}").endswith("at most 107 bytes.")


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[tuple[Path, int]] = []

    def access(path: Path, mode: int) -> bool:  # root may write everywhere
        wanted.append((path, mode))
        return False

    monkeypatch.setattr(os, "access", access)
    sentence = f"Cannot listen at {tmp_path}/s: the directory {tmp_path} cannot be written."
    assert refusal(f"unix:{tmp_path}/s") == sentence
    assert wanted == [(tmp_path, os.W_OK | os.X_OK)]
