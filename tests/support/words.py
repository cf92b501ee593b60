"""Finds words that the project does not use in its texts: "who" and its kin, British spellings, former terms.

`python -m tests.support.words` prints each with its place; the status is 1 where there is one. A line that must keep
such a word is in `script/allowed-words.toml`, with the reason.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = "script/allowed-words.toml"
# They quote what they forbid.
_EXEMPT = {ALLOWED, "tests/support/words.py", "tests/test_words.py"}
_FOLDERS = ("script/", "deploy/", ".ci/")
_FILES = {"Dockerfile", "storages.example.json"}
_SUFFIXES = {".py", ".md", ".toml"}
_SKIPPED = {"var", "build", "dist", "node_modules", "__pycache__"}

_OUR = "behaviour|colour|endeavour|favour|flavour|harbour|honour|humour|labour|neighbour|rumour|vapour"
_ISE = (
    "author|canonical|capital|categor|central|character|custom|emphas|factor|final|general|initial|item|linear|local|maxim|"
    "memor|minim|normal|optim|organ|parallel|parameter|parametr|prior|quant|random|real|recogn|serial|special|stabil|"
    "standard|summar|symbol|synchron|token|util|vector|visual"
)
_LL = "channell|fuell|labell|levell|marshall|modell|signall|totall|travell|tunnell"
# What to do about a word: a pattern for the whole word in lower case.
_FORBIDDEN = {
    "name the part of the program or the user": r"who|whoever|whom|(?:no|some|every|any)body",
    "spell it -or": rf"(?:{_OUR})(?:s|ed|ing|ful|less|able|ably|al|ally|ite|ites|hood|hoods|er|ers)?",
    "spell it -ize": rf"(?:de|dis|re|un)?(?:{_ISE})is(?:e|es|ed|ing|er|ers|able|ation|ations)",
    "spell it -yze": r"(?:anal|catal|paral)ys(?:e|ed|ing|er|ers)",
    "spell it with an a": r"grey(?:s|ed|ing|ish|scale|scales)?",
    "spell it -er": r"(?:calib|cent|fib|lit|theat)re[sd]?|(?:centi|kilo|mega|milli)?metres?|centring",
    "spell it -se": r"(?:defence|licence|offence|pretence)s?",
    "spell it -og": r"(?:ana|cata)logue[sd]?",
    "spell it with one l": rf"(?:{_LL})(?:ed|ing|er|ers)",
    "spell it with two l": r"(?:enrol|fulfil|instal)(?:s|ment|ments)|skilful(?:ly)?",
    "use the American word": r"acknowledgements?|ageing|aluminium|amongst|artefacts?|cheques?|judgements?|learnt|"
    r"manoeuvres?|moulds?|practis(?:e|ed|ing)|programmes?|sceptical|spelt|tyres?|whilst",
    "use the term of the glossary, docs/architecture.md": r"bulletins?|journeys?|oftener|overseers?|thrice|whereabouts",
}
_PATTERN = re.compile("|".join(f"(?P<_{number}>{words})" for number, words in enumerate(_FORBIDDEN.values())))
_ADVICE = tuple(_FORBIDDEN)
# Identifiers are split at `_`, digits and capitals: `colour_space`, `ColourSpace` and `COLOURS` are found alike.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A forbidden word in the line `number`, from 1, of the file `path`."""

    path: str
    number: int
    word: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.word}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """A line, without the blanks around it, that may keep its words."""

    path: str
    line: str
    reason: str


def in_text(path: str, text: str, allowed: Iterable[Allowed] = ()) -> Iterator[Found]:
    """Every forbidden word of `text`, but for lines that are allowed in `path`."""
    passed = {each.line for each in allowed if each.path == path}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in passed:
            continue
        for word in _WORD.findall(line):
            match = _PATTERN.fullmatch(word.lower())
            if match is not None:
                yield Found(path, number, word, _ADVICE[int(str(match.lastgroup)[1:])])


def unused(texts: dict[str, str], allowed: Iterable[Allowed]) -> list[Allowed]:
    """The allowed lines that are not there, or hold no forbidden word."""
    return [
        each
        for each in allowed
        if each.line not in {line.strip() for line in texts.get(each.path, "").splitlines()}
        or not any(in_text(each.path, each.line))
    ]


def read_allowed(text: str) -> list[Allowed]:
    """The rows of `script/allowed-words.toml`. Raises TypeError where one has no path, line or reason."""
    return [Allowed(**row) for row in tomllib.loads(text).get("allowed", [])]


def texts_of(root: Path) -> dict[str, str]:
    """The checked files below `root`, by path. Folders that are hidden, `.ci` apart, or generated are left out."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED and (name == ".ci" or not name.startswith("."))
        )
        for name in sorted(names):
            path = (Path(folder) / name).relative_to(root).as_posix()
            if path not in _EXEMPT and _is_checked(path):
                found[path] = (root / path).read_text(encoding="utf-8")
    return found


def _is_checked(path: str) -> bool:
    return path in _FILES or path.startswith(_FOLDERS) or Path(path).suffix in _SUFFIXES


def problems(root: Path) -> list[str]:
    """A line for every forbidden word below `root`, and for every allowed line that is not needed."""
    texts = texts_of(root)
    allowed = read_allowed((root / ALLOWED).read_text(encoding="utf-8"))
    found = [str(each) for path, text in texts.items() for each in in_text(path, text, allowed)]
    return found + [
        f"{ALLOWED}: remove the line that is not needed: {each.path}: {each.line}" for each in unused(texts, allowed)
    ]


if __name__ == "__main__":
    lines = problems(ROOT)
    print("\n".join([*lines, f"{len(lines)} to mend"]))  # noqa: T201
    sys.exit(bool(lines))
