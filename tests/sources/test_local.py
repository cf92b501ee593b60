"""What is particular to originals on a disk: links, odd files, and files that change while they are read."""

import errno
import functools
import os
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.source_fixtures import DATA, DEADLINE, MAX_BYTES, SourceFixture, disk_fixture
from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.local import LocalSource


@pytest.fixture(params=["local", "storage-disk"])
def fixture(request: pytest.FixtureRequest, tmp_path: Path) -> SourceFixture:
    return disk_fixture(request.param, tmp_path / "root-of-pictures")


def test_a_symlink_that_leaves_the_root_is_missing(fixture: SourceFixture, tmp_path: Path) -> None:
    fixture.put("cats/tom.jpg", DATA)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"secret")
    root = Path(fixture.secrets[0])
    (root / "file.jpg").symlink_to(outside / "secret.jpg")
    (root / "relative.jpg").symlink_to("../outside/secret.jpg")
    (root / "directory").symlink_to(outside)
    (root / "loop.jpg").symlink_to("loop.jpg")
    # A directory whose name merely begins as the root's does is outside too.
    sibling = root.with_name(root.name + "-sibling")
    sibling.mkdir()
    (sibling / "secret.jpg").write_bytes(b"secret")
    (root / "sibling.jpg").symlink_to(sibling / "secret.jpg")
    source = fixture.source(MAX_BYTES)
    for path in ("file.jpg", "relative.jpg", "directory/secret.jpg", "loop.jpg", "sibling.jpg"):
        for call in (source.read, source.version):
            with pytest.raises(SourceMissing):
                call(path)


def test_a_symlink_that_stays_inside_is_followed_and_so_is_a_root_that_is_one(
    fixture: SourceFixture, tmp_path: Path
) -> None:
    fixture.put("cats/tom.jpg", DATA)
    root = Path(fixture.secrets[0])
    (root / "link.jpg").symlink_to("cats/tom.jpg")
    (root / "pets").symlink_to(root / "cats")
    assert fixture.source(MAX_BYTES).read("link.jpg").data == DATA
    assert fixture.source(MAX_BYTES).read("pets/tom.jpg").data == DATA
    (tmp_path / "linked-root").symlink_to(root)
    linked = LocalSource(str(tmp_path / "linked-root"), max_bytes=MAX_BYTES, deadline=DEADLINE)
    assert linked.read("cats/tom.jpg").data == DATA


def test_with_follow_symlinks_a_link_may_leave_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "far.jpg").write_bytes(DATA)
    (tmp_path / "root" / "near.jpg").symlink_to(tmp_path / "far.jpg")
    source = LocalSource(str(tmp_path / "root"), follow_symlinks=True, max_bytes=MAX_BYTES, deadline=DEADLINE)
    assert source.read("near.jpg").data == DATA


@pytest.mark.parametrize("follow_symlinks", [False, True])
@pytest.mark.parametrize(
    "spelling",
    ["", "/", ".", "..", "../far.jpg", "cats/../tom.jpg", "./tom.jpg", "/tom.jpg", "tom.jpg/", "cats//tom.jpg"],
)
def test_a_second_spelling_of_a_file_is_missing(tmp_path: Path, spelling: str, follow_symlinks: bool) -> None:
    (tmp_path / "root" / "cats").mkdir(parents=True)
    for name in ("far.jpg", "root/tom.jpg", "root/cats/tom.jpg"):
        (tmp_path / name).write_bytes(DATA)
    source = LocalSource(
        str(tmp_path / "root"), follow_symlinks=follow_symlinks, max_bytes=MAX_BYTES, deadline=DEADLINE
    )
    for path in (spelling, str(tmp_path / "far.jpg")):
        with pytest.raises(SourceMissing):
            source.read(path)


def test_a_fifo_a_socket_and_a_device_are_missing_and_do_not_hang(fixture: SourceFixture, tmp_path: Path) -> None:
    fixture.put("tom.jpg", DATA)
    root = Path(fixture.secrets[0])
    os.mkfifo(root / "fifo.jpg")
    (root / "null.jpg").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        # A socket's address is short, a temporary directory's may not be: it is bound elsewhere and moved.
        with tempfile.TemporaryDirectory() as short:
            listener.bind(f"{short}/s")
            shutil.move(f"{short}/s", root / "socket.jpg")
        assert stat.S_ISSOCK((root / "socket.jpg").stat().st_mode)
        source = fixture.source(MAX_BYTES)
        following = LocalSource(str(root), follow_symlinks=True, max_bytes=MAX_BYTES, deadline=DEADLINE)
        for path in ("fifo.jpg", "socket.jpg", "null.jpg"):
            for call in (source.read, source.version, following.read):
                assert isinstance(_outcome_aside(functools.partial(call, path)), SourceMissing)


