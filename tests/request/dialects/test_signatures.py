"""Signatures of other image servers: over the bytes that each signs, and verified before anything is parsed."""

import base64
import hashlib
import hmac

import pytest

from thumbs.errors import SignatureRefused, ThumbError
from thumbs.request.dialects.dialect import Dialect
from thumbs.request.dialects.translating import read

KEY, SALT = b"\x94\x3b", b"\x52\x0f"
SPACED, ESCAPED = "späce näme.jpg", "sp%C3%A4ce%20n%C3%A4me.jpg"


def _imgproxy(**more: object) -> Dialect:
    return Dialect("imgproxy", "/", {"local:///": "photos"}, keys=(b"old", KEY), salts=(b"salt", SALT), **more)  # type: ignore[arg-type]


def _thumbor(name: str = "thumbor", **more: object) -> Dialect:
    return Dialect(name, "/", {"": "photos"}, keys=(b"old", b"key"), **more)  # type: ignore[arg-type]


def _text(digest: bytes, *, padded: bool) -> str:
    text = base64.urlsafe_b64encode(digest).decode()
    return text if padded else text.rstrip("=")


def _by_imgproxy(message: str, size: int = 32) -> str:
    return _text(hmac.digest(KEY, SALT + message.encode(), "sha256")[:size], padded=False)


def _by_thumbor(message: str, algorithm: str = "sha1") -> str:
    return _text(hmac.digest(b"key", message.encode(), algorithm), padded=True)


def _accepts(dialect: Dialect, path: str) -> bool:
    try:
        read(path.encode(), dialect)
    except SignatureRefused:
        return False
    return True


PLAIN = "/w:100/plain/local:///a.jpg"


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"/{_by_imgproxy(PLAIN)}{PLAIN}", True),
        (f"/{_by_imgproxy(PLAIN)}{PLAIN}?v=2", True),
        (f"/{_by_imgproxy(PLAIN)}/w%3A100/plain/local:/a.jpg", True),  # what proxies do to it
        (f"/{_by_imgproxy(PLAIN)}=/{PLAIN[1:]}", False),
        (f"/{_by_imgproxy(PLAIN)}/w%3a100/plain/local:///a.jpg", False),
        (f"/{_by_imgproxy(PLAIN)}/{PLAIN}", False),
        (f"/{_by_imgproxy(PLAIN)[:-1]}{PLAIN}", False),
        (f"/{_by_imgproxy('/w:101/plain/local:///a.jpg')}{PLAIN}", False),
        (f"/insecure{PLAIN}", False),
        (PLAIN, False),
        ("/", False),
        (f"/{_by_imgproxy(f'/w:9/plain/local:///{ESCAPED}')}/w:9/plain/local:///{ESCAPED}", True),
        (f"/{_by_imgproxy(f'/w:9/plain/local:///{SPACED}')}/w:9/plain/local:///{ESCAPED}", False),
    ],
)
def test_imgproxy_signs_the_raw_path_behind_its_repairs(path: str, *, accepted: bool) -> None:
    assert _accepts(_imgproxy(), path) is accepted


def test_a_shorter_signature_of_imgproxy_is_cut_before_base64() -> None:
    short = _imgproxy(signature_size=16)
    assert _accepts(short, f"/{_by_imgproxy(PLAIN, 16)}{PLAIN}")
    assert not _accepts(short, f"/{_by_imgproxy(PLAIN)}{PLAIN}")


TARGET = "300x200/filters:format(webp)/a.jpg"


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"/{_by_thumbor(TARGET)}/{TARGET}", True),
        (f"/{_by_thumbor(TARGET)}/{TARGET}?x=1", True),
        (f"/{_by_thumbor(TARGET).replace('=', '%3D')}/{TARGET}", True),
        (f"/{_by_thumbor(TARGET).rstrip('=')}/{TARGET}", False),
        (f"/{_by_thumbor(TARGET)}//{TARGET}", False),
        (f"/{_by_thumbor(TARGET)}%2F{TARGET}", False),
        (f"/{_by_thumbor(f'/{TARGET}')}/{TARGET}", False),
        (f"/{_by_thumbor(TARGET, 'sha256')}/{TARGET}", False),
        (f"/unsafe/{TARGET}", False),
        (f"/unsafe/{_by_thumbor(TARGET)}/{TARGET}", False),
        (f"/{_by_thumbor(TARGET)}/300x200/filters:format%28webp%29/a.jpg", False),
        (f"/{_by_thumbor(f'9x/{ESCAPED}')}/9x/{ESCAPED}", True),
        (f"/{_by_thumbor(f'9x/{SPACED}')}/9x/{ESCAPED}", False),
    ],
)
def test_thumbor_signs_the_raw_path(path: str, *, accepted: bool) -> None:
    assert _accepts(_thumbor(), path) is accepted


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"/{_by_thumbor(TARGET)}/{TARGET}", True),
        (f"/{_by_thumbor(TARGET)}/300x200/filters:format%28webp%29/a.jpg", True),
        (f"/{_by_thumbor(f'9x/{SPACED}')}/9x/{ESCAPED}", True),
        (f"/{_by_thumbor(TARGET)}//{TARGET}", False),
        (f"/{_by_thumbor(TARGET, 'sha256')[:40]}/{TARGET}", False),
        (f"/unsafe/{TARGET}", False),
    ],
)
def test_imagor_signs_the_decoded_path(path: str, *, accepted: bool) -> None:
    assert _accepts(_thumbor("imagor"), path) is accepted


