"""Stands for `kernel.syscall`: records each call, and answers as a test says. No call reaches the kernel."""

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class FakeKernel:
    """`results` are by the number of the call: what it returns, or an errno to fail with, as a negative number."""

    results: Mapping[int, int] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def syscall(self, number: int, *arguments: object) -> int:
        self.calls.append((number, *arguments))
        result = self.results.get(number, 0)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    def forbid_new_privileges(self) -> None:
        self.calls.append(("no new privileges",))


@dataclass
class FakeLibrary:
    """Stands for `kernel._libc`: `status` is what each function returns, `code` the errno that it leaves."""

    status: int = 0
    code: int = 0
    calls: list[tuple[str, *tuple[object, ...]]] = field(default_factory=list)

    def syscall(self, *arguments: object) -> int:
        return self._call("syscall", arguments)

    def prctl(self, *arguments: object) -> int:
        return self._call("prctl", arguments)

    def _call(self, name: str, arguments: tuple[object, ...]) -> int:
        self.calls.append((name, *(getattr(each, "value", each) for each in arguments)))
        ctypes.set_errno(self.code)
        return self.status
