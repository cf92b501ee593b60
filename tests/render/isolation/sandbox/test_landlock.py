"""Landlock: what the kernel is asked to refuse and to allow, and what happens when it answers otherwise.

The calls are recorded and never made: they would bind the process of the tests.
"""

import errno
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_kernel import FakeKernel
from thumbs.render.isolation.sandbox import landlock
from thumbs.render.isolation.sandbox.kernel import MissingLayer

CREATE, ADD, RESTRICT = 444, 445, 446  # <asm-generic/unistd.h>
READ_FILE, READ_DIR = 0b100, 0b1000  # <linux/landlock.h>


class Kernel(FakeKernel):
    """A kernel with Landlock of version `abi`. `rules` has rights, and inode, of each path that was allowed."""

    def __init__(self, abi: int = 7, failing: dict[int, int] | None = None) -> None:
        super().__init__()
        self.abi, self.failing = abi, failing or {}
        self.attributes: bytes | None = None
        self.ruleset = -1
        self.rules: list[tuple[int, int]] = []
        self.opened: list[int] = []

    def syscall(self, number: int, *arguments: object) -> int:
        self.calls.append((number, *arguments))
        if number in self.failing:
            raise OSError(self.failing[number], os.strerror(self.failing[number]))
        match number, arguments:
            case 444, (None, 0, 1):
                return self.abi
            case 444, (bytes() as attributes, length, 0):
                assert length == len(attributes)
                self.attributes = attributes
                self.ruleset = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
                return self.ruleset
            case 445, (self.ruleset, 1, bytes() as rule, 0):
                rights, descriptor = struct.unpack("=Qi", rule)
                assert not os.get_inheritable(descriptor)
                self.opened.append(descriptor)
                self.rules.append((rights, os.fstat(descriptor).st_ino))
                return 0
            case 446, (self.ruleset, 0):
                return 0
        raise AssertionError((number, arguments))


Start = Callable[[Kernel], Kernel]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Puts a kernel in the place of the real one. The process seems to have one thread."""

    def put(kernel: Kernel) -> Kernel:
        monkeypatch.setattr(landlock, "syscall", kernel.syscall)
        monkeypatch.setattr(landlock, "forbid_new_privileges", kernel.forbid_new_privileges)
        monkeypatch.setattr(landlock, "threads", lambda: 1)
        return kernel

    return put


def is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError as error:
        return error.errno == errno.EBADF
    return False


@pytest.mark.parametrize("version", [1, 7])
def test_the_version_is_what_the_kernel_says(start: Start, version: int) -> None:
    start(Kernel(version))
    assert landlock.abi() == version


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM])
def test_a_kernel_without_landlock_lacks_the_layer(start: Start, code: int) -> None:
    start(Kernel(failing={CREATE: code}))
    with pytest.raises(MissingLayer, match=rf"landlock is missing: .*\({errno.errorcode[code]}\)") as caught:
        landlock.abi()
    assert caught.value.layer == "landlock"


def test_an_error_without_a_name_is_a_question_mark(start: Start) -> None:
    start(Kernel(failing={CREATE: 0}))
    with pytest.raises(MissingLayer, match=r"\(\?\)"):
        landlock.abi()


@pytest.mark.parametrize(
    ("abi", "file_rights", "others"),
    [
        (1, 13, ()),
        (2, 14, ()),
        (3, 15, ()),
        (4, 15, (0b11,)),
        (5, 16, (0b11,)),
        (6, 16, (0b11, 0b11)),
        (7, 16, (0b11, 0b11)),
    ],
)
def test_all_rights_that_the_version_knows_are_refused(
    start: Start, abi: int, file_rights: int, others: tuple[int, ...]
) -> None:
    kernel = start(Kernel(abi))
    landlock.restrict([])
    assert kernel.attributes is not None
    assert struct.unpack(f"={len(kernel.attributes) // 8}Q", kernel.attributes) == ((1 << file_rights) - 1, *others)


def test_files_may_be_read_and_directories_listed(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    kernel = start(Kernel())
    landlock.restrict([tmp_path, file])
    assert kernel.rules == [
        (READ_FILE | READ_DIR, tmp_path.stat().st_ino),
        (READ_FILE, file.stat().st_ino),
    ]


def test_the_rules_come_first_then_new_privileges_are_forbidden_and_then_the_thread_is_bound(
    start: Start, tmp_path: Path
) -> None:
    kernel = start(Kernel())
    landlock.restrict([tmp_path])
    assert [call[0] for call in kernel.calls] == [CREATE, CREATE, ADD, "no new privileges", RESTRICT]


def test_no_descriptor_stays_open(start: Start, tmp_path: Path) -> None:
    kernel = start(Kernel())
    landlock.restrict([tmp_path])
    assert all(map(is_closed, (kernel.ruleset, *kernel.opened)))


def test_what_is_not_there_is_left_out(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    kernel = start(Kernel())
    landlock.restrict([tmp_path / "absent", tmp_path / "file/below", tmp_path])
    assert kernel.rules == [(READ_FILE | READ_DIR, tmp_path.stat().st_ino)]


def test_another_failure_to_open_a_path_means_that_the_layer_is_missing(start: Start, tmp_path: Path) -> None:
    kernel = start(Kernel())
    with pytest.raises(MissingLayer, match="ENAMETOOLONG"):
        landlock.restrict([tmp_path / ("n" * 300)])
    assert is_closed(kernel.ruleset)
    assert RESTRICT not in [call[0] for call in kernel.calls]


@pytest.mark.parametrize("call", [ADD, RESTRICT])
def test_a_refused_call_means_that_the_layer_is_missing_and_leaves_nothing_open(
    start: Start, tmp_path: Path, call: int
) -> None:
    kernel = start(Kernel(failing={call: errno.EINVAL}))
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only
    with pytest.raises(MissingLayer, match="EINVAL"):
        landlock.restrict([tmp_path])
    assert is_closed(kernel.ruleset)
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_process_with_other_threads_is_not_bound(start: Start, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    kernel = start(Kernel())
    monkeypatch.setattr(landlock, "threads", lambda: count)
    with pytest.raises(RuntimeError, match="before other threads start"):
        landlock.restrict([])
    assert RESTRICT not in [call[0] for call in kernel.calls]


def test_all_threads_of_the_process_are_counted() -> None:
    before, stop = landlock.threads(), threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert landlock.threads() == before + 1
    finally:
        stop.set()
        thread.join()


def test_without_proc_the_threads_of_python_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(threading, "active_count", lambda: 41)
    assert landlock.threads() == 41
