"""Problems of the keys of driver `http`, each with its id and its place."""

import pytest

from thumbs.conf.loading import load
from thumbs.sources.drivers.table import driver_of

BASE = {"base_url": "https://assets.example.com/media/"}
LIST = {"allowed_sources": ["https://*.example.com/"]}
SECRET = "hidden-secret"


def _problems(limits: object = None, **keys: object) -> list[tuple[str, str]]:
    storage = {"name": "remote", "driver": "http", "allowed_sizes": ["9x9"], **keys}
    loaded = load({"STORAGES": [storage], "LIMITS": limits or {}})
    assert SECRET not in repr(loaded) or f":{SECRET}@" in str(keys)  # user information is refused, and is no secret key
    assert SECRET not in "".join(map(str, loaded.problems))
    return [(problem.id, problem.where.removeprefix("storages[remote].")) for problem in loaded.problems]


@pytest.mark.parametrize(
    "keys",
    [
        BASE,
        LIST,
        {"allowed_sources": ["https://*/"], "signature_secret_key": "a secret"},
        BASE | {"request_headers": {"Authorization": f"Bearer {SECRET}", "Cookie": "a=b"}},
        {"allowed_sources": ["https://example.com/"], "request_headers": {"X-Token": SECRET}},
        LIST | {"allowed_redirects": ["https://cdn.example.org/a/"], "nat64_prefixes": ["2a00:1450:1::/96"]},
        {"base_url": "http://10.2.0.5:8080/", "allowed_networks": ["10.2.0.0/16"]},
        {"base_url": "http://assets/", "allowed_networks": ["10.2.0.0/16"]},
        BASE | {"max_redirects": 0, "revalidate": False, "origin_cache_control": True, "user_agent": "site/1.0"},
        LIST | {"fallback": "https://img.example.com/none.png"},
        LIST | {"fallback": "https/img.example.com/none.png"},
        BASE | {"fallback": "none.png"},
    ],
)
def test_a_right_configuration_has_no_problem(keys: dict[str, object]) -> None:
    assert _problems(**keys) == []


@pytest.mark.parametrize(
    ("keys", "code", "where"),
    [
        ({}, "thumbs.E004", "base_url"),
        (BASE | LIST, "thumbs.E010", "base_url"),
        *(
            ({"base_url": url}, "thumbs.E003", "base_url")
            for url in (
                *("assets.example.com/", "ftp://assets.example.com/", "https://assets.example.com/media"),
                *("https://assets.example.com/?a=b/", f"https://user:{SECRET}@assets.example.com/", "https://[::1]/"),
                *("https://127.1/", "https://assets.example.com/#/", "https://assets.example.com/a/../"),
            )
        ),
        *(
            ({"allowed_sources": [entry]}, "thumbs.E003", "allowed_sources")
            for entry in ("https://example.com", f"https://u:{SECRET}@example.com/", "https://*:8443/", "example.com/")
        ),
        ({"allowed_sources": []}, "thumbs.E003", "allowed_sources"),
        (BASE | {"allowed_redirects": ["cdn"]}, "thumbs.E003", "allowed_redirects"),
        *(
            (BASE | {"allowed_networks": [network]}, "thumbs.E003", "allowed_networks")
            for network in ("0.0.0.0/0", "::/0", "10.0.0.1/8", "ten", "10.0.0.0-10.0.0.9")
        ),
        (BASE | {"nat64_prefixes": ["64:ff9b::/95"]}, "thumbs.E003", "nat64_prefixes"),
        *(
            (BASE | {"request_headers": {name: SECRET}}, "thumbs.E003", "request_headers")
            for name in ("Host", "connection", "Content-Type", "RANGE", "If-None-Match", "Accept-Encoding", "a b", "")
        ),
        (BASE | {"request_headers": {"X-Token": f"{SECRET}\r\nX: y"}}, "thumbs.E003", "request_headers"),
        (LIST | {"request_headers": {"X-Token": SECRET}}, "thumbs.E010", "request_headers"),
        (BASE | {"client_key": "/own.key"}, "thumbs.E010", "client_key"),
        (BASE | {"user_agent": "a\nb"}, "thumbs.E003", "user_agent"),
        (BASE | {"max_redirects": -1}, "thumbs.E003", "max_redirects"),
        ({"allowed_sources": ["https://*/"]}, "thumbs.E034", "allowed_sources"),
        ({"allowed_sources": ["https://*.com/"]}, "thumbs.E034", "allowed_sources"),
        ({"base_url": "http://assets.example.com/"}, "thumbs.W020", "base_url"),
        (BASE | {"allowed_redirects": ["http://cdn.example.org/"]}, "thumbs.W020", "allowed_redirects"),
        ({"base_url": "https://10.2.0.5/"}, "thumbs.W021", "base_url"),
        (
            {"base_url": "http://10.2.0.5/", "allowed_networks": ["10.2.0.0/16"], "request_headers": {"X-T": SECRET}},
            "thumbs.W020",
            "request_headers",
        ),
        (LIST | {"max_conns_per_host": 16}, "thumbs.W023", "max_conns_per_host"),
        (LIST | {"fallback": "https/other.test/none.png"}, "thumbs.E003", "fallback"),
        (BASE | {"fallback": "a/../b"}, "thumbs.E003", "fallback"),
        (BASE | {"root": "/srv"}, "thumbs.E011", "root"),
    ],
)
def test_a_wrong_or_dangerous_key_is_named(keys: dict[str, object], code: str, where: str) -> None:
    assert _problems(**keys) == [(code, where)]


def test_a_key_of_two_drivers_is_named_once_for_a_third() -> None:
    storage = {"name": "a", "driver": "local", "root": "/", "allowed_sizes": ["9x9"], "base_url": "https://a/"}
    assert [problem.id for problem in load({"STORAGES": [storage]}).problems] == ["thumbs.E011"]


def test_the_fetches_of_a_process_are_compared_with_the_connections_of_a_host() -> None:
    assert _problems({"fetches": 8}, **LIST) == [("thumbs.W023", "max_conns_per_host")]
    assert _problems({"fetches": 8}, **BASE) == []


def _found_by_checks(**keys: object) -> list[tuple[str, str]]:
    driver = driver_of("http")
    storage = load({"STORAGES": [{"name": "remote", "driver": "http", **keys}]}).storages[0]
    return [(problem.id, problem.where) for problem in driver.checks(driver.settings_of(storage))]


def test_a_proxy_of_the_environment_is_named_because_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert _found_by_checks(**BASE) == []
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert _found_by_checks(**BASE) == [("thumbs.W022", "driver")]


def test_files_that_cannot_be_loaded_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert _found_by_checks(**BASE, ca_file="/nothing.pem") == [("thumbs.E003", "ca_file")]
    assert _found_by_checks(**BASE, client_cert="/nothing.pem") == [("thumbs.E003", "client_cert")]
