"""Installing a filter: which calls are made, for all threads, and what a refusal means. None reaches the kernel."""

import ctypes
import errno
from collections.abc import Callable

import pytest

from tests.support.fake_kernel import FakeKernel
from thumbs.render.isolation.sandbox import seccomp
from thumbs.render.isolation.sandbox.bpf import Instruction
from thumbs.render.isolation.sandbox.kernel import MissingLayer
from thumbs.render.isolation.sandbox.syscalls import AARCH64, X86_64, Architecture

PROGRAM = [Instruction(0x20, 0, 0, 4), Instruction(0x06, 0, 0, 0x7FFF0000)]
Start = Callable[..., FakeKernel]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Puts a kernel in the place of the real one, on a processor of an architecture."""

    def put(architecture: Architecture | None = X86_64, **results: int) -> FakeKernel:
        numbers = {int(name.removeprefix("call")): result for name, result in results.items()}
        kernel = FakeKernel(numbers)
        monkeypatch.setattr(seccomp, "syscall", kernel.syscall)
        monkeypatch.setattr(seccomp, "forbid_new_privileges", kernel.forbid_new_privileges)
        monkeypatch.setattr(seccomp, "this_architecture", lambda: architecture)
        return kernel

    return put


@pytest.mark.parametrize(("architecture", "number"), [(X86_64, 317), (AARCH64, 277)])
def test_the_kernel_is_asked_whether_a_filter_may_answer_with_an_errno(
    start: Start, architecture: Architecture, number: int
) -> None:
    kernel = start(architecture)
    assert seccomp.architecture() is architecture
    ((call, operation, flags, pointer),) = kernel.calls
    assert (call, operation, flags) == (number, 2, 0)  # SECCOMP_GET_ACTION_AVAIL
    assert pointer._obj.value == 0x00050000  # type: ignore[attr-defined]  # SECCOMP_RET_ERRNO


def test_a_processor_without_a_table_lacks_the_layer(start: Start) -> None:
    kernel = start(None)
    with pytest.raises(MissingLayer, match="seccomp is missing: it is made for x86-64 and arm64 only"):
        seccomp.architecture()
    assert kernel.calls == []


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_kernel_without_seccomp_lacks_the_layer(start: Start, code: int) -> None:
    start(call317=-code)
    with pytest.raises(MissingLayer, match=rf"refuses it \({errno.errorcode[code]}\)") as caught:
        seccomp.architecture()
    assert caught.value.layer == "seccomp"


def test_an_error_without_a_name_is_a_question_mark() -> None:
    assert "(?)" in str(seccomp._refused(OSError()))


def test_a_filter_is_installed_in_all_threads_after_new_privileges_are_forbidden(start: Start) -> None:
    kernel = start()
    seccomp.install(PROGRAM)
    assert [call[0] for call in kernel.calls] == [317, "no new privileges", 317]
    _, operation, flags, pointer = kernel.calls[-1]
    assert (operation, flags) == (1, 1)  # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
    program = pointer._obj  # type: ignore[attr-defined]
    assert program.length == 2
    address = ctypes.cast(ctypes.byref(program, seccomp._Program.filter.offset), ctypes.POINTER(ctypes.c_void_p))
    packed = ctypes.string_at(address.contents.value or 0, 16)
    assert packed == b"".join(instruction.pack() for instruction in PROGRAM)


def test_a_thread_with_another_filter_is_an_error(start: Start) -> None:
    start(call317=4711)
    with pytest.raises(MissingLayer, match="the thread 4711 has another filter"):
        seccomp.install(PROGRAM)


def test_a_kernel_that_refuses_the_filter_lacks_the_layer(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = start(call317=-errno.EINVAL)
    monkeypatch.setattr(seccomp, "architecture", lambda: X86_64)
    with pytest.raises(MissingLayer, match=r"refuses it \(EINVAL\)"):
        seccomp.install(PROGRAM)
    assert len(kernel.calls) == 2
