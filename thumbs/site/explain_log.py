"""Explains the URLs of a log or a list: which would be served, and what each becomes. Reads no original."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thumbs.site.explain import Explanation, explain

# The request of a line in the Common Log Format and its kin, and the first word of a list.
_REQUEST = re.compile(r"\"(?:GET|HEAD) (\S+)(?: HTTP/[0-9.]+)?\"")
_URL = re.compile(r"\s*((?:https?://[^\s/]+)?/\S*)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A URL of a log, how often it stands there, and its explanation."""

    count: int
    explanation: Explanation

    @property
    def is_served(self) -> bool:
        return self.explanation.error is None

    @property
    def text(self) -> str:
        """What the URL becomes, or why it is refused."""
        error = self.explanation.error
        if error is not None:
            return f"{error.status}: {error.detail}"
        lines = dict(self.explanation.lines)
        return lines.get("becomes") or lines.get("canonical") or ""


@dataclass(frozen=True, slots=True)
class LogSummary:
    """`entries` are in the order of their counts, refused ones first; `unread` lines hold no URL."""

    entries: tuple[LogEntry, ...]
    unread: int

    def requests(self, *, served: bool) -> int:
        return sum(entry.count for entry in self.entries if entry.is_served is served)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why requests are refused, and how many, the most frequent first."""
        found: Counter[str] = Counter()
        for entry in self.entries:
            if not entry.is_served:
                found[entry.text] += entry.count
        return found.most_common()


def explain_log(lines: Iterable[str]) -> LogSummary:
    """Explain each different URL of `lines` once."""
    counts: Counter[str] = Counter()
    unread = 0
    for url in _urls(lines):
        if url is None:
            unread += 1
        else:
            counts[url] += 1
    entries = [LogEntry(count, explain(url)) for url, count in counts.most_common()]
    entries.sort(key=lambda entry: entry.is_served)  # stable: by count within each
    return LogSummary(tuple(entries), unread)


def _urls(lines: Iterable[str]) -> Iterator[str | None]:
    """The URL of each line that is not empty; None where there is none."""
    for line in lines:
        if line.strip():
            match = _REQUEST.search(line) or _URL.fullmatch(line)
            yield None if match is None else match[1]
