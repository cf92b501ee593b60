"""nginx's cache, the lines `#cache ` of our configuration: what it keeps, for how long, and how it is emptied."""

import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.deployed import DEPLOY, Recorder, nginx, reload, swapped, thumb_server
from tests.support.fronts import SECRET, signature
from tests.support.servers import ROOT, Answer, Server
from tests.support.waiting import WAIT_SECONDS

_AUTO = "thumbs/80x60/filters:format(auto)/quarters.jpg"
_PAST_ONE_SECOND = 2.1  # nginx counts whole seconds: what is good for one may be served for almost two
_ORDERS_TO_NGINX = {
    "X-Accel-Redirect": "/health",
    "X-Accel-Limit-Rate": "1000",
    "X-Accel-Buffering": "no",
    "X-Accel-Charset": "utf-8",
}
_OTHER_LIFETIMES = [("X-Accel-Expires", "3600"), ("Expires", "Thu, 31 Dec 2099 00:00:00 GMT")]


@pytest.fixture(scope="module")
def mage(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    local = {"driver": "local", "root": str(originals), "cache": {"memory": {"enabled": True, "max_size_mb": 16}}}
    storages = [
        {"name": "local", **local},
        {"name": "scripts", **local, "headers": {"Access-Control-Allow-Origin": "*", "Vary": "Origin"}},
        {"name": "orders", **local, "cache_control": "max-age=1", "headers": _ORDERS_TO_NGINX},
        {"name": "cookies", **local, "headers": {"Set-Cookie": "seen=1"}},
        {"name": "edge", **local, "cache_control": "s-maxage=1, max-age=86400"},
    ]
    with thumb_server({"storages": storages}, tmp_path_factory.mktemp("mage")) as running:
        yield running


@pytest.fixture(scope="module")
def cached(mage: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nginx(tmp_path_factory.mktemp("cached"), [mage.port], parts=["cache"]) as through:
        yield through


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[Recorder, Server]]:
    """nginx before an upstream whose answers the test sets."""
    with Recorder() as recorder, nginx(tmp_path / "recorded", [recorder.port], parts=["cache"]) as through:
        yield recorder, through


def _cache_status(answer: Answer) -> str:
    return answer.headers["x-proxy-cache"]


def _now() -> int:
    return int(time.time())


# ------------------------------------------------------------------------------------- what is kept, and apart


@pytest.mark.parametrize("storage", ["local", "scripts"])
def test_what_it_has_is_answered_and_what_varies_is_kept_apart(cached: Server, storage: str) -> None:
    seen = []
    for accept in ("image/webp", "image/webp", "image/avif", "image/webp", "image/avif"):
        answer = cached.get(f"{storage}/{_AUTO}", headers={"Accept": accept})
        assert answer.headers["content-type"] == accept
        seen.append(_cache_status(answer))
    assert seen == ["MISS", "HIT", "MISS", "HIT", "HIT"]


def test_conditions_and_heads_are_answered_without_mage(cached: Server) -> None:
    path = "local/thumbs/81x60/quarters.jpg"
    first = cached.get(path, headers={"If-None-Match": '"something else"'})
    assert (first.status, _cache_status(first)) == (200, "MISS")
    again = cached.get(f"{path}?a=query", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, _cache_status(again)) == (304, b"", "HIT")
    assert again.headers["cache-control"] == first.headers["cache-control"]
    head = cached.get(path, method="HEAD")
    assert (head.status, head.headers["content-length"], _cache_status(head)) == (200, str(len(first.body)), "HIT")


@pytest.mark.parametrize(
    ("width", "method", "headers"),
    [(86, "GET", {"If-None-Match": "*"}), (87, "HEAD", {}), (88, "GET", {"Range": "bytes=0-9"})],
)
def test_whatever_is_requested_first_the_whole_picture_is_kept(
    mage: Server, cached: Server, width: int, method: str, headers: dict[str, str]
) -> None:
    path = f"local/thumbs/{width}x60/quarters.jpg"
    assert _cache_status(cached.get(path, method=method, headers=headers)) == "MISS"
    answer = cached.get(path)
    assert (answer.body, _cache_status(answer)) == (mage.get(path).body, "HIT")
    part = cached.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status, part.body) in ((200, answer.body), (206, answer.body[:10]))


