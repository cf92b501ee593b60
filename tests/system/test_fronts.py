"""Every row of the table of responses over HTTP: the same in every front, and no internal detail is in a response."""

import http.client
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from urllib.parse import quote

import pytest

from tests.support import pictures
from tests.support.fronts import OLD_SECRET, SECRET, Fronts, signature
from tests.support.servers import Answer, Server
from tests.support.waiting import WAIT_SECONDS, eventually

PICTURE = "local/thumbs/90x60/quarters.jpg"
OVERLONG = f"local/thumbs/90x60/{'x' * 2100}"


def signed(target: str, secret: str = SECRET, storage: str = "signed") -> str:
    return f"{storage}/thumbs/{signature(f'/{storage}/thumbs/{target}', secret)}/{target}"


def assert_problem(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(answer.body)
    problem = json.loads(answer.body)
    assert problem.keys() == {"type", "title", "status", "detail", "code"}
    assert (problem["status"], problem["code"]) == (status, code)


# ---------------------------------------------------------------------------------- the table of statuses

PROBLEMS = [
    ("local/thumbs/quarters.jpg", 400, "bad-size"),
    ("local/thumbs/", 400, "bad-size"),
    ("local/thumbs/90x60", 400, "bad-path"),
    ("local/thumbs/90x60/", 400, "bad-path"),
    ("local/thumbs/090x60/quarters.jpg", 400, "bad-size"),
    ("local/thumbs/0x60/quarters.jpg", 400, "bad-size"),
    ("local/thumbs/-90x60/quarters.jpg", 400, "bad-size"),
    ("local/thumbs/90X60/quarters.jpg", 400, "bad-size"),
    ("local/thumbs/90x60/filters:nonsense(1)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:blurr(3)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:quality(0)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:quality(50);q(60)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:crop(0,0,601,400)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:format(jpeg);fit(fill,transparent)/quarters.jpg", 400, "bad-filter"),
    ("local/thumbs/90x60/filters:format(png)/quarters.jpg/as/q.webp", 400, "bad-filter"),
    ("local/thumbs/90x60/quarters.jpg/as/q.exe", 400, "bad-filter"),
    ("local/thumbs/5121x1/quarters.jpg", 400, "size-over-limit"),
    ("local/thumbs/90x60/filters:dpr(4);upscale(yes)/../quarters.jpg", 400, "bad-path"),
    ("local/thumbs/2000x/filters:dpr(4);upscale(yes)/quarters.jpg", 400, "size-over-limit"),
    ("small/thumbs/501x/quarters.jpg", 400, "size-over-limit"),
    ("limited/thumbs/91x60/filters:format(webp)/quarters.jpg", 400, "not-offered"),
    ("limited/thumbs/90x60/quarters.jpg", 400, "not-offered"),
    ("signed/thumbs/90x60/quarters.jpg", 403, "signature-missing"),
    (f"signed/thumbs/{'A' * 22}/90x60/quarters.jpg", 403, "signature-refused"),
    ("signed/thumbs/%C3%A9/90x60/quarters.jpg", 403, "signature-refused"),
    (signed("90x60/quarters.jpg").replace("90x60", "91x60"), 403, "signature-refused"),
    (signed("90x60/quarters.jpg", storage="s3-signed").replace("s3-signed", "signed"), 403, "signature-refused"),
    (signed("90x60/quarters.jpg", "another-secret"), 403, "signature-refused"),
    (f"local/thumbs/{'A' * 22}/90x60/quarters.jpg", 403, "signature-unexpected"),
    ("nowhere/thumbs/90x60/quarters.jpg", 404, "storage-unknown"),
    ("LOCAL/thumbs/90x60/quarters.jpg", 404, "storage-unknown"),
    ("local/thumbs/90x60/absent.jpg", 404, "source-missing"),
    ("local/thumbs/90x60/cats", 404, "source-missing"),
    ("local/thumbs/90x60/quarters.jpg/inside.jpg", 404, "source-missing"),
    ("s3/thumbs/90x60/absent.jpg", 404, "source-missing"),
    ("s3-denied/thumbs/90x60/quarters.jpg", 502, "storage-failed"),  # its probe is denied as well
    ("plain-class/thumbs/90x60/absent.jpg", 404, "source-missing"),
    ("local/thumbs/90x60/filters:expires(1)/quarters.jpg", 410, "expired"),
    (signed("90x60/filters:expires(1)/quarters.jpg"), 410, "expired"),
    ("small/thumbs/90x60/noise.jpg", 413, "source-too-large"),
    (OVERLONG, 414, "target-too-long"),
    ("local/thumbs/90x60/text.jpg", 415, "source-unsupported"),
    ("local/thumbs/90x60/tiff.jpg", 415, "source-unsupported"),
    ("local/thumbs/90x60/empty.jpg", 415, "source-unsupported"),
    ("s3/thumbs/90x60/text.jpg", 415, "source-unsupported"),
    ("local/thumbs/90x60/truncated.jpg", 422, "source-broken"),
    ("s3/thumbs/90x60/truncated.jpg", 422, "source-broken"),
    ("local/thumbs/90x60/huge.png", 422, "source-over-limit"),
    ("s3-closed/thumbs/90x60/quarters.jpg", 502, "storage-failed"),
    ("s3-unavailable/thumbs/90x60/quarters.jpg", 502, "storage-failed"),
    ("s3-hang/thumbs/90x60/quarters.jpg", 504, "storage-timeout"),
    ("hasty/thumbs/4500x4500/big.jpg", 504, "render-timeout"),
]


@pytest.mark.parametrize(("path", "status", "code"), PROBLEMS, ids=[f"{row[1]}-{row[0][:60]}" for row in PROBLEMS])
def test_every_failure_is_the_same_problem_in_every_front(fronts: Fronts, path: str, status: int, code: str) -> None:
    assert_problem(fronts.ask(path), status, code)


@pytest.mark.parametrize(("path", "status"), [("local/thumbs/90x60/absent.jpg", 404), (OVERLONG, 414)])
def test_a_failure_answers_head_without_its_body(fronts: Fronts, path: str, status: int) -> None:
    answer = fronts.ask(path, method="HEAD")
    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers["content-length"] == fronts.ask(path).headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"])
def test_other_methods_are_405_with_the_allowed_ones(fronts: Fronts, method: str) -> None:
    answer = fronts.ask(PICTURE, method=method)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_full_queue_is_503_with_retry_after_and_the_rest_is_served(fronts: Fronts) -> None:
    slow = "local/thumbs/400x400/filters:format(avif);quality({})/noise.jpg"
    for front in fronts.servers:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(front.get, [slow.format(quality) for quality in range(60, 66)]))
        refused = [answer for answer in answers if answer.status != 200]
        assert 1 <= len(refused) <= 4, front.name
        assert len(refused) < len(answers)
        for answer in refused:
            assert_problem(answer, 503, "overloaded")
            assert answer.headers["retry-after"] == "1"