def _outcome_aside(call: Callable[[], object]) -> object:
    """What `call` gives or raises, in a thread that may hang without the tests; None if it does."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(call())
        except ThumbError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    return outcome[0] if outcome else None


def test_a_huge_file_is_too_large_before_it_is_read(fixture: SourceFixture) -> None:
    fixture.put("huge.jpg", b"")
    os.truncate(Path(fixture.secrets[0]) / "huge.jpg", 1 << 40)  # sparse: a terabyte that no memory would hold
    with pytest.raises(SourceTooLarge):
        fixture.source(MAX_BYTES).read("huge.jpg")


@pytest.fixture
def without_root() -> Iterator[Callable[[], None]]:
    """Give up the rights of root, which may read everything, until the test ends."""
    before = os.geteuid()

    def drop() -> None:
        if before == 0:
            os.seteuid(65534)

    yield drop
    os.seteuid(before)


def test_a_file_that_may_not_be_read_is_missing(without_root: Callable[[], None]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        for name, mode in (("open.jpg", 0o644), ("closed.jpg", 0)):
            (root / name).write_bytes(DATA)
            # Before 5.2.12, Django could leave an umask of 077 where threads wrote into a cache of files at once.
            (root / name).chmod(mode)
        (root / "closed").mkdir(0o700)
        source = LocalSource(directory, max_bytes=MAX_BYTES, deadline=DEADLINE)
        (root / "closed").chmod(0)
        without_root()
        try:
            assert source.read("open.jpg").data == DATA
            for path in ("closed.jpg", "closed/tom.jpg"):
                with pytest.raises(SourceMissing):
                    source.read(path)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            (root / "closed").chmod(0o700)


def test_a_root_that_is_gone_is_a_failure_and_not_a_missing_original(fixture: SourceFixture) -> None:
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    shutil.rmtree(fixture.secrets[0])
    for call in (lambda: source.read("tom.jpg"), lambda: source.version("tom.jpg"), source.ready):
        with pytest.raises(StorageFailed) as caught:
            call()
        assert fixture.secrets[0] not in str(caught.value)


def test_a_disk_that_cannot_be_read_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tom.jpg").write_bytes(DATA)
    source = LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE)

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error", str(tmp_path))

    monkeypatch.setattr(os, "read", broken)
    with pytest.raises(StorageFailed) as caught:
        source.read("tom.jpg")
    assert str(tmp_path) not in str(caught.value)


def _changing(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> None:
    """Call `change` with how often it was called before, after each chunk that is read."""
    read, calls = os.read, iter(range(1_000_000))

    def read_and_change(file: int, amount: int) -> bytes:
        data = read(file, amount)
        change(next(calls))
        return data

    monkeypatch.setattr(os, "read", read_and_change)


def _rewrite(file: Path, data: bytes, *, unless: bool = False) -> None:
    if not unless:
        file.write_bytes(data)


@pytest.mark.parametrize("size", [10, 2_000_000, 3_500_000], ids=["shrinks", "replaced", "grows"])
def test_a_file_that_changes_once_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    file = tmp_path / "tom.jpg"
    file.write_bytes(b"a" * 2_000_000)
    os.utime(file, (1, 1))
    _changing(monkeypatch, lambda call: _rewrite(file, b"b" * size, unless=call > 0))
    original = LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg")
    assert original.data == b"b" * size
    assert original.version == LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE).version("tom.jpg")


def test_a_file_that_never_stops_changing_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tom.jpg"
    file.write_bytes(DATA)
    _changing(monkeypatch, lambda call: _rewrite(file, DATA * (call + 2)))
    with pytest.raises(StorageFailed):
        LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg")


def test_a_file_that_outgrows_the_limit_while_it_is_read_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tom.jpg"
    file.write_bytes(DATA)
    _changing(monkeypatch, lambda _: os.truncate(file, 1 << 40))
    with pytest.raises(SourceTooLarge):
        LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg")


def test_a_slow_disk_is_left_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tom.jpg").write_bytes(bytes(3 << 20))
    _changing(monkeypatch, lambda _: time.sleep(0.1))
    with pytest.raises(StorageTimeout):
        LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=0.05).read("tom.jpg")


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "tom.jpg").write_bytes(DATA)
    (tmp_path / "cats").mkdir()
    source = LocalSource(str(tmp_path), max_bytes=MAX_BYTES, deadline=DEADLINE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        for path in ("tom.jpg", "cats", "nothing.jpg"):
            try:
                source.read(path)
            except SourceMissing:
                continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
