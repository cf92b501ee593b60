"""HTTP's rules between plain values: decoding, conditions, negotiation, problems, names."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import strategies
from thumbs import errors
from thumbs.errors import BadPath, Overloaded, ThumbError
from thumbs.http import messages
from thumbs.http.messages import Request, Response, accepted_formats, content_disposition, problem
from thumbs.http.targets import decoded_path

MODIFIED = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())
NOW = MODIFIED + 3600.0


def request(**fields: Any) -> Request:
    return Request("GET", b"/photos/thumbs/x/a", 18, **fields)


# ---------------------------------------------------------------------------------------- paths


@given(strategies.paths)
def test_a_quoted_path_decodes_to_itself(path: str) -> None:
    quoted = messages.quoted_path(path)
    assert quoted.isascii()
    assert not set(quoted) & set(' ?#"<>%') - {"%"}
    assert unquote(quoted) == path
    assert decoded_path(b"/" + quoted.encode()) == b"/" + path.encode()


def test_bytes_that_are_not_utf_8_are_no_path() -> None:
    assert messages.decode_path("/é".encode()) == "/é"
    with pytest.raises(BadPath):
        messages.decode_path(b"/\xe9")


# ---------------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("given_tags", "holds"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b" ,W/"a","c"', True),
        ("*", True),
        (" * ", True),
        ('"b"', False),
        ('"A"', False),
        ("a", False),
        ("", False),
        ('"a', False),
        ('*, "b"', False),
        ('"x,", "a"', True),
        ('"x, "a"', False),
    ],
)
def test_if_none_match_holds_when_one_of_its_tags_is_ours(given_tags: str, holds: bool) -> None:
    assert request(if_none_match=given_tags).not_modified('"a"', MODIFIED, NOW) is holds


def test_if_modified_since_is_passed_over_beside_if_none_match() -> None:
    later = messages.http_date(MODIFIED + 100).decode()
    for tags in ('"b"', "", "nonsense", '*, "a"'):
        assert not request(if_none_match=tags, if_modified_since=later).not_modified('"a"', MODIFIED, NOW)


@pytest.mark.parametrize(("seconds", "holds"), [(-1, False), (0, True), (1, True), (10**6, True)])
def test_if_modified_since_holds_from_the_second_of_the_change(seconds: int, holds: bool) -> None:
    moment = datetime.fromtimestamp(MODIFIED + seconds, UTC)
    assert request(if_modified_since=format_datetime(moment, usegmt=True)).not_modified('"a"', MODIFIED, NOW) is holds
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert not request(if_modified_since=format_datetime(elsewhere)).not_modified('"a"', MODIFIED, NOW)


@pytest.mark.parametrize(
    "date", ["", "tomorrow", "Sun, 99 Nov 2026 12:00:00 GMT", "Sun, 01 Nov 999999 12:00:00 GMT", "0", "Sun, 01 Nov"]
)
def test_an_invalid_date_is_ignored(date: str) -> None:
    assert not request(if_modified_since=date).not_modified('"a"', MODIFIED, NOW)


def test_a_request_without_conditions_is_never_not_modified() -> None:
    assert not request().conditional
    assert not request().not_modified('"a"', MODIFIED, NOW)
    assert request(if_none_match="").conditional
    assert request(if_modified_since="").conditional


def test_dates_are_written_as_rfc_9110_says() -> None:
    assert messages.http_date(784111777) == b"Sun, 06 Nov 1994 08:49:37 GMT"


# --------------------------------------------------------------------------------- negotiation


@pytest.mark.parametrize(
    ("accept", "formats"),
    [
        ("", ()),
        ("*/*", ()),
        ("image/*,*/*;q=0.8", ()),
        ("image/jpeg", ()),
        ("image/webp", ("webp",)),
        ("image/avif", ("avif",)),
        ("image/webp,image/avif", ("avif", "webp")),
        ("image/avif;q=0.5,image/webp", ("webp", "avif")),
        ("image/avif;q=0.5,image/webp;q=0.500", ("avif", "webp")),
        ("image/avif;q=0,image/webp", ("webp",)),
        ("image/avif;q=0.000", ()),
        ("IMAGE/AVIF ; Q=0.9 , image/WebP;q=1.0", ("webp", "avif")),
        ("image/avif;v=b3;q=0.9,image/webp;q=0.1;x=y", ("avif", "webp")),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", ("avif", "webp")),
        ("image/avifx,ximage/webp", ()),
        (";;;,,,;q=", ()),
        ("image/jxl", ("jxl",)),
        ("image/webp,image/avif,image/jxl", ("jxl", "avif", "webp")),
        ("image/jxl;q=0.1,image/avif;q=0.1,image/webp;q=0.2", ("webp", "jxl", "avif")),
        ("image/jxl;q=0,image/avif", ("avif",)),
    ],
)
def test_only_what_the_client_names_is_negotiated_best_first(accept: str, formats: tuple[str, ...]) -> None:
    assert accepted_formats(accept) == formats


@given(st.text(max_size=60))
def test_no_accept_header_breaks_negotiation(accept: str) -> None:
    assert set(accepted_formats(accept)) <= {"jxl", "avif", "webp"}


# ----------------------------------------------------------------------------- names for saving


@pytest.mark.parametrize("name", ["tom.jpg", "Tom at home.png", "a;b=c.webp", "a'b.gif", "100%.jpg"])
def test_a_plain_name_is_a_quoted_string(name: str) -> None:
    assert content_disposition(name) == f'inline; filename="{name}"'


@given(strategies.names)
@example(" .apng")
def test_every_name_is_read_back_as_it_was(name: str) -> None:
    value = content_disposition(name)
    assert re.fullmatch(
        r"inline; filename=\"[\x20\x21\x23-\x5b\x5d-\x7e]*\"(; filename\*=UTF-8''[A-Za-z0-9._~%-]+)?", value
    )
    # RFC 6266, section 4.3: where both are given, filename* is the one that counts.
    plain, _, extended = value.partition("; filename*=UTF-8''")
    message = Message()
    message["Content-Disposition"] = plain
    # Not `get_filename`, which strips blanks.
    assert (unquote(extended) or message.get_param("filename", header="content-disposition")) == name


def test_a_client_that_reads_only_plain_names_gets_the_extension_all_the_same() -> None:
    assert content_disposition("été.png").startswith('inline; filename="?t?.png"; filename*=')
    assert content_disposition('a"b\\c.png').startswith("inline; filename=\"a'b'c.png\"; filename*=")


# ------------------------------------------------------------------------------------ problems


def classes(cls: type[ThumbError] = ThumbError) -> list[type[ThumbError]]:
    return [
        cls,
        *(found for child in cls.__subclasses__() if child.__module__ == errors.__name__ for found in classes(child)),
    ]


@pytest.mark.parametrize("cls", classes())
def test_every_error_has_a_problem_of_constants(cls: type[ThumbError]) -> None:
    answer = problem(cls())
    headers = dict(answer.headers)
    assert answer.status == cls.status
    assert headers[b"Content-Type"] == b"application/problem+json"
    assert headers[b"Cache-Control"] == b"no-store"
    assert headers[b"X-Content-Type-Options"] == b"nosniff"
    assert int(headers[b"Content-Length"]) == len(answer.body)
    document = json.loads(answer.body)
    assert (document["status"], document["code"], document["detail"]) == (cls.status, cls.code, cls.sentence)
    assert document["type"] == "about:blank"
    assert document["title"]


def test_codes_are_unique() -> None:
    # What is logged under another code is for clients the same as its base class.
    codes = [cls.code for cls in classes() if not cls.logged_as]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (
            400,
            {
                "BadRequest",
                "BadTarget",
                "BadHost",
                "BadPath",
                "BadSize",
                "BadFilter",
                "SizeOverLimit",
                "NotOffered",
                "SourceNotAllowed",
                "SourceLoop",
            },
        ),
        (403, {"AccessRefused", "SignatureRefused", "SignatureMissing", "SignatureUnexpected"}),
        (404, {"StorageUnknown", "SourceMissing", "SourceDenied"}),
        (405, {"MethodNotAllowed"}),
        (410, {"Expired"}),
        (413, {"SourceTooLarge"}),
        (414, {"TargetTooLong"}),
        (415, {"SourceUnsupported"}),
        (422, {"SourceBroken", "SourceOverLimit", "SourceOverMemory"}),
        (502, {"StorageFailed", "StorageDenied"}),
        (503, {"Overloaded", "HostOverloaded", "RendererUnavailable", "ServerExhausted"}),
        (504, {"StorageTimeout", "RenderTimeout"}),
    ],
)
def test_the_status_table_of_the_contract_is_kept(status: int, names: set[str]) -> None:
    assert {cls.__name__ for cls in classes() if cls.status == status} == names


def test_a_refusal_of_load_says_when_to_come_back() -> None:
    for error in (Overloaded(), errors.RendererUnavailable(), errors.ServerExhausted()):
        assert dict(problem(error).headers)[b"Retry-After"].isdigit()


def test_a_method_that_is_not_allowed_names_those_that_are() -> None:
    assert dict(problem(errors.MethodNotAllowed()).headers)[b"Allow"] == b"GET, HEAD"


def test_an_answer_to_head_keeps_its_headers_and_loses_its_body() -> None:
    answer = Response(200, ((b"Content-Length", b"3"),), b"abc")
    assert answer.to("GET") == answer
    assert answer.to("HEAD") == Response(200, ((b"Content-Length", b"3"),))
