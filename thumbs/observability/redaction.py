"""No signature and no secret in a log: records lose them when they are made, before any handler sees them.

Three things are taken out of a record's text, its traceback included: values that were named as secrets (`hide`);
what follows a name that stands for a secret, in a URL, a header or a mapping; and the rest of a thumbnail's URL from
its signature on, in every spelling. Of requests that gunicorn could not read or answer, it keeps nothing that the
client sent.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
# Every logger of this package. In a site its records are all that is ours to clean.
OUR_LOGGERS = ("thumbs", "thumbs.access", "thumbs.cache", "thumbs.janitor")
# Shorter ones would be found in every other word, and protect nothing.
_SHORTEST = 4

# Names of settings, options and headers that hold secrets: those of Django's debug pages, and `credential`.
_SENSITIVE = (
    r"(?:auth(?!ors?\b)|token|secret|pass(?:word|wd|phrase)|signature|credential|\bsig\b|(?:api|access|account)_?key)"
)
_NAMES = re.compile(rf"{_SENSITIVE}|key\Z|pass\Z", re.IGNORECASE)
_PAIRS = (
    # user:password@ of a URL
    (re.compile(r"(?<=://)[^\s/@'\"]+(?=@)"), HIDDEN),
    # Authorization: Bearer x
    (re.compile(r"(?i)((?:authorization|cookie|security-token)\w*['\"]?:\s*b?['\"]?)[^'\"\r\n]+"), rf"\1{HIDDEN}"),
    # <SecretAccessKey>x</SecretAccessKey>
    (re.compile(rf"(?i)(<\w*{_SENSITIVE}\w*>)[^<]+"), rf"\1{HIDDEN}"),
    # Signature: 64 hex digits, on this line or the next
    (re.compile(r"(?i)(signature:\s+)[0-9a-f]{32,}"), rf"\1{HIDDEN}"),
    # 'password': 'x'
    (re.compile(rf"(?i)({_SENSITIVE}[\w.-]*['\"]\s*:\s*b?(['\"]))(?:(?!\2).)+"), rf"\1{HIDDEN}"),
    # password='x'
    (re.compile(rf"(?i)({_SENSITIVE}[\w-]*=b?(['\"]))(?:(?!\2).)+"), rf"\1{HIDDEN}"),
    # ?X-Amz-Signature=x, Credential=x
    (re.compile(rf"(?i)({_SENSITIVE}[\w-]*=)[^\s&,;'\"()<>]+"), rf"\1{HIDDEN}"),
)
# Without any of these, the patterns need not be tried.
_WORDS = ("key", "auth", "token", "secret", "pass", "sig", "credential", "cookie", "://")
# `/thumbs/`, with any of its characters percent-encoded, once or twice.
_MIDDLE = "".join(f"(?:{char}|%(?:25)?{ord(char):02x}|%(?:25)?{ord(char.upper()):02x})" for char in "/thumbs/")
_SIGNED = re.compile(rf"(?i)({_MIDDLE})(?:[\w-]|%(?!2f)[0-9a-f]{{2}}){{16,}}(?=/|%|\s|['\"]|\Z)")
_TARGET = re.compile(rf"(?i)({_MIDDLE})[^\s'\"]+")
# A segment or a value in a URL that may be a signature, elsewhere than where it belongs: long, with letters of both
# cases. (A slug has one; a signature of 22 characters has both but for one in a hundred thousand.)
_LIKE_A_SIGNATURE = re.compile(
    r"(?<=[/=])(?=[^/?&\s'\"]*[A-Z])(?=[^/?&\s'\"]*[a-z])(?:[\w-]|%[0-9A-Fa-f]{2}){16,}(?=[/?&\s'\"]|\Z)"
)
_CODE_LINE = re.compile(r"\s*File \"")
# What gunicorn says with a target as an argument, and what is left of it.
_WITH_TARGET = {
    "%s %s": "a request",
    "Error handling request %s": "Error handling request",
    "Error handling request %s %s": "Error handling request",
}
_UNREADABLE = re.compile(r"(Invalid request from ip=\S*):.*", re.DOTALL)

_secrets: "re.Pattern[str] | None" = None
_known: set[str] = set()
_lock = threading.Lock()


def hide(values: Iterable[str]) -> None:
    """Take `values` out of everything from now on, also percent-encoded and as Python or JSON write them."""
    global _secrets  # noqa: PLW0603 - what is secret in this process
    with _lock:
        for value in values:
            if len(value) >= _SHORTEST:
                _known.update((value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1]))
        if _known:  # the longest first: one may begin with another
            _secrets = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))


def secrets_in(value: object, *, secret: bool = False) -> Iterable[str]:
    """The texts in a structure of options that stand under a name for secrets; with `secret`, all of them."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from secrets_in(item, secret=secret or _NAMES.search(str(name)) is not None)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from secrets_in(item, secret=secret)
    elif isinstance(value, bytes):
        yield from secrets_in(value.decode("utf-8", "replace"), secret=secret)
    elif secret and isinstance(value, str):
        yield value