# ------------------------------------------------------------------------------------------- good answers


def test_a_thumbnail_carries_all_the_headers_that_it_must(fronts: Fronts) -> None:
    answer = fronts.ask(PICTURE)
    assert answer.status == 200
    assert pictures.decoded(answer.body).size == (90, 60)
    headers = answer.headers
    assert headers["content-type"] == "image/jpeg"
    assert int(headers["content-length"]) == len(answer.body)
    assert headers["etag"].startswith('"')
    assert headers["etag"].endswith('"')
    assert headers["cache-control"] == "public, max-age=86400"
    assert headers["x-cache"] == "MISS"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert {"vary", "content-disposition"}.isdisjoint(headers)
    names = [item.strip().partition(";")[0] for item in headers["server-timing"].split(",")]
    assert len(names) == len(set(names))
    assert {"layer", "queue", "fetch", "render", "encode"} <= set(names)


def test_head_is_get_without_its_body(fronts: Fronts) -> None:
    got, head = fronts.ask(PICTURE), fronts.ask(PICTURE, method="HEAD")
    assert head.body == b""
    for name in ("content-type", "content-length", "etag", "cache-control", "last-modified", "x-cache"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("storage", ["local", "s3", "plain-class", "cached"])
def test_a_copy_that_is_still_good_is_304(fronts: Fronts, storage: str) -> None:
    path = f"{storage}/thumbs/90x60/filters:quality(77)/quarters.jpg"
    first = fronts.ask(path)
    conditions = [
        {"If-None-Match": first.headers["etag"]},
        {"If-None-Match": f'"other", W/{first.headers["etag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["last-modified"]},
        {"If-Modified-Since": formatdate(time.time() + 10, usegmt=True)},
        {"If-None-Match": first.headers["etag"], "If-Modified-Since": formatdate(0, usegmt=True)},
    ]
    for headers in conditions:
        answer = fronts.ask(path, headers=headers)
        assert (answer.status, answer.body) == (304, b""), headers
        assert answer.headers["etag"] == first.headers["etag"]
        assert answer.headers["cache-control"] == first.headers["cache-control"]
        # Without a layer, only a tag can match before a picture is made (RFC 9110, 13.2.1).
        made = storage != "cached" and first.headers["etag"] not in headers.get("If-None-Match", "")
        assert ("render" in answer.headers["server-timing"]) is made
    assert fronts.ask(path, method="HEAD", headers=conditions[0]).status == 304


def test_a_copy_that_is_no_longer_valid_is_sent_again(fronts: Fronts) -> None:
    first = fronts.ask(PICTURE)
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]},
        {"If-Modified-Since": formatdate(0, usegmt=True)},
        {"If-Modified-Since": "yesterday"},
        {"If-None-Match": ""},
    ):
        answer = fronts.ask(PICTURE, headers=headers)
        assert (answer.status, answer.body) == (200, first.body), headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("local/thumbs/90x60/text.jpg", 415),
        ("cached/thumbs/90x60/text.jpg", 415),
        ("local/thumbs/90x60/truncated.jpg", 422),
        ("cached/thumbs/90x60/truncated.jpg", 422),
        ("s3/thumbs/90x60/truncated.jpg", 422),
        ("local/thumbs/90x60/huge.png", 422),
        ("local/thumbs/90x60/filters:crop(0,0,601,400)/quarters.jpg", 400),
        ("small/thumbs/90x60/noise.jpg", 413),
        ("local/thumbs/90x60/filters:expires(1)/quarters.jpg", 410),
        ("signed/thumbs/90x60/quarters.jpg", 403),
    ],
)
def test_what_cannot_be_made_is_never_answered_with_304(fronts: Fronts, path: str, status: int) -> None:
    later = formatdate(time.time() + 10**6, usegmt=True)
    for headers in ({"If-None-Match": "*"}, {"If-Modified-Since": later}, {"If-None-Match": '"a"'}):
        assert fronts.ask(path, headers=headers).status == status
        assert fronts.ask(path, method="HEAD", headers=headers).status == status


