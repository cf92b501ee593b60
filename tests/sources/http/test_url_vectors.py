"""URLs and redirects that parsers read differently: what is accepted here, the others read in the same way."""

from urllib.parse import urlsplit

import pytest

from tests.support.url_vectors import BASE, LOCATIONS, URLS, Row
from thumbs.sources.http.url import BadUrl, from_text, redirected


def _host_and_port(url: str) -> str | None:
    try:
        origin = from_text(url).origin
    except BadUrl:
        return None
    return f"{origin.host}:{origin.port}"


def _target(location: str) -> str | None:
    try:
        return str(redirected(from_text(BASE), location.encode().decode("latin-1")))
    except BadUrl:
        return None


def _same(found: str) -> str:
    """Without what no resolver sees: capitals of a host, and the dot at its end."""
    netloc = urlsplit(found if "://" in found else f"http://{found}").netloc
    host, colon, port = netloc.lower().partition(":")
    return found.replace(netloc, f"{host.removesuffix('.')}{colon}{port}", 1)


@pytest.mark.parametrize(("url", "ours", "go", "whatwg"), URLS)
def test_a_url_has_one_host_or_is_refused(url: str, ours: str | None, go: str | None, whatwg: str | None) -> None:
    assert _host_and_port(url) == ours
    if ours is not None:
        assert {_same(found) for found in (go, whatwg) if found is not None} == {ours}
        parts = urlsplit(url)
        assert _same(f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}") == ours


@pytest.mark.parametrize(("location", "ours", "go", "whatwg"), LOCATIONS)
def test_a_redirect_has_one_target_or_is_refused(
    location: str, ours: str | None, go: str | None, whatwg: str | None
) -> None:
    assert _target(location) == ours
    if ours is not None:
        assert {_same(found) for found in (go, whatwg) if found is not None} == {ours}


@pytest.mark.parametrize("rows", [URLS, LOCATIONS])
def test_parsers_disagree_about_many_of_them(rows: tuple[Row, ...]) -> None:
    """Otherwise the tests above would show nothing."""
    assert sum(ours is None and None not in (go, whatwg) and go != whatwg for _, ours, go, whatwg in rows) >= 5
