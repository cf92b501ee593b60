"""The code blocks of a Markdown file."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^(?:# |\{# )([\w./-]+\.\w+)(?: #\})?\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a language. `file` is the path that its first line names, empty where it names none."""

    language: str
    file: str
    text: str
    line: int


def blocks(file: Path) -> list[Block]:
    """All code blocks, in their order."""
    source = file.read_text()
    found = []
    for match in _BLOCK.finditer(source):
        named = _FILE.match(match[2])
        line = source.count("\n", 0, match.start()) + 2
        text = match[2][named.end() :] if named else match[2]
        found.append(Block(match[1], named[1] if named else "", text, line))
    return found