def test_no_error_is_kept_and_no_verdict_on_another_spelling(cached: Server) -> None:
    good = "local/thumbs/83x60/quarters.jpg"
    assert cached.get(good).status == 200
    for bad, status in (
        ("local/thumbs/83x60/x/../quarters.jpg", 400),
        ("local/thumbs/83x60/absent.jpg", 404),
        ("orders/thumbs/83x60/absent.jpg", 404),
    ):
        for _ in range(2):
            answer = cached.raw(f"/{bad}".encode())
            assert (answer.status, _cache_status(answer)) == (status, "MISS")


@pytest.mark.parametrize(
    "lifetime",
    [
        [],
        [("Cache-Control", "public")],
        [("Cache-Control", "max-age=0")],
        [("Cache-Control", "no-cache, max-age=60")],
        [("Cache-Control", "private, max-age=60")],
        [("Cache-Control", "no-store"), ("X-Accel-Expires", "60")],
        [("X-Accel-Expires", "60"), ("Cache-Control", "no-store")],
        [("Expires", "Thu, 31 Dec 2099 00:00:00 GMT")],
        [("Cache-Control", "s-maxage=0, max-age=60")],
        [("Cache-Control", "max-age=60"), ("Vary", "*")],
    ],
    ids=str,
)
def test_without_a_lifetime_of_its_own_an_answer_is_not_kept(
    recorded: tuple[Recorder, Server], lifetime: Sequence[tuple[str, str]]
) -> None:
    recorder, through = recorded
    recorder.answer = lifetime
    assert [_cache_status(through.get("a/thumbs/x/a.jpg")) for _ in range(2)] == ["MISS"] * 2
    assert len(recorder.targets) == 2


def test_what_comes_with_a_cookie_is_not_kept(cached: Server) -> None:
    assert [_cache_status(cached.get("cookies/thumbs/90x60/quarters.jpg")) for _ in range(2)] == ["MISS"] * 2


def test_concurrent_requests_for_what_is_not_kept_do_not_wait_for_each_other(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    recorder.status, recorder.answer = 404, [("Cache-Control", "no-store")]
    recorder.together = threading.Barrier(8, timeout=WAIT_SECONDS)  # no request is answered before all are there
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: through.get("a/thumbs/x/absent.jpg"), range(8)))
    assert [answer.status for answer in answers] == [404] * 8


# ------------------------------------------------------------------------------------------- and for how long


def test_nothing_but_cache_control_says_for_how_long(mage: Server, cached: Server) -> None:
    paths = ["orders/thumbs/90x60/quarters.jpg", "edge/thumbs/90x60/quarters.jpg"]
    for path in paths:
        first = cached.get(path)
        assert (first.status, first.body, _cache_status(first)) == (200, mage.get(path).body, "MISS")
    time.sleep(_PAST_ONE_SECOND)
    assert [_cache_status(cached.get(path)) for path in paths] == ["EXPIRED"] * 2


