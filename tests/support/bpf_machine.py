"""A machine for the BPF programs of seccomp, written from the kernel's description (bpf(4), seccomp(2))."""

import struct
from collections.abc import Sequence

ALLOWED = "allowed"


def run(program: bytes, number: int, arguments: Sequence[int] = (), *, architecture: int) -> str | int:
    """`ALLOWED`, or the errno that a call fails with. `program` is an array of struct sock_filter."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<iIQ6Q", number - (1 << 32) if number >= 1 << 31 else number, architecture, 0, *words)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = position = 0
    while True:
        code, yes, no, value = instructions[position]
        position += 1
        match code:
            case 0x20:  # LD W ABS: only aligned words of the structure
                assert value % 4 == 0
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:  # ALU AND K
                accumulator &= value
            case 0x15:  # JMP JEQ K
                position += yes if accumulator == value else no
            case 0x35:  # JMP JGE K
                position += yes if accumulator >= value else no
            case 0x06:  # RET K
                return answer(value)
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def answer(value: int) -> str | int:
    action, errno = value & 0xFFFF0000, value & 0xFFFF
    if action == 0x7FFF0000:
        return ALLOWED
    assert action == 0x00050000, hex(value)
    return errno
