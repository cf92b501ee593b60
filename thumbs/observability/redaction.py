"""Removes signatures and secrets from log records when they are made, before any handler sees them.

Removed from the text of a record and its traceback are: values that were named as secrets (`hide`); the value after a
sensitive name in a URL, a header or a mapping; and a thumbnail's URL from its signature on, in every encoding. Of
requests that gunicorn could not parse or answer, nothing that the client sent is kept.

In our own records each argument is redacted by itself, before the message is put together: an argument may be text that
a client chose, and must not hide or break what stands beside it.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
# Every logger of this package. In a site only their records are redacted: logging belongs to the site.
OUR_LOGGERS = ("thumbs", "thumbs.access", "thumbs.cache", "thumbs.janitor")
# Shorter secrets would match parts of ordinary words, and protect nothing.
_MIN_SECRET_LENGTH = 4

# Names of settings, options and headers with secrets: those that Django's debug pages hide, and `credential`.
_SENSITIVE = (
    r"(?:auth(?!ors?\b)|token|secret|pass(?:word|wd|phrase)|signature|credential|\bsig\b|(?:api|access|account)_?key)"
)
_NAMES = re.compile(rf"{_SENSITIVE}|key\Z|pass\Z", re.IGNORECASE)
# What follows may be part of a text in JSON or Python: a backslash that escapes a quote there stays with its quote.
_NO_SPACE = r"(?:[^\s'\"\\]|\\[^\s'\"])+"
_QUOTE = r"(?:\\(?:\\\\(?:\\{4})?)?)?['\"]"  # as it stands in a text of JSON or Python that is in another one
# The bounds keep the time linear in the length of a text that a client has chosen.
_REST = r"[\w.-]{0,64}"
_NAMED = rf"{_SENSITIVE}{_REST}(?:=|{_QUOTE}\s*:\s*)b?"
_PAIRS = (
    # user:password@ of a URL
    (re.compile(r"(?<=://)[^\s/@'\"]+(?=@)"), HIDDEN),
    # Authorization: Bearer x
    (
        re.compile(
            rf"(?i)((?:authorization|cookie|security-token)\w*(?:{_QUOTE})?:\s*b?(?:{_QUOTE})?)"
            r"(?:[^'\"\r\n\\]|\\[^'\"\r\n])+"
        ),
        rf"\1{HIDDEN}",
    ),
    # <SecretAccessKey>x</SecretAccessKey>, and without the end
    (re.compile(rf"(?i)(<\w{{0,64}}{_SENSITIVE}\w{{0,64}}>)(?:[^<]+(?=</)|[^\s<'\"\\]+)"), rf"\1{HIDDEN}"),
    # Signature: 64 hex digits, on this line or the next
    (re.compile(r"(?i)(signature:\s+)[0-9a-f]{32,}"), rf"\1{HIDDEN}"),
    # 'password': 'x', password='x'
    (re.compile(rf"(?i)({_NAMED}({_QUOTE}))(?:(?!(?<!\\)\2)[^\r\n])+(?=(?<!\\)\2)"), rf"\1{HIDDEN}"),
    # The same without the second quote: a client may have chosen the first one, so the rest of the line stays.
    (re.compile(rf"(?i)({_NAMED}{_QUOTE}){_NO_SPACE}"), rf"\1{HIDDEN}"),
    # ?X-Amz-Signature=x, Credential=x
    (re.compile(rf"(?i)({_SENSITIVE}{_REST}=)(?:[^\s&,;'\"()<>\\]|\\[^\s'\"])+"), rf"\1{HIDDEN}"),
)
# Optimization: the patterns are tried only on text that contains one of these.
_WORDS = ("key", "auth", "token", "secret", "pass", "sig", "credential", "cookie", "://")
# `/thumbs/`, with any of its characters percent-encoded, once or twice.
_MIDDLE = "".join(f"(?:{char}|%(?:25)?{ord(char):02x}|%(?:25)?{ord(char.upper()):02x})" for char in "/thumbs/")
_SIGNED = re.compile(rf"(?i)({_MIDDLE})(?:[\w-]|%(?!2f)[0-9a-f]{{2}}){{16,}}(?=/|%|\s|['\"\\]|\Z)")
_TARGET = re.compile(rf"(?i)({_MIDDLE}){_NO_SPACE}")
# A segment or a value that may be a signature in the wrong position of a URL: long, with letters of both cases. (A slug
# has one case. Of signatures with 22 characters, all but one in a hundred thousand have both.)
_LIKE_A_SIGNATURE = re.compile(
    r"(?<=[/=])(?=[^/?&\s'\"]*[A-Z])(?=[^/?&\s'\"]*[a-z])(?:[\w-]|%[0-9A-Fa-f]{2}){16,}={0,2}(?=[/?&\s'\"\\]|\Z)"
)
_CODE_LINE = re.compile(r"\s*File \"")
# Messages of gunicorn with a target as an argument, and what replaces them.
_WITH_TARGET = {
    "%s %s": "a request",
    "Error handling request %s": "Error handling request",
    "Error handling request %s %s": "Error handling request",
}
_UNREADABLE = re.compile(r"(Invalid request from ip=\S*):.*", re.DOTALL)

_secrets: "re.Pattern[str] | None" = None
_known: set[str] = set()
_passing: set[str] = set()  # those of `_known` that the settings of a test brought
_lock = threading.Lock()


class Redacted(str):
    """A text that was put together of redacted values, and that a record keeps as it is."""

    __slots__ = ()


class _Value:
    """An argument of a record that prints without secrets and signatures."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return redacted(str(self._value))

    def __repr__(self) -> str:
        return redacted(repr(self._value))