def test_tags_may_come_in_several_lines_and_dates_may_not(fronts: Fronts) -> None:
    first = fronts.ask(PICTURE)
    tag, date = (first.headers[name].encode() for name in ("etag", "last-modified"))
    for lines, status in (
        ([b'If-None-Match: "a,b"', b"If-None-Match: W/" + tag], 304),
        ([b'If-None-Match: "a', b"If-None-Match: " + tag], 200),
        ([b"If-None-Match: *", b"If-None-Match: " + tag], 200),
        ([b"If-Modified-Since: " + date], 304),
        ([b"If-Modified-Since: " + date] * 2, 200),
    ):
        targets = [(front, f"{front.prefix}{PICTURE}".encode()) for front in fronts.servers]
        answers = {front.name: front.raw(target, headers=lines) for front, target in targets}
        assert fronts.agreed(answers).status == status, lines


def test_a_missing_original_is_404_whatever_copy_the_client_has(fronts: Fronts) -> None:
    answer = fronts.ask("local/thumbs/90x60/absent.jpg", headers={"If-None-Match": "*"})
    assert_problem(answer, 404, "source-missing")


def test_both_secrets_of_a_rotation_are_good(fronts: Fronts) -> None:
    answers = [fronts.ask(signed("90x60/quarters.jpg", secret)) for secret in (SECRET, OLD_SECRET)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]


# --------------------------------------------------------------------------------------------- negotiation

AUTO = "local/thumbs/90x60/filters:format(auto)/quarters.png"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/avif;q=0,image/webp", "image/webp"),
        ("*/*", "image/png"),
        (None, "image/png"),
    ],
)
def test_format_auto_goes_by_accept(fronts: Fronts, accept: str | None, content_type: str) -> None:
    answer = fronts.ask(AUTO, headers={"Accept": accept} if accept else {})
    assert answer.headers["content-type"] == content_type
    assert answer.headers["vary"] == "Accept"


def test_accept_may_come_in_several_lines(fronts: Fronts) -> None:
    lines = [b"Accept: image/avif", b"Accept: text/html"]
    answers = {front.name: front.raw(f"{front.prefix}{AUTO}".encode(), headers=lines) for front in fronts.servers}
    assert fronts.agreed(answers).headers["content-type"] == "image/avif"


