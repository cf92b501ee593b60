"""Secrets and signatures are removed from texts and log records."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import servers
from thumbs.observability import redaction


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("redis://user:pa55@10.0.0.1:6379/0 timed out", "redis://[hidden]@10.0.0.1:6379/0 timed out"),
        ("https://b.s3/x?X-Amz-Signature=ab12&X-Amz-Date=1", "https://b.s3/x?X-Amz-Signature=[hidden]&X-Amz-Date=1"),
        ("https://a.blob/x?sv=1&sig=ab%2F12", "https://a.blob/x?sv=1&sig=[hidden]"),
        ("X-Amz-Security-Token: abc", "X-Amz-Security-Token: [hidden]"),
        ("{'X-Amz-Security-Token': b'abc', 'Host': b'h'}", "{'X-Amz-Security-Token': b'[hidden]', 'Host': b'h'}"),
        ("{'Authorization': b'AWS4 Credential=AK/1, Signature=2'}", "{'Authorization': b'[hidden]'}"),
        ('{"account_key": "abc", "bucket": "b"}', '{"account_key": "[hidden]", "bucket": "b"}'),
        ("connect(host='h', password='it is')", "connect(host='h', password='[hidden]')"),
        ("<SecretAccessKey>abc</SecretAccessKey>", "<SecretAccessKey>[hidden]</SecretAccessKey>"),
        (f"Signature:\n{'0f' * 32}", "Signature:\n[hidden]"),
        ("/a/thumbs/0123456789abcdef/x/b.jpg", "/a/thumbs/[hidden]/x/b.jpg"),
        ("/a/%54HUMBS%2f%30123456789abcde%66%2fx", "/a/%54HUMBS%2f[hidden]%2fx"),
        # A quote that is escaped in a text of JSON stays with its backslash, and so does what follows it.
        (r'{"path": "secret=b\"c.jpg", "size": "1x1"}', r'{"path": "secret=[hidden]\"[hidden]", "size": "1x1"}'),
        (r'{"path": "secret=b\\", "size": "1x1"}', r'{"path": "secret=[hidden]", "size": "1x1"}'),
        (r'{"path": "cookie:b\"c.jpg", "size": "1x1"}', r'{"path": "cookie:b\"[hidden]", "size": "1x1"}'),
        (
            r'"{\"password\": \"a b\", \"Cookie\": \"c d\"}"',
            r'"{\"password\": \"[hidden]\", \"Cookie\": \"[hidden]\"}"',
        ),
        (r"connect(password='it\'s', host='h')", "connect(password='[hidden]', host='h')"),
        (r'"/a/thumbs/0123456789abcdef\"', r'"/a/thumbs/[hidden]\"'),
        # Without its end, a value ends at white space.
        ("key token='x.jpg, code failed", "key token='[hidden] code failed"),
        ('"token": "abc, code failed', '"token": "[hidden] code failed'),
        ("key <token>x.jpg, code failed", "key <token>[hidden] code failed"),
        # What is no secret stays.
        ("storages[a].secret_key: must be a text.", "storages[a].secret_key: must be a text."),
        ("The signature is wrong.", "The signature is wrong."),
        ("[Errno 13] Permission denied: '/var/cache/thumbs/photos/ab'", None),
        ("/srv/site/thumbs/management/commands/thumb_url.py", None),
        ("author=me, monkey=1, https://host/path", None),
    ],
)
def test_texts_are_redacted_by_what_they_say(text: str, clean: str | None) -> None:
    assert redaction.redacted(text) == (text if clean is None else clean)


def test_every_logger_of_the_package_is_cleaned() -> None:
    sources = [path.read_text() for path in (servers.ROOT / "thumbs").rglob("*.py")]
    names = {text.split('getLogger("')[1].split('"')[0] for text in sources if 'getLogger("' in text} - {"pyvips"}
    assert names <= set(redaction.OUR_LOGGERS)
    for name in redaction.OUR_LOGGERS:
        assert redaction.clean in logging.getLogger(name).filters


# ------------------------------------------------------------------------------------------------ named secrets


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`redaction.hide`, with no other secret known than those of the test."""
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_secrets", None)
    return lambda *values: redaction.hide(values)


def test_a_named_secret_is_removed_in_every_spelling(hidden: Callable[..., None]) -> None:
    hidden("s3 cr/et'\\")
    for spelling in ("s3 cr/et'\\", "s3%20cr%2Fet%27%5C", "s3+cr%2Fet%27%5C", repr("s3 cr/et'\\")[1:-1]):
        assert redaction.redacted(f"<{spelling}>") == "<[hidden]>"
    assert redaction.redacted("s3 cr/et") == "s3 cr/et"