def hide(values: Iterable[str]) -> None:
    """Remove `values` from all later records, also when they are percent-encoded or escaped by Python or JSON."""
    with _lock:
        added = set(_spellings(values))
        _passing.difference_update(added)
        _replace(_known | added)


def hide_for_now(values: Iterable[str]) -> None:
    """As `hide`, until the next call: for the secrets of settings that a test overrides."""
    with _lock:
        lasting = _known - _passing
        added = set(_spellings(values)) - lasting
        _passing.clear()
        _passing.update(added)
        _replace(lasting | added)


def spellings() -> frozenset[str]:
    """What is removed from records besides the patterns: every spelling of each secret."""
    with _lock:
        return frozenset(_known)


def hide_spellings(known: Iterable[str]) -> None:
    """Remove what `spellings` returned in another process."""
    with _lock:
        _replace(_known | set(known))


def _replace(known: set[str]) -> None:
    global _secrets  # noqa: PLW0603 - one set of secrets per process
    if known != _known:
        _known.clear()
        _known.update(known)
        # Longest first, because one may begin with another.
        longest_first = sorted(known, key=len, reverse=True)
        _secrets = re.compile("|".join(map(re.escape, longest_first))) if known else None


def _spellings(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        if len(value) >= _MIN_SECRET_LENGTH:
            yield from (value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1])


