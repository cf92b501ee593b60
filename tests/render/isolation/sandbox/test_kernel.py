"""System calls through the C library: arguments, errors, and the two calls of prctl(2). None reaches the kernel."""

import errno
import os
import sys

import pytest

from tests.support.fake_kernel import FakeLibrary
from thumbs.render.isolation.sandbox import kernel


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    library = FakeLibrary()
    monkeypatch.setattr(kernel, "_libc", library)
    return library


def test_a_system_call_gets_its_number_and_arguments_and_returns_a_result(library: FakeLibrary) -> None:
    library.status = 7
    assert kernel.syscall(444, None, 0, b"bytes", 1) == 7
    assert library.calls == [("syscall", 444, None, 0, b"bytes", 1)]


def test_integers_are_as_wide_as_registers() -> None:
    assert kernel.syscall(39 if os.uname().machine == "x86_64" else 172) == os.getpid()


@pytest.mark.parametrize("result", [0, 1, -2])
def test_only_minus_one_is_a_failure(library: FakeLibrary, result: int) -> None:
    library.status, library.code = result, errno.EPERM
    assert kernel.syscall(1) == result


def test_a_failed_call_raises_its_errno_with_its_text(library: FakeLibrary) -> None:
    library.status, library.code = -1, errno.EOPNOTSUPP
    with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)) as caught:
        kernel.syscall(1)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_on_another_system_no_call_is_made(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)) as caught:
        kernel.syscall(1)
    assert caught.value.errno == errno.ENOSYS
    assert library.calls == []


def test_new_privileges_are_forbidden(library: FakeLibrary) -> None:
    kernel.forbid_new_privileges()
    assert library.calls == [("prctl", 38, 1, 0, 0, 0)]  # PR_SET_NO_NEW_PRIVS


def test_dumps_are_forbidden(library: FakeLibrary) -> None:
    kernel.forbid_dumps()
    assert library.calls == [("prctl", 4, 0, 0, 0, 0)]  # PR_SET_DUMPABLE


def test_a_refused_prctl_raises_its_errno(library: FakeLibrary) -> None:
    library.status, library.code = -1, errno.EINVAL
    with pytest.raises(OSError, match=os.strerror(errno.EINVAL)) as caught:
        kernel.forbid_dumps()
    assert caught.value.errno == errno.EINVAL


def test_a_missing_layer_is_named() -> None:
    error = kernel.MissingLayer("seccomp", "it is old")
    assert str(error) == "The isolation layer seccomp is missing: it is old."
    assert error.layer == "seccomp"
