"""URLs of originals: which paths name one, and that paths and URLs are inverses."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.remote_urls import LOOPBACK, UNNAMED
from thumbs.sources.http.url import BadUrl, below, from_path, from_text, path_of, redirected

# Paths, and the canonical URL of each.
NAMED = {
    "https/img.example.com/a.jpg": "https://img.example.com/a.jpg",
    "http/img.example.com/a.jpg": "http://img.example.com/a.jpg",
    "https/img.example.com/a b.jpg?x=1": "https://img.example.com/a%20b.jpg?x=1",
    "https/img.example.com/a%20b.jpg": "https://img.example.com/a%20b.jpg",
    "https/IMG.Example.COM/A.jpg": "https://img.example.com/A.jpg",
    "https/img.example.com./a.jpg": "https://img.example.com/a.jpg",
    "https/img.example.com:443/a.jpg": "https://img.example.com/a.jpg",
    "http/img.example.com:443/a.jpg": "http://img.example.com:443/a.jpg",
    "https/img.example.com:8443/a.jpg": "https://img.example.com:8443/a.jpg",
    "https/img.example.com/süß/🐈.jpg": "https://img.example.com/s%C3%BC%C3%9F/%F0%9F%90%88.jpg",
    "https/xn--mnchen-3ya.de/a.jpg": "https://xn--mnchen-3ya.de/a.jpg",
    "https/a_b-c.example.com/a.jpg": "https://a_b-c.example.com/a.jpg",
    "http/93.184.216.34/a.jpg": "http://93.184.216.34/a.jpg",
    "https/img.example.com/a?b=c?d": "https://img.example.com/a?b=c?d",
    "https/img.example.com/a+b,c;d=e(f)!$&'*@:~": "https://img.example.com/a+b,c;d=e(f)!$&'*@:~",
    'https/img.example.com/<"^`{|}>': "https://img.example.com/%3C%22%5E%60%7B%7C%7D%3E",
    "https/img.example.com/...": "https://img.example.com/...",
    "https/img.example.com/a..b/.c": "https://img.example.com/a..b/.c",
}


@pytest.mark.parametrize(("path", "url"), NAMED.items())
def test_a_path_names_one_canonical_url(path: str, url: str) -> None:
    assert str(from_path(path)) == url
    assert str(from_text(url)) == url


@pytest.mark.parametrize("path", UNNAMED)
def test_what_has_two_readings_names_no_url(path: str) -> None:
    with pytest.raises(BadUrl):
        from_path(path)


@pytest.mark.parametrize("host", [host for host in LOOPBACK if host != "127.0.0.1e0x"])
def test_no_number_but_a_canonical_address_is_a_host(host: str) -> None:
    with pytest.raises(BadUrl):
        from_path(f"http/{host}/a.jpg")


_SEGMENT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\#?%"), min_size=1
)


@settings(deadline=None)
@given(st.lists(_SEGMENT.filter(lambda text: text.partition(";")[0] not in (".", "..")), min_size=1, max_size=4))
def test_paths_and_urls_are_inverses(segments: list[str]) -> None:
    target = "/".join(segments)
    text = f"https://img.example.com:8443/{target}?x={segments[0]}"
    path = path_of(text)
    assert str(from_path(path)) == str(from_text(text))
    assert path == path_of(text)


@pytest.mark.parametrize("url", NAMED.values())
def test_other_parsers_find_the_same_host(url: str) -> None:
    parts = urlsplit(url)
    parsed = from_text(url)
    assert (parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]) == parsed.origin[1:]


@pytest.mark.parametrize("host", ["münchen.de", "MÜNCHEN.de", "ｍünchen。de", "xn--mnchen-3ya.de"])
def test_a_host_is_written_as_browsers_write_it(host: str) -> None:
    """UTS 46 maps letters to lower case, and forms of full width to the usual ones."""
    pytest.importorskip("idna")
    assert path_of(f"https://{host}:8443/süß.jpg") == "https/xn--mnchen-3ya.de:8443/süß.jpg"


def test_a_query_that_no_path_can_hold_is_encoded() -> None:
    assert path_of("https://img.example.com/a?u=http://b/c") == "https/img.example.com/a?u=http:%2F%2Fb%2Fc"


def test_a_key_is_appended_to_the_base_and_never_leaves_it() -> None:
    base = from_text("https://assets.example.com/media/")
    for key, target in {
        "cats/tom.jpg": "/media/cats/tom.jpg",
        "a?b%.jpg": "/media/a%3Fb%25.jpg",
        "a#b": "/media/a%23b",
        "%2e%2e/x": "/media/%252e%252e/x",
        "süß": "/media/s%C3%BC%C3%9F",
        "a;b=c": "/media/a%3Bb%3Dc",
        "http://x": "/media/http%3A//x",
    }.items():
        assert below(base, key).target == target
        assert below(base, key).origin == base.origin


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b.jpg", "https://img.example.com/b.jpg"),
        ("b.jpg", "https://img.example.com/cats/b.jpg"),
        ("../b.jpg", "https://img.example.com/b.jpg"),
        ("?v=2", "https://img.example.com/cats/a.jpg?v=2"),
        ("//cdn.example.org/b.jpg", "https://cdn.example.org/b.jpg"),
        ("HTTP://cdn.example.org/b.jpg#top", "http://cdn.example.org/b.jpg"),
        ("/s\xc3\xbc\xc3\x9f.jpg", "https://img.example.com/s%C3%BC%C3%9F.jpg"),
        ("https://cdn.example.org", "https://cdn.example.org/"),
    ],
)
def test_a_redirect_is_resolved_as_by_a_browser(location: str, url: str) -> None:
    assert str(redirected(from_text("https://img.example.com/cats/a.jpg"), location)) == url


@pytest.mark.parametrize(
    "location",
    [
        *("ftp://cdn.example.org/b", "file:///etc/passwd", "data:image/png,x", "javascript:x", "\\\\cdn.example.org/b"),
        *("https:\\\\cdn.example.org/b", "/b\r\nX: y", "/b\0", "http://user@cdn.example.org/b", "http://[::1]/b"),
        *("http://0x7f.1/b", "http:///b", "http://", "https://cdn.example.org:0/b", "/" + "x" * 5000),
    ],
)
def test_a_redirect_to_what_is_no_url_of_an_original_is_refused(location: str) -> None:
    with pytest.raises(BadUrl):
        redirected(from_text("https://img.example.com/cats/a.jpg"), location)