def test_lifetimes_beside_that_of_cache_control_do_not_count(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    recorder.answer = [*_OTHER_LIFETIMES, ("Cache-Control", "max-age=1"), *_OTHER_LIFETIMES]
    assert _cache_status(through.get("a/thumbs/x/a.jpg")) == "MISS"
    time.sleep(_PAST_ONE_SECOND)
    assert _cache_status(through.get("a/thumbs/x/a.jpg")) == "EXPIRED"


def test_what_is_too_old_is_fetched_whole_with_the_headers_that_are_true_now(
    recorded: tuple[Recorder, Server],
) -> None:
    recorder, through = recorded
    recorder.answer = [("Cache-Control", "max-age=1"), ("ETag", '"same"')]
    assert through.get("a/thumbs/x/a.jpg").headers["cache-control"] == "max-age=1"
    time.sleep(_PAST_ONE_SECOND)
    recorder.answer = [("Cache-Control", "max-age=900"), ("ETag", '"same"')]
    for status in ("EXPIRED", "HIT"):
        answer = through.get("a/thumbs/x/a.jpg", headers={"If-None-Match": '"another"'})
        assert (answer.headers["cache-control"], _cache_status(answer)) == ("max-age=900", status)
    assert not {"if-none-match", "if-modified-since"} & recorder.headers[-1].keys()


def test_the_date_of_a_kept_answer_is_that_of_the_first(cached: Server) -> None:
    path = "local/thumbs/84x60/quarters.jpg"
    first = cached.get(path)
    time.sleep(1.1)
    again, unchanged = cached.get(path), cached.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (_cache_status(again), unchanged.status) == ("HIT", 304)
    assert first.headers["date"] == again.headers["date"] == unchanged.headers["date"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", first.headers["date"])  # and it is there once


def test_any_other_answer_replaces_what_is_too_old(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    statuses = (400, 403, 404, 410, 413, 415, 422, 429, 500, 502, 503, 504)
    for control in ("max-age=1", "max-age=1, stale-if-error=600"):
        recorder.status, recorder.answer = 200, [("Cache-Control", control)]
        paths = {status: f"a/thumbs/x/f:version({len(control)})/{status}.jpg" for status in statuses}
        assert {through.get(path).status for path in paths.values()} == {200}
        time.sleep(_PAST_ONE_SECOND)
        recorder.answer = [("Cache-Control", "no-store")]
        for recorder.status, path in paths.items():
            assert [through.get(path).status, through.get(path, method="HEAD").status] == [recorder.status] * 2


@pytest.mark.slow
def test_while_mage_is_down_nothing_is_served_for_longer_than_it_said(originals: Path, tmp_path: Path) -> None:
    def storage(name: str, control: str) -> dict[str, object]:
        return {"name": name, "driver": "local", "root": str(originals), "cache_control": control}

    storages = [
        storage("plain", "max-age=1"),
        storage("lasting", "max-age=3600"),
        storage("bridged", "max-age=1, stale-if-error=3600"),
        storage("shortly", "max-age=1, stale-if-error=1"),
        storage("behind", "max-age=1, stale-while-revalidate=1"),
    ]
    picture = "thumbs/90x60/quarters.jpg"
    expiring = f"bridged/thumbs/90x60/f:exp({_now() + 600})/quarters.jpg"
    paths = [*(f"{each['name']}/{picture}" for each in storages), expiring]
    with (
        thumb_server({"storages": storages}, tmp_path / "mage") as direct,
        nginx(tmp_path / "nginx", [direct.port], parts=["cache"]) as through,
    ):
        assert {through.get(path).status for path in paths} == {200}
        direct.process.terminate()
        direct.process.wait(45)
        time.sleep(2 * _PAST_ONE_SECOND)
        statuses = {path: through.get(path).status for path in paths}
    assert [statuses.pop(f"{name}/{picture}") for name in ("lasting", "bridged")] == [200, 200]
    assert set(statuses.values()) == {502}


# ---------------------------------------------------------------------------------------------- URLs that expire


def _past_and_future() -> tuple[list[int], list[int]]:
    """Times whose digits differ from those of now in each place, on both sides."""
    past = [_now(), *(_now() - 10**place for place in range(9)), 10**9]
    future = [9_999_999_999, 10**10, 999_999_999_999, *(_now() + 600 + 10**place for place in range(10))]
    return past, future


@pytest.mark.parametrize(
    "spelled",
    [
        "filters:expires({})",
        "f:exp({})",
        "f:q(70);exp({});g(north)",
        "filters%3aexpires%28{}%29",
        "f%3A%65xp({})",
        "f:q(70)%3bexp({})",
    ],
)
def test_a_url_that_has_expired_always_goes_to_mage(recorded: tuple[Recorder, Server], spelled: str) -> None:
    recorder, through = recorded
    recorder.answer = [("Cache-Control", "max-age=3600")]  # whatever Cache-Control says
    past, future = _past_and_future()
    for when, status in (*((when, "BYPASS") for when in past), *((when, "HIT") for when in future)):
        path = f"a/thumbs/x/{spelled.format(when)}/a.jpg"
        through.get(path)
        assert [_cache_status(through.get(path)), _cache_status(through.get(path, method="HEAD"))] == [
            status,
            status,
        ], when


def test_a_url_is_over_in_the_second_in_which_it_expires(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    recorder.answer = [("Cache-Control", "max-age=3600")]
    end = _now() + 2
    asked_after = 0
    while asked_after < 20:
        over = time.time() >= end
        answer = through.get(f"a/thumbs/x/f:exp({end})/a.jpg")
        assert _cache_status(answer) == "BYPASS" if over else _cache_status(answer) in ("MISS", "HIT", "BYPASS")
        asked_after += over
        time.sleep(0.02)


def test_a_url_that_expires_is_kept_until_then_and_refused_by_mage_from_then_on(mage: Server, cached: Server) -> None:
    assert mage.get("local/thumbs/90x60/quarters.jpg").status == 200  # so that there is no more to render
    end = _now() + 5
    path = f"local/thumbs/90x60/f:exp({end})/quarters.jpg"
    first = cached.get(path)
    assert first.status == 200
    assert 0 < int(first.headers["cache-control"].removeprefix("public, max-age=")) <= 5
    while time.time() < end:
        assert cached.get(path).status in (200, 410)
        time.sleep(0.05)
    for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"If-None-Match": first.headers["etag"]})):
        answer = cached.get(path, method=method, headers=headers)
        assert (answer.status, answer.headers["cache-control"]) == (410, "no-store")


# ------------------------------------------------------------------------------------------------------ emptying


def _documented(beginning: str, directory: Path) -> str:
    """The command of the documentation that begins so, for a cache in `directory`."""
    lines = (ROOT / "docs" / "deployment.md").read_text().splitlines()
    found = [line for line in lines if line.startswith(beginning)]
    assert len(found) == 1
    assert "/var/cache/nginx-mage" in (DEPLOY / "nginx.conf").read_text()
    return swapped(found[0], {"/var/cache/nginx-mage": str(directory / "cache")})


def _run(command: str) -> None:
    subprocess.run(command, shell=True, check=True, timeout=WAIT_SECONDS)


def test_emptying_it_ends_what_was_revoked_though_it_was_good_for_a_year(originals: Path, tmp_path: Path) -> None:
    def storages(secret: str) -> dict[str, object]:
        local = {"driver": "local", "root": str(originals)}
        return {"storages": [{"name": "signed", **local, "signature_secret_key": secret}]}

    rest = "90x60/filters:version(1)/quarters.jpg"
    path = f"signed/thumbs/{signature(f'/signed/thumbs/{rest}')}/{rest}"
    directory = tmp_path / "nginx"
    with (
        thumb_server(storages(SECRET), tmp_path / "mage") as direct,
        nginx(directory, [direct.port], parts=["cache"]) as through,
    ):
        first = through.get(path)
        assert "immutable" in first.headers["cache-control"]
        reload(direct, storages("another-secret"))
        assert direct.get(path).status == 403
        assert (through.get(path).body, _cache_status(through.get(path))) == (first.body, "HIT")
        _run(_documented("find ", directory))
        assert [through.get(path).status for _ in range(2)] == [403, 403]


def test_the_copies_of_one_original_can_be_removed_alone(mage: Server, tmp_path: Path) -> None:
    directory = tmp_path / "nginx"
    sizes = ("90x60", "91x60/filters:format(auto)", "92x60/filters:version(7);format(auto)")
    key = "cats/tom%20%26%20jerry%3F.jpg"
    tom = [(f"local/thumbs/{size}/{key}", accept) for size in sizes for accept in ("*/*", "image/webp")]
    others = [("local/thumbs/90x60/quarters.jpg", "*/*")]
    with nginx(directory, [mage.port], parts=["cache"]) as through:

        def statuses() -> list[str]:
            return [_cache_status(through.get(path, headers={"Accept": accept})) for path, accept in (*tom, *others)]

        statuses()
        assert set(statuses()) == {"HIT"}
        command = _documented("grep ", directory)
        _run(swapped(command, {"/photos/": "/local/", r"cats/tom\.jpg": re.escape(key)}))
        assert statuses() == ["MISS", "HIT", *["MISS"] * 4, "HIT"]