def redacted(text: str) -> str:
    """`text` without secrets and signatures. Paths of files stay, also below a directory called `thumbs`."""
    if _secrets is not None:
        text = _secrets.sub(HIDDEN, text)
    low = text.lower()
    if any(word in low for word in _WORDS):
        for pattern, replacement in _PAIRS:
            text = pattern.sub(replacement, text)
    return _SIGNED.sub(rf"\1{HIDDEN}", text) if "thumbs" in low or "%" in low else text


def without_targets(text: str) -> str:
    """`text` with nothing of a thumbnail's URL after `/thumbs/`; the places in a traceback stay."""
    return "".join(
        line if _CODE_LINE.match(line) else _LIKE_A_SIGNATURE.sub("…", _TARGET.sub(r"\1…", line))
        for line in text.splitlines(keepends=True)
    )


def clean(record: logging.LogRecord) -> bool:
    """Redact `record` in place; it can be a filter, which lets every record pass."""
    ours = str(record.name).startswith("thumbs")
    if record.name == "gunicorn.error" and isinstance(record.msg, str) and record.msg in _WITH_TARGET:
        record.msg, record.args = _WITH_TARGET[record.msg], ()
    try:
        text = record.getMessage()
    except Exception:  # logging would tell of it with message and arguments; and what logs must go on
        text = f"{record.name} logged a message that does not fit its arguments ({record.pathname}:{record.lineno})"
    text = _UNREADABLE.sub(_of_kind, text)
    record.msg, record.args = _cleaned(text, ours=ours), ()
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = _cleaned("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"), ours=ours)
    if record.stack_info:
        record.stack_info = _cleaned(record.stack_info, ours=ours)
    return True


def _of_kind(found: "re.Match[str]") -> str:
    """Gunicorn quotes what it cannot read; the kind of error, which it is about to answer, has to do."""
    kind = sys.exc_info()[0]
    return f"{found[1]}: {kind.__name__ if kind is not None else 'it cannot be read'}"


def _cleaned(text: str, *, ours: bool) -> str:
    text = redacted(text)
    # Ours never hold a target, but may hold the path of a cache's directory.
    return text if ours else without_targets(text)


# ------------------------------------------------------------------------------------ installation


class _Record(logging.LogRecord):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.name is not None:
            clean(self)


def install() -> None:
    """Clean every record of this process, whatever logs it, and the tracebacks that end it or one of its threads."""
    logging.setLogRecordFactory(_Record)
    sys.excepthook = _ended
    threading.excepthook = _thread_ended


def clean_ours() -> None:
    """Clean the records of this package where logging belongs to a site."""
    for name in OUR_LOGGERS:
        logging.getLogger(name).addFilter(clean)  # a filter that is there already is not added again


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(_cleaned("".join(traceback.format_exception(kind, error, trace)), ours=False))


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    if told.exc_type is SystemExit or sys.stderr is None:
        return
    name = told.thread.name if told.thread is not None else "?"
    lines = traceback.format_exception(told.exc_type, told.exc_value, told.exc_traceback)
    sys.stderr.write(_cleaned("".join((f"Exception in thread {name}:\n", *lines)), ours=False))