def test_the_longest_secret_is_removed_first(hidden: Callable[..., None]) -> None:
    hidden("abcd")
    hidden("abcdefgh")
    assert redaction.redacted("abcdefgh abcd abc") == "[hidden] [hidden] abc"


def test_values_that_are_part_of_ordinary_words_are_no_secrets(hidden: Callable[..., None]) -> None:
    hidden("abc", "")
    assert redaction.redacted("abc") == "abc"
    hidden("abcd")
    assert redaction.redacted("abc abcd") == "abc [hidden]"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"password": "p", "host": "h"}, ["p"]),
        ({"OPTIONS": {"api_key": "k", "PASS": "q", "location": "l"}}, ["k", "q"]),
        ({"token": {"of": ["a", ("b", {"c"})]}}, ["a", "b", "c"]),
        ({"secret_key": b"bytes\xff"}, ["bytes\ufffd"]),
        ({"password": 5, "secret": None}, []),
        (["a", {"credential": "b"}], ["b"]),
        ("alone", []),
    ],
)
def test_the_secrets_of_options_are_found_by_their_names(value: object, found: list[str]) -> None:
    assert list(redaction.secrets_in(value)) == found


def test_all_texts_are_secrets_where_that_is_said() -> None:
    assert list(redaction.secrets_in(["a", {"host": "b"}, 5], secret=True)) == ["a", "b"]


# ------------------------------------------------------------------------------------------------------ records


def record(message: object, *arguments: object, name: str = "site", **more: Any) -> logging.LogRecord:
    return logging.LogRecord(name, logging.INFO, "site.py", 7, message, arguments, more.pop("exc_info", None), **more)


def cleaned(message: object, *arguments: object, **more: Any) -> str:
    made = record(message, *arguments, **more)
    assert redaction.clean(made) is True
    return made.getMessage()


def test_a_record_is_redacted_with_its_arguments(hidden: Callable[..., None]) -> None:
    hidden("canary")
    assert cleaned("%s and %r", "canary", {1: "canary"}) == "[hidden] and {1: '[hidden]'}"
    assert cleaned("%(a)s", {"a": "canary"}) == "[hidden]"
    assert cleaned({"canary": []}) == "{'[hidden]': []}"


def test_a_record_that_cannot_be_formatted_fails_no_caller(hidden: Callable[..., None]) -> None:
    hidden("canary")
    sentence = "site logged a message that does not match its arguments (site.py:7)"
    assert cleaned("does not fit %d", "canary") == sentence


@pytest.mark.parametrize(
    ("arguments", "clean"),
    [
        (("token='a.jpg", 404), "key token='[hidden], status 404"),
        (("cookie: a.jpg", 404), "key cookie: [hidden], status 404"),
        (("<token>a.jpg", 404), "key <token>[hidden], status 404"),
        (("canary", 404), "key [hidden], status 404"),
        ((KeyError("canary"), 404), "key '[hidden]', status 404"),
        ((redaction.Redacted("token='a.jpg"), 404), "key token='a.jpg, status 404"),
    ],
)
def test_the_arguments_of_our_records_are_redacted_apart(
    hidden: Callable[..., None], arguments: tuple[object, ...], clean: str
) -> None:
    hidden("canary")
    made = record("key %s, status %d", *arguments, name="thumbs")
    for _ in range(2):  # when it is made, and by the filter of a logger
        redaction.clean(made)
        assert made.getMessage() == clean


def test_our_records_print_objects_as_without_redaction(hidden: Callable[..., None]) -> None:
    hidden("canary")
    error = OSError(5, "canary")
    assert cleaned("%s|%r|%r|%.1f", error, error, "canary", 1.25, name="thumbs") == (
        "[Errno 5] [hidden]|OSError(5, '[hidden]')|'[hidden]'|1.2"
    )
    assert cleaned("%s", {"password": "abcd"}, name="thumbs") == "{'password': '[hidden]'}"
    assert cleaned("password='abcd'", name="thumbs.access") == "password='[hidden]'"
    assert cleaned("does not fit %d", "canary", name="thumbs").startswith("thumbs logged a message that does not match")


def test_a_traceback_and_a_stack_are_redacted(hidden: Callable[..., None]) -> None:
    hidden("canary")
    try:
        raise KeyError("canary")
    except KeyError:
        made = record("failed", exc_info=sys.exc_info(), sinfo="Stack:\n  canary")
    redaction.clean(made)
    assert made.exc_text is not None
    assert made.exc_text.startswith("Traceback (most recent call last):\n")
    assert made.exc_text.endswith("KeyError: '[hidden]'")
    assert made.stack_info == "Stack:\n  [hidden]"
    nothing = record("none", exc_info=(None, None, None))
    redaction.clean(nothing)
    assert nothing.exc_text is None