def secrets_in(value: object, *, secret: bool = False) -> Iterable[str]:
    """The strings under a sensitive name in nested options; with `secret`, all strings."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from secrets_in(item, secret=secret or is_sensitive(str(name)))
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from secrets_in(item, secret=secret)
    elif isinstance(value, bytes):
        yield from secrets_in(value.decode("utf-8", "replace"), secret=secret)
    elif secret and isinstance(value, str):
        yield value


def is_sensitive(name: str) -> bool:
    """Whether the name of a setting or an option says that its value is a secret."""
    return _NAMES.search(name) is not None


def redacted(text: str) -> str:
    """`text` without secrets and signatures. File paths stay, even below a directory named `thumbs`."""
    if _secrets is not None:
        text = _secrets.sub(HIDDEN, text)
    low = text.lower()
    if any(word in low for word in _WORDS):
        for pattern, replacement in _PAIRS:
            text = pattern.sub(replacement, text)
    return _SIGNED.sub(rf"\1{HIDDEN}", text) if "thumbs" in low or "%" in low else text


def without_targets(text: str) -> str:
    """`text` without what follows `/thumbs/` in a URL. The file names of a traceback stay."""
    return "".join(
        line if _CODE_LINE.match(line) else _LIKE_A_SIGNATURE.sub("…", _TARGET.sub(r"\1…", line))
        for line in text.splitlines(keepends=True)
    )


def clean(record: logging.LogRecord) -> bool:
    """Redact `record` in place. Usable as a logging filter: it passes every record."""
    ours = str(record.name).startswith("thumbs")
    if record.name == "gunicorn.error" and isinstance(record.msg, str) and record.msg in _WITH_TARGET:
        record.msg, record.args = _WITH_TARGET[record.msg], ()
    if not isinstance(record.msg, Redacted):  # else a filter sees what the factory has cleaned
        record.msg, record.args = _message_of(record, ours=ours), ()
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = _cleaned("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"), ours=ours)
    if record.stack_info:
        record.stack_info = _cleaned(record.stack_info, ours=ours)
    error = getattr(record, "error", None)  # of `failure_log`, for formatters that print all attributes
    if isinstance(error, str):
        record.error = _cleaned(error, ours=ours)
    return True


def _message_of(record: logging.LogRecord, *, ours: bool) -> str:
    """The redacted message of `record`; `Redacted` where it is one of ours with arguments."""
    by_value = False
    if ours and isinstance(record.args, tuple) and record.args:
        by_value = True
        record.args = tuple(map(_value, record.args))
    try:
        text = record.getMessage()
    except Exception:  # logging would print message and arguments; the caller must not fail
        text = f"{record.name} logged a message that does not match its arguments ({record.pathname}:{record.lineno})"
    return Redacted(text) if by_value else _cleaned(_UNREADABLE.sub(_error_kind, text), ours=ours)


def _value(argument: object) -> object:
    """An argument of a message, redacted. Numbers stay, for `%d`."""
    if isinstance(argument, Redacted | int | float):
        return argument
    return redacted(argument) if isinstance(argument, str) else _Value(argument)


def _error_kind(found: "re.Match[str]") -> str:
    """The class of the current error. It replaces the request that gunicorn could not parse and quotes."""
    kind = sys.exc_info()[0]
    return f"{found[1]}: {kind.__name__ if kind is not None else 'it cannot be read'}"


def _cleaned(text: str, *, ours: bool) -> str:
    text = redacted(text)
    # Our own records never contain a target, but may contain the path of a cache directory with `/thumbs/` in it.
    return text if ours else without_targets(text)


# ------------------------------------------------------------------------------------ installation


class _RedactedRecord(logging.LogRecord):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.name is not None:
            clean(self)


def install() -> None:
    """Redact every record of this process, of any logger, and the tracebacks that end the process or a thread."""
    logging.setLogRecordFactory(_RedactedRecord)
    sys.excepthook = _print_exception
    threading.excepthook = _print_thread_exception


def has_plain_records() -> bool:
    """Whether records of this process are Python's own or ours."""
    return logging.getLogRecordFactory() in (logging.LogRecord, _RedactedRecord)


def clean_ours() -> None:
    """Redact the records of this package only, for sites."""
    for name in OUR_LOGGERS:
        logging.getLogger(name).addFilter(clean)  # idempotent: a filter is added once


def enable_ours() -> None:
    """Enable loggers that a site's `LOGGING` has disabled, as it does without `"disable_existing_loggers": False`.

    That concerns loggers that were made before. Whether Mage's are among them depends on what the site has imported
    until then, such as a wrapper in `wsgi.py`.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "thumbs":
            logger.disabled = False


def _print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(_cleaned("".join(traceback.format_exception(kind, error, trace)), ours=False))


def _print_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or sys.stderr is None:
        return
    name = args.thread.name if args.thread is not None else "?"
    lines = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
    sys.stderr.write(_cleaned("".join((f"Exception in thread {name}:\n", *lines)), ours=False))