def test_every_answer_of_a_format_auto_url_varies_by_accept(fronts: Fronts) -> None:
    good = fronts.ask(AUTO)
    kept = fronts.ask(AUTO, headers={"If-None-Match": good.headers["etag"]})
    assert (kept.status, kept.headers["vary"]) == (304, "Accept")
    for path, status in (
        ("local/thumbs/90x60/filters:format(auto)/absent.jpg", 404),
        ("local/thumbs/90x60/f:fmt(auto)/truncated.jpg", 422),
        ("local/thumbs/90x60/filters:format(auto);expires(1)/quarters.jpg", 410),
        ("limited/thumbs/91x60/filters:format(auto)/quarters.jpg", 400),
        ("signed/thumbs/90x60/filters:format(auto)/quarters.jpg", 403),
        ("small/thumbs/90x60/filters:format(auto)/noise.jpg", 413),
        ("nowhere/thumbs/90x60/filters:format(auto)/quarters.jpg", 404),
    ):
        answer = fronts.ask(path)
        assert (answer.status, answer.headers.get("vary")) == (status, "Accept"), path


# ------------------------------------------------------------------------------------------ labels of answers


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("tom.webp", 'inline; filename="tom.webp"'),
        ("%C3%A9t%C3%A9.webp", "inline; filename=\"?t?.webp\"; filename*=UTF-8''%C3%A9t%C3%A9.webp"),
        ("a%22%3B%20b=c.webp", "inline; filename=\"a'; b=c.webp\"; filename*=UTF-8''a%22%3B%20b%3Dc.webp"),
    ],
)
def test_a_download_name_is_sent_and_sets_the_format(fronts: Fronts, name: str, disposition: str) -> None:
    answer = fronts.ask(f"{PICTURE}/as/{name}")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"] == disposition


@pytest.mark.parametrize(("storage", "kept_by"), [("local", "public"), ("shared-with-scripts", "private")])
def test_a_url_with_a_version_is_immutable(fronts: Fronts, storage: str, kept_by: str) -> None:
    answer = fronts.ask(f"{storage}/thumbs/90x60/filters:version(7)/quarters.jpg")
    assert answer.headers["cache-control"] == f"{kept_by}, max-age=31536000, immutable"


def test_a_storage_may_set_cache_control_and_headers_of_its_own(fronts: Fronts) -> None:
    answer = fronts.ask("shared-with-scripts/thumbs/90x60/filters:format(auto)/quarters.jpg")
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-extra"] == "yes"
    assert answer.headers["vary"] == "Accept, Origin"