def test_the_target_of_a_thumbnail_stays_out_of_records_that_are_not_ours() -> None:
    text = "GET /photos/thumbs/90x60/a.jpg failed"
    assert cleaned(text, name="django.request") == "GET /photos/thumbs/… failed"
    assert cleaned(text, name="thumbs.cache") == text
    line = '  File "/srv/thumbs/views.py", line 3\n'
    assert redaction.without_targets(f"{line}/a/thumbs/x") == f"{line}/a/thumbs/…"
    assert redaction.without_targets(r'{"url": "/a/thumbs/x\"y", "b": 1}') == r'{"url": "/a/thumbs/…\"y", "b": 1}'


@pytest.mark.parametrize(
    ("message", "arguments", "clean"),
    [
        ("%s %s", ("GET", "/photos/thumbs/x"), "a request"),
        ("Error handling request %s", ("/secret",), "Error handling request"),
        ("Error handling request %s %s", ("a", "/secret"), "Error handling request"),
        ("Listening at: %s", ("127.0.0.1",), "Listening at: 127.0.0.1"),
        ("Invalid request from ip=10.0.0.1: GET /secret\nx", (), "Invalid request from ip=10.0.0.1: it cannot be read"),
    ],
)
def test_nothing_that_a_client_sent_is_kept_of_gunicorns_messages(
    message: str, arguments: tuple[str, ...], clean: str
) -> None:
    assert cleaned(message, *arguments, name="gunicorn.error") == clean
    if arguments:
        assert cleaned(message, *arguments, name="site").startswith((message % arguments)[:3])


def test_the_kind_of_error_stands_for_a_request_that_gunicorn_could_not_parse() -> None:
    try:
        raise ValueError("GET /secret")
    except ValueError:
        text = cleaned("Invalid request from ip=10.0.0.1: %s", "GET /secret", name="gunicorn.error")
    assert text == "Invalid request from ip=10.0.0.1: ValueError"


# ------------------------------------------------------------------------------------------------- installation


@pytest.fixture
def installed(hidden: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    factory = logging.getLogRecordFactory()
    hidden("canary")
    redaction.install()
    assert threading.excepthook is redaction._print_thread_exception
    yield
    logging.setLogRecordFactory(factory)


def test_every_record_of_every_logger_is_redacted_when_it_is_made(
    installed: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("", "asyncio", "gunicorn.error", "site.app"):
            logging.getLogger(name).debug("%s", "canary")
    assert [made.getMessage() for made in caplog.records] == ["[hidden]"] * 4
    assert logging.makeLogRecord({"msg": "canary"}).getMessage() == "canary"  # no name: it was made elsewhere


def test_the_traceback_that_ends_a_process_is_redacted(installed: None, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("at the end: canary")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.endswith("RuntimeError: at the end: [hidden]\n")


def test_the_traceback_that_ends_a_thread_is_redacted(
    installed: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: BaseException) -> None:
        raise error

    def ended(error: BaseException, name: str) -> str:
        thread = threading.Thread(target=fail, args=(error,), name=name)
        thread.start()
        thread.join()
        return capsys.readouterr().err

    # Some releases of pytest put a hook of their own around each test.
    monkeypatch.setattr(threading, "excepthook", redaction._print_thread_exception)
    said = ended(ValueError("canary"), "worker")
    assert said.startswith("Exception in thread worker:\nTraceback (most recent call last):\n")
    assert said.endswith("ValueError: [hidden]\n")
    assert ended(SystemExit("canary"), "leaves") == ""
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("canary"), None, None)))
    assert capsys.readouterr().err == "Exception in thread ?:\nValueError: [hidden]\n"
    monkeypatch.setattr(sys, "stderr", None)
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("canary"), None, None)))  # raises nothing


@pytest.mark.parametrize(
    "signature",
    [
        "JYyHZ8FWPukiB3azxdhj96bHH1r5YJxvF8a8x-HeOfs",
        "PjHyyseno0hb2lfdST-NL-C-tps=",
        "Hj9IpjJUFsik6wKUMwXrCPbIzEpp2m44hu0zFtuqRSH5rbG54WXazJcZHc22MGhpN1V79FbrElczblINuNVtbA==",
    ],
)
def test_the_signature_of_another_image_server_is_removed_from_a_target(signature: str) -> None:
    assert redaction.without_targets(f"GET /{signature}/300x200/a.jpg HTTP/1.1") == "GET /…/300x200/a.jpg HTTP/1.1"
