"""How many connections a worker takes: the files that it may open are for hot entries and others too."""

import resource

import pytest

from thumbs.server.connections import REFUSALS, most_connections


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (resource.RLIM_INFINITY, (1000, REFUSALS)),
        (65536, (1000, REFUSALS)),
        (1024, (1024 - 128 - 64, REFUSALS)),
        (512, (512 - 128 - 32, REFUSALS)),
        (511, (127, REFUSALS)),
        (64, (16, 16)),
        (3, (1, 0)),
    ],
)
def test_hot_files_and_others_leave_so_many(
    monkeypatch: pytest.MonkeyPatch, files: int, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections(1000) == expected
    assert most_connections(10)[0] == min(10, expected[0])


@pytest.mark.parametrize("files", [64, 300, 512, 1024, 4096])
def test_there_is_room_for_all_of_them(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    connections, refusals = most_connections(100_000)
    assert connections + refusals + files // 16 < files