def test_the_headers_of_a_storage_never_make_an_error_cacheable(fronts: Fronts) -> None:
    answer = fronts.ask("shared-with-scripts/thumbs/90x60/absent.jpg")
    assert_problem(answer, 404, "source-missing")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_preflight_is_answered_where_cors_is_on(fronts: Fronts) -> None:
    asking = {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
    answer = fronts.ask("shared-with-scripts/thumbs/90x60/quarters.jpg", method="OPTIONS", headers=asking)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert answer.headers["access-control-allow-headers"] == "*"
    assert_problem(fronts.ask("nowhere/thumbs/90x60/quarters.jpg", method="OPTIONS"), 404, "storage-unknown")


# --------------------------------------------------------------------------------- requests on a connection


def _exchange(front: Server, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", front.port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_unread_body_is_not_taken_for_the_next_request(fronts: Fronts) -> None:
    for front in fronts.servers:
        path = f"{front.prefix}{PICTURE}".encode()
        body = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
        post = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (path, len(body))
        get = b"HEAD %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path
        answers = _exchange(front, post + body + get)
        assert [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] in (
            [b"405", b"200"],
            [b"405"],  # a server may close instead of reading what it does not want
        ), (front.name, answers)


def test_answers_of_every_kind_follow_each_other_on_one_connection(fronts: Fronts) -> None:
    etag = fronts.ask(PICTURE).headers["etag"]
    asked = [
        ("GET", PICTURE, {}, 200),
        ("GET", PICTURE, {"If-None-Match": etag}, 304),
        ("HEAD", PICTURE, {}, 200),
        ("GET", "local/thumbs/90x60/absent.jpg", {}, 404),
        ("HEAD", "local/thumbs/90x60/absent.jpg", {}, 404),
        ("OPTIONS", "shared-with-scripts/thumbs/90x60/quarters.jpg", {}, 204),
        ("POST", PICTURE, {}, 405),
        ("GET", PICTURE, {}, 200),
    ]
    for front in fronts.servers:
        connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=WAIT_SECONDS)
        connection.connect()
        opened = connection.sock
        for method, path, headers, status in asked:
            connection.request(method, front.prefix + path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == status, (front.name, method, path)
            answer.read()
            assert connection.sock is opened, (front.name, method, path)
        connection.close()


def test_a_client_that_leaves_harms_no_other_request(fronts: Fronts) -> None:
    slow = "local/thumbs/410x410/filters:format(avif);quality({})/noise.jpg"
    for front in fronts.servers:
        path = front.prefix + slow.format(40)
        with socket.create_connection(("127.0.0.1", front.port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        # A request for the same thumbnail joins the flight, or starts another.
        assert front.get(slow.format(40)).status == 200, front.name
        assert front.get(PICTURE).status == 200, front.name


# ---------------------------------------------------------------------------------- one path, many spellings


def _spellings(text: str) -> list[str]:
    everything = "".join(f"%{byte:02X}" for byte in text.encode())
    return [quote(text), quote(text, safe="/:(),;="), everything, everything.lower(), quote(text, safe="")]


def test_every_spelling_of_a_path_finds_the_same_entry(fronts: Fronts) -> None:
    target = "90x60/filters:format(png);quality(61)/Bücher/été.jpg"
    first = fronts.ask(f"cached/thumbs/{quote(target)}")
    assert first.headers["x-cache"] == "MISS"
    for spelling in _spellings(target):
        answer = fronts.ask(f"cached/thumbs/{spelling}")
        assert answer.headers["x-cache"] == "HIT", spelling
        assert answer.headers["server-timing"] == 'layer;desc="memory"'
        assert (answer.body, answer.headers["etag"]) == (first.body, first.headers["etag"])


def test_every_spelling_of_a_path_has_the_same_signature(fronts: Fronts) -> None:
    target = "90x60/cats/tom & jerry?.jpg"
    made = signature(f"/signed/thumbs/{target}")
    for spelling in _spellings(target):
        if "?" not in spelling:
            assert fronts.ask(f"signed/thumbs/{made}/{spelling}").status == 200, spelling
    assert fronts.ask(f"signed/thumbs/{made}/{quote(target, safe='/?')}").status == 403


def test_a_front_answers_before_the_site_and_passes_the_rest_on(fronts: Fronts) -> None:
    marks = {front.name: "referrer-policy" in front.get(PICTURE).headers for front in fronts.servers}
    assert marks == {front.name: front.name.startswith("site") for front in fronts.servers}
    for front in fronts.servers:
        if front.name.startswith("wrapped"):
            assert "referrer-policy" in front.raw(b"/local/thumbs/90x60/quarters.jpg").headers


# -------------------------------------------------------------------------------------- the standalone server


def _standalone(fronts: Fronts) -> dict[str, Server]:
    return {front.name: front for front in fronts.servers if front.name.startswith("standalone")}


def test_the_standalone_server_says_which_storages_it_cannot_reach(fronts: Fronts) -> None:
    health = fronts.agreed({name: front.get("health") for name, front in _standalone(fronts).items()})
    assert (health.status, json.loads(health.body)) == (200, {"status": "ok"})
    gone = ("s3-closed", "s3-unavailable", "s3-hang")
    for front in _standalone(fronts).values():

        def storages(front: Server = front) -> dict[str, str]:
            ready = front.get("ready")
            assert (ready.status, ready.headers["cache-control"]) == (200, "no-store")
            body = json.loads(ready.body)
            assert (body["status"], body["reasons"]) == ("ready", [])
            found: dict[str, str] = body["storages"]
            return found

        eventually(lambda: "unknown" not in storages().values())
        found = storages()
        assert {name for name in gone if found[name] == "reachable"} == set()
        assert found["local"] == found["s3"] == "reachable"


@pytest.mark.parametrize("path", ["", "favicon.ico", "local", "local/thumbs", "metrics", "admin/", "%ff", "health/"])
def test_any_other_path_of_the_standalone_server_is_404(fronts: Fronts, path: str) -> None:
    answer = fronts.agreed({name: front.get(path) for name, front in _standalone(fronts).items()})
    assert_problem(answer, 404, "not-a-thumbnail")


def test_no_front_has_logged_an_unexpected_error(fronts: Fronts) -> None:
    """The last test of this file: no front has logged an unexpected error."""
    for front in fronts.servers:
        log = front.log.read_text()
        assert not [word for word in ("Traceback", "ERROR", "Error handling") if word in log], (front.name, log[-3000:])
        # What no client gets is logged here.
        # A busy machine may have used up the little time that `s3-hang` allows before anything waits for its socket.
        hang = "(timed out|StorageTimeout)"
        causes = {"s3-closed": "Connection refused", "s3-unavailable": "SlowDown", "s3-hang": hang}
        for storage, cause in causes.items():
            assert re.search(f"storage {storage}: The storage did not .*{cause}", log), (front.name, storage)
