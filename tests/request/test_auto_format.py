"""`format(auto)`: what the client's `Accept` names, the storage offers and the server can write, else a safe format."""

import pytest

from thumbs.errors import NotOffered
from thumbs.http.messages import accepted_formats
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve

# What Chromium 156 and older ones send.
NEWEST = "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLDER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
ANY = "image/*,*/*;q=0.8"
WITH_JXL = {"jxl": "imagecodecs"}


def policy(*formats: str, encoders: dict[str, str] | None = None) -> StoragePolicy:
    return StoragePolicy(
        name="photos",
        qualities=DEFAULT_QUALITIES,
        output=OutputLimits(),
        formats=frozenset(formats) if formats else None,
        encoders=WITH_JXL if encoders is None else encoders,
    )


def resolved(target: str, accept: str, using: StoragePolicy | None = None) -> ThumbRequest:
    path = f"/photos/thumbs/{target}".encode()
    return resolve(path, accepted_formats(accept), {"photos": using or policy()})


def auto(key: str, accept: str, using: StoragePolicy | None = None) -> str | None:
    return resolved(f"40x/f:format(auto)/{key}", accept, using).transform.format


@pytest.mark.parametrize(
    ("accept", "output"),
    [
        (NEWEST, "jxl"),
        (OLDER, "avif"),
        ("image/webp,*/*", "webp"),
        ("image/avif;q=0.9,image/jxl;q=0.5,image/webp", "webp"),
        ("image/jxl;q=0,image/avif;q=0.1", "avif"),
        ("image/jxl;q=0,*/*", "jpeg"),
        (ANY, "jpeg"),
        ("", "jpeg"),
    ],
)
def test_the_format_with_the_highest_weight_is_chosen(accept: str, output: str) -> None:
    assert auto("a.jpg", accept) == output


@pytest.mark.parametrize(
    ("key", "output"),
    [
        *(("a.jpg", "jpeg"), ("a.JPEG", "jpeg"), ("a.png", "png"), ("a.gif", "gif"), ("a.webp", "webp")),
        ("a.svg", "png"),
        *((key, "webp") for key in ("a.avif", "a.jxl", "a.heic", "a.heif", "a.tif", "a.bmp", "a", "a.jpg/b")),
    ],
)
def test_a_client_that_names_no_modern_format_gets_one_that_it_shows(key: str, output: str) -> None:
    assert auto(key, ANY) == output
    assert auto(key, "") == output


def test_without_webp_the_safe_format_is_jpeg() -> None:
    assert auto("a.avif", ANY, policy("jpeg", "png", "avif", "jxl")) == "jpeg"
    assert auto("a.svg", ANY, policy("jpeg", "avif")) == "jpeg"


def test_a_format_that_the_storage_does_not_offer_is_not_chosen() -> None:
    assert auto("a.jpg", NEWEST, policy("avif", "webp", "jpeg")) == "avif"
    assert auto("a.jpg", NEWEST, policy("webp", "jpeg")) == "webp"


def test_a_format_that_nothing_writes_is_not_chosen_and_not_offered() -> None:
    without = policy(encoders={})
    assert auto("a.jpg", NEWEST, without) == "avif"
    with pytest.raises(NotOffered):
        resolved("40x/f:format(jxl)/a.jpg", "", without)
    with pytest.raises(NotOffered):
        resolved("40x/a.jpg/as/b.jxl", "", without)
    assert resolved("40x/a.jxl", "", without).transform.format == "jpeg"
    assert resolved("40x/a.jxl", "").transform.format == "jxl"


def test_the_mistake_of_a_format_that_nothing_writes_names_what_there_is() -> None:
    (mistake,) = path_mistakes("/photos/thumbs/40x/f:format(jxl)/a.jpg", {"photos": policy(encoders={})}, now=0)
    assert mistake.text == "jxl"
    assert mistake.sentence == "This storage does not offer jxl, only jpeg, png, webp, avif, gif."
    assert list(path_mistakes("/photos/thumbs/40x/f:format(jxl)/a.jpg", {"photos": policy()}, now=0)) == []


def test_the_key_is_that_of_the_chosen_format_and_of_its_encoder() -> None:
    jxl = "40x/f:format(jxl)/a.jpg"
    own = resolved(jxl, "")
    other = resolved(jxl, "", policy(encoders={"jxl": "libvips"}))
    assert own.key != other.key
    assert own.identity != other.identity
    plain = "40x/f:format(webp)/a.jpg"
    assert resolved(plain, "").key == resolved(plain, "", policy(encoders={})).key
    assert resolved("40x/f:format(auto)/a.jpg", "image/webp").key == resolved(plain, "").key


def test_a_jpeg_xl_over_its_cap_falls_back_to_a_format_without_one() -> None:
    found = resolved("40x/f:format(auto)/a.jpg", NEWEST).fallback
    assert found is not None
    assert (found.format, found.quality) == ("webp", 77)
    assert resolved("40x/f:format(jxl)/a.jpg", NEWEST).fallback is None


@pytest.mark.parametrize(("accept", "output"), [(NEWEST, "webp"), (ANY, "gif")])
def test_an_animation_stays_one(accept: str, output: str) -> None:
    assert resolved("40x/f:format(auto);frames(all)/a.gif", accept).transform.format == output


def test_jpeg_xl_can_be_transparent() -> None:
    target = "40x40/f:format(auto);fit(fill,transparent)/a.jpg"
    assert resolved(target, NEWEST).transform.format == "jxl"
    assert resolved(target, ANY).transform.format == "png"