PLUS = "100x/a+b.jpg"


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"/{_by_thumbor(f'9x/{ESCAPED}')}/9x/{ESCAPED}", True),
        (f"/{_by_thumbor(PLUS)}/{PLUS}", True),
        (f"/{_by_thumbor('100x/a b.jpg')}/{PLUS}", True),
        (f"/{_by_thumbor(PLUS)}/100x/%61+b.jpg", False),
        (f"/{_by_thumbor('a.jpg')}/a.jpg", True),
        (f"/{_by_thumbor('a.jpg')}%2Fa.jpg", True),
        # What stands between the signature and what it covers is covered as well.
        (f"/{_by_thumbor('a.jpg')}%2F2000x2000/a.jpg", False),
        (f"/{_by_thumbor('a.jpg')}%2Ffilters:blur(9)/a.jpg", False),
    ],
)
def test_imagor_reads_the_raw_or_the_decoded_path_and_verifies_what_it_reads(path: str, *, accepted: bool) -> None:
    assert _accepts(_thumbor("imagor"), path) is accepted


@pytest.mark.parametrize(
    ("signed", "source"),
    [("9x/100%2525.jpg", "100%25.jpg"), ("9x/100%25.jpg", "100%.jpg"), ("9x/a%2Bb+c.jpg", "a+b c.jpg")],
)
def test_a_source_that_imagor_verified_as_it_was_sent_is_decoded_once(signed: str, source: str) -> None:
    assert read(f"/{_by_thumbor(signed)}/{signed}".encode(), _thumbor("imagor")).source == source


def test_imagor_may_use_another_digest_and_the_beginning_of_it() -> None:
    short = _thumbor("imagor", signer="sha256", signature_length=40)
    assert _accepts(short, f"/{_by_thumbor(TARGET, 'sha256')[:40]}/{TARGET}")
    assert not _accepts(short, f"/{_by_thumbor(TARGET, 'sha256')}/{TARGET}")
    assert not _accepts(short, f"/{_by_thumbor(TARGET)}/{TARGET}")


@pytest.mark.parametrize("name", ["thumbor", "imagor"])
def test_unsafe_urls_need_leave(name: str) -> None:
    assert _accepts(_thumbor(name, unsafe=True), f"/unsafe/{TARGET}")
    assert _accepts(_thumbor(name, unsafe=True), f"/{_by_thumbor(TARGET)}/{TARGET}")
    assert not _accepts(_thumbor(name, unsafe=True), f"/x{_by_thumbor(TARGET)[1:]}/{TARGET}")
    assert not _accepts(Dialect(name, "/", {"": "photos"}), f"/{_by_thumbor(TARGET)}/{TARGET}")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_program_mage_signs_the_decoded_path_from_the_size_on(algorithm: str) -> None:
    dialect = Dialect(
        "mage", "/", {"": "photos"}, keys=(b"key",), signer=algorithm, signature_start=4, signature_length=20
    )
    text = _text(hmac.digest(b"key", f"/9x/{SPACED}".encode(), getattr(hashlib, algorithm)), padded=True)
    assert _accepts(dialect, f"/{text[4:24]}/9x/{ESCAPED}")
    assert not _accepts(dialect, f"/{text[:20]}/9x/{ESCAPED}")
    assert not _accepts(dialect, f"/9x/{ESCAPED}")


@pytest.mark.parametrize("dialect", [_imgproxy(), _thumbor(), _thumbor("imagor")], ids=lambda each: each.name)
@pytest.mark.parametrize("rest", ["", "/", "nonsense", "w:x/plain/%", "%FF/300x", "filters:(((/x", "a" * 2000])
def test_an_unsigned_url_is_refused_before_anything_of_it_is_read(dialect: Dialect, rest: str) -> None:
    with pytest.raises(ThumbError) as caught:
        read(f"/signature/{rest}".encode(), dialect)
    assert caught.value.status in (403, 400)
    if "%" not in rest:
        assert isinstance(caught.value, SignatureRefused)
