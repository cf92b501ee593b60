"""Paths that name URLs: one canonical key, refused without the network, and built by `Prepared` as its inverse."""

from urllib.parse import unquote

import pytest

from thumbs.errors import BadPath, SourceNotAllowed
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.image.transforms import Transform
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve
from thumbs.request.signing import Signer
from thumbs.sources.http.settings import HttpSettings, Urls
from thumbs.toolkit.prepared import Extras, Prepared

LISTED = HttpSettings(allowed_sources=("https://*.example.com/", "https://cdn.example.org/photos/"))
BASED = HttpSettings(base_url="https://assets.example.com/media/")


def _policy(settings: HttpSettings = LISTED, **fields: object) -> StoragePolicy:
    fields = {"naming": Urls(settings), "max_segment_bytes": 0, **fields}
    return StoragePolicy("remote", DEFAULT_QUALITIES, OutputLimits(), **fields)  # type: ignore[arg-type]


def _resolved(path: str, policy: StoragePolicy | None = None) -> ThumbRequest:
    return resolve(f"/remote/thumbs/400x300/{path}".encode(), ("webp",), {"remote": policy or _policy()})


def test_the_canonical_url_is_the_key() -> None:
    spellings = (
        "https/img.example.com/a b.jpg",
        "https/IMG.example.com/a%20b.jpg",
        "https/img.example.com:443/a b.jpg",
    )
    found = {(each.path, each.key) for each in map(_resolved, spellings)}
    assert len(found) == 1
    assert found.pop()[0] == "https://img.example.com/a%20b.jpg"


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("https/img.example.com/a.png?v=1.gif", "png"),
        ("https/img.example.com/a.webp", "webp"),
        ("https/img.example.com/a?name=a.png", "jpeg"),
        ("https/img.example.com/a.png/b", "jpeg"),
    ],
)
def test_the_extension_is_that_of_the_path_without_the_query(path: str, output: str) -> None:
    assert _resolved(path).transform.format == output


@pytest.mark.parametrize(
    "path",
    [
        *("https/other.test/a.jpg", "http/img.example.com/a.jpg", "https/img.example.com:8443/a.jpg", "a.jpg"),
        *("https/cdn.example.org/a.jpg", "https/cdn.example.org/photosx/a.jpg", "ftp/img.example.com/a.jpg"),
        *("https/img.example.com/a#b", "https/user@img.example.com/a", "https/img.example.com/a/%2e%2e/b"),
        *("https/img.example.com/a%", "https/127.0.0.1/a.jpg", "https/img.example.com.evil.test/a"),
    ],
)
def test_a_url_that_is_not_allowed_is_refused_and_its_mistake_is_named(path: str) -> None:
    with pytest.raises(SourceNotAllowed) as found:
        _resolved(path)
    assert (found.value.status, found.value.code) == (400, "source-not-allowed")
    (mistake,) = path_mistakes(f"/remote/thumbs/400x300/{path}", {"remote": _policy()})
    assert mistake.text == path


@pytest.mark.parametrize(("query", "near"), [("", "tom.png"), ("?x=1", "tom.png"), ("?x=a.gif", "tom.png")])
def test_a_download_name_that_is_missing_has_the_extension_of_the_path(query: str, near: str) -> None:
    target = f"/remote/thumbs/400x300/https/img.example.com/a.png{query}/as/"
    (mistake,) = path_mistakes(target, {"remote": _policy()})
    assert mistake.nearest == near


def test_a_long_query_is_one_segment_but_the_whole_path_is_bounded() -> None:
    assert _resolved(f"https/img.example.com/a.jpg?{'x' * 900}").transform.format == "jpeg"
    with pytest.raises(BadPath):
        _resolved(f"https/img.example.com/a.jpg?{'x' * 1000}")
    with pytest.raises(BadPath):
        _resolved("x" * 256, _policy(BASED, naming=None, max_segment_bytes=255))


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("https://img.example.com/a.jpg", "https://img.example.com/a.jpg"),
        ("https://img.example.com/a b.jpg?x=1&y=%2F", "https://img.example.com/a%20b.jpg?x=1&y=%2F"),
        ("https://img.example.com/a.jpg?u=https://b.test/c", "https://img.example.com/a.jpg?u=https:%2F%2Fb.test%2Fc"),
        ("HTTPS://IMG.example.com/süß.jpg", "https://img.example.com/s%C3%BC%C3%9F.jpg"),
        ("https/img.example.com/a.jpg", "https://img.example.com/a.jpg"),
    ],
)
def test_a_url_that_is_built_names_its_original(source: str, key: str) -> None:
    policy = _policy(signer=Signer((b"secret",)))
    for name in (None, "tom.webp"):
        url, content_type = Prepared(policy, Transform(width=40)).url("/", source, Extras(name=name))
        assert resolve(unquote(url).encode(), (), {"remote": policy}).path == key
        assert content_type == ("image/jpeg" if name is None else "image/webp")


def test_a_url_of_no_source_is_not_built() -> None:
    for source in ("https://other.test/a.jpg", "a.jpg", "https://img.example.com/", "http://127.1/a"):
        with pytest.raises((SourceNotAllowed, BadPath)):
            Prepared(_policy(), Transform(width=40)).url("/", source)


def test_below_a_base_a_path_is_a_key_and_a_whole_url_is_shortened_to_one() -> None:
    policy = _policy(BASED)
    assert _resolved("cats/what?.jpg", policy).path == "cats/what?.jpg"
    prepared = Prepared(policy, Transform(width=40))
    for source in ("cats/tom.jpg", "https://assets.example.com/media/cats/tom.jpg"):
        assert prepared.url("/", source)[0] == "/remote/thumbs/40x/cats/tom.jpg"
    with pytest.raises(SourceNotAllowed):
        prepared.url("/", "https://assets.example.com/other/tom.jpg")
