"""Which URLs an entry of `allowed_sources` admits."""

import pytest

from thumbs.sources.http.url import BadUrl, Entry, from_path, from_text

ADMITTED = {
    "https://example.com/": ["https://example.com/a.jpg", "https://EXAMPLE.com:443/a", "https://example.com./a"],
    "https://example.com/a": ["https://example.com/a", "https://example.com/a/b", "https://example.com/a?x=1"],
    "https://example.com/a/": ["https://example.com/a/b"],
    "https://*.example.com/": ["https://img.example.com/a", "https://a.b.example.com/a"],
    "https://*/": ["https://img.example.com/a", "https://93.184.216.34/a"],
    "http://example.com:8080/": ["http://example.com:8080/a"],
    "http://intranet/": ["http://intranet/a"],
    "https://example.com/ü/": ["https://example.com/ü/a", "https://example.com/%C3%BC/a"],
}
NOT_ADMITTED = {
    "https://example.com/": [
        *("https/example.com.evil.test/a", "https/evil.test/a?.example.com", "https/example.com:8443/a"),
        *("http/example.com/a", "https/www.example.com/a", "https/xexample.com/a", "https/example.co/a"),
    ],
    "https://example.com/a": [
        "https/example.com/ab",
        "https/example.com/b",
        "https/example.com/A",
        "https/example.com/?/a",
    ],
    "https://example.com/a/": ["https/example.com/a", "https/example.com/ab/c"],
    "https://*.example.com/": ["https/example.com/a", "https/xexample.com/a", "https/example.com.evil.test/a"],
    "https://*/": ["https/metadata/a", "https/localhost/a", "https/img.example.com:8443/a", "http/img.example.com/a"],
    "http://*/": ["http/img.example.com:8080/a", "http/img.example.com:443/a"],
}
# Not even URLs: an entry is not asked.
NO_URLS = (
    *("https/example.com@evil.test/a", "https/example.com/a/../b", "https/example.com/a/%2e%2e/b"),
    *("https/example.com/a%2f..%2fb", "https/example.com\\@evil.test/a", "https/example.com#@evil.test/a"),
)


@pytest.mark.parametrize(("entry", "url"), [(entry, url) for entry, urls in ADMITTED.items() for url in urls])
def test_an_entry_admits_its_host_and_what_is_below_its_prefix(entry: str, url: str) -> None:
    assert Entry.parse(entry).admits(from_text(url))


@pytest.mark.parametrize(("entry", "path"), [(entry, path) for entry, paths in NOT_ADMITTED.items() for path in paths])
def test_an_entry_admits_nothing_that_is_only_spelled_like_it(entry: str, path: str) -> None:
    assert not Entry.parse(entry).admits(from_path(path))


@pytest.mark.parametrize("path", NO_URLS)
def test_what_could_leave_an_entry_by_another_reading_is_no_url(path: str) -> None:
    with pytest.raises(BadUrl):
        from_path(path)


@pytest.mark.parametrize(
    "text",
    [
        *("https://example.com", "example.com/", "//example.com/", "ftp://example.com/", "https://", "https:///"),
        *("https://user@example.com/", "https://example.com/?x", "https://example.com/#x", "https://example.com?/"),
        *("https://*example.com/", "https://img.*.com/", "https://*.*.com/", "https://*:8443/", "https://*.1.2.3.4/"),
        *("https://example.com:0/", "https://example.com/../", "https://127.1/", "https://**/", "", "https://*./"),
    ],
)
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        Entry.parse(text)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        *(("https://*/", True), ("http://*:80/", True), ("https://*.com/", True), ("https://*.example.com/", False)),
        *(("https://example.com/", False), ("http://intranet/", False)),
    ],
)
def test_an_entry_that_admits_any_host_is_open(text: str, is_open: bool) -> None:
    assert Entry.parse(text).is_open is is_open


def test_only_an_exact_entry_has_an_origin() -> None:
    assert Entry.parse("https://example.com/a/").exact == from_text("https://example.com/").origin
    assert Entry.parse("https://*.example.com/").exact is None
