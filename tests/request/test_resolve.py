"""Thumb requests: a path becomes a verified transform with all defaults, or the right error."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given

from tests.support import strategies
from tests.support.spellings import spellings
from thumbs.errors import (
    BadFilter,
    BadPath,
    BadRequest,
    MethodNotAllowed,
    NotOffered,
    SignatureMissing,
    SignatureRefused,
    SignatureUnexpected,
    SizeOverLimit,
    StorageUnknown,
)
from thumbs.http.cache_control import DEFAULT_CACHE_CONTROL, IMMUTABLE
from thumbs.http.messages import Headers
from thumbs.http.targets import decoded_path
from thumbs.image.encoding import Encoding
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import JSON
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import Target, build, preset
from thumbs.request.headers import vary_of
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, group_of, preflight, resolve
from thumbs.request.signing import Signer

WIDE = OutputLimits(side=100_000, pixels=10**10)
BROWSER = ("avif", "webp")
ALL = frozenset({*OUTPUT_NAMES.values(), JSON})
ENCODERS = {"jxl": "imagecodecs"}


def policy(**fields: object) -> StoragePolicy:
    defaults = {"name": "photos", "qualities": DEFAULT_QUALITIES, "output": OutputLimits(), "encoders": ENCODERS}
    return StoragePolicy(**defaults | fields)  # type: ignore[arg-type]


def thumb(target: str, *, accepted: tuple[str, ...] = (), **fields: object) -> ThumbRequest:
    return resolve(f"/photos/thumbs/{target}".encode(), accepted, {"photos": policy(**fields)})


def header(headers: Headers, name: str) -> str | None:
    found = [value.decode() for given, value in headers if given.decode().lower() == name.lower()]
    assert len(found) <= 1
    return found[0] if found else None


# ------------------------------------------------------------------------------------- refusals


def test_a_namespace_changes_keys_and_no_identity() -> None:
    """Servers that share no cache give the same ETag for the same URL."""
    one, other = (thumb("400x300/a.jpg", namespace=name) for name in ("", "site"))
    assert one.key != other.key
    assert one.group != other.group
    assert one.identity == other.identity == one.key


def test_an_unknown_storage_is_not_found() -> None:
    for path in (b"/other/thumbs/x/a", b"/Photos/thumbs/x/a", b"/photos%20/thumbs/x/a"):
        with pytest.raises(StorageUnknown):
            resolve(path, (), {"photos": policy()})


def test_a_path_that_is_not_utf_8_is_refused() -> None:
    for path in (b"/photos/thumbs/x/\xff.jpg", b"/photos/thumbs/x/\xc0\xae", b"/photos/thumbs/x/\xed\xa0\x80"):
        with pytest.raises(BadPath):
            resolve(path, (), {"photos": policy()})


def test_a_signature_is_required_exactly_where_there_is_a_secret() -> None:
    signer = Signer((b"secret",))
    signature = signer.sign("/photos/thumbs/x/a")
    assert thumb(f"{signature}/x/a", signer=signer).path == "a"
    with pytest.raises(SignatureMissing):
        thumb("x/a", signer=signer)
    with pytest.raises(SignatureRefused):
        thumb(f"{signature}/x/b", signer=signer)
    with pytest.raises(SignatureUnexpected):
        thumb(f"{signature}/x/a")


def test_a_limited_storage_makes_only_its_sizes() -> None:
    limited = frozenset({"400x300", "200x", "x"})
    for target in ("400x300/a", "200x/a", "x/a", "200x150/f:dpr(2)/a", "400x300/f:fit(contain)/a"):
        assert thumb(target, sizes=limited).path == "a"
    for target in ("400x301/a", "400x/a", "x300/a", "400x300/f:dpr(2)/a", "400x300/f:padding(9)/a"):
        with pytest.raises(NotOffered):
            thumb(target, sizes=limited)


def test_a_limited_storage_makes_only_its_formats() -> None:
    limited = frozenset({"webp"})
    assert thumb("x/f:format(webp)/a.jpg", formats=limited).transform.format == "webp"
    assert thumb("x/f:format(auto)/a.jpg", accepted=BROWSER, formats=limited).transform.format == "webp"
    for target in ("x/a.jpg", "x/f:format(png)/a.jpg", "x/a/as/b.gif"):
        with pytest.raises(NotOffered):
            thumb(target, formats=limited)


def test_a_storage_of_presets_only_makes_no_other_thumbnail() -> None:
    presets = {"card": preset("400x300", "format(webp);fit(fill,fff)"), "strip": preset("80x")}
    spelled_out = "400x300/f:fit(fill,ffffff);fmt(webp)/a"
    for target in ("x/f:p(card)/a", spelled_out, "x/f:p(strip);v(2);exp(1900000000)/a", "80x/a"):
        assert thumb(target, presets=presets, presets_only=True)
    for target in ("x/a", "x/f:p(card);q(9)/a", "9x/f:p(card)/a", "80x/a/as/b.png", "80x/f:blur(1)/a"):
        with pytest.raises(NotOffered):
            thumb(target, presets=presets, presets_only=True)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        *(("x/f:p(strip)/a.jpg", "tom.jpg"), ("80x/a.jpg", "tom.JPEG"), ("x/f:p(strip);v(2)/a.png", "tom.png")),
        *(("x/f:p(strip)/a.tiff", "tom.jpg"), ("80x/a", "tom.jpg")),
        *(("x/f:p(card)/a.jpg", "tom.webp"), ("x/f:p(moving)/a.jpg", "tom.webp"), ("40x/f:frames(all)/a.gif", "a.gif")),
    ],
)
def test_where_only_presets_are_offered_a_name_is_one_of_the_format_without_it(target: str, name: str) -> None:
    presets = {"card": preset("400x300", "format(webp)"), "strip": preset("80x")}
    presets["moving"] = preset("40x", "frames(all)")
    unnamed = thumb(target, presets=presets, presets_only=True)
    named = thumb(f"{target}/as/{name}", presets=presets, presets_only=True)
    assert (named.key, named.transform) == (unnamed.key, unnamed.transform)
    assert header(named.headers, "Content-Disposition")


@pytest.mark.parametrize("target", ["80x/a.jpg/as/b.png", "80x/a.png/as/b.jpg", "x/f:p(strip)/a/as/b.webp"])
def test_where_only_presets_are_offered_a_name_of_another_format_is_refused(target: str) -> None:
    with pytest.raises(NotOffered):
        thumb(target, presets={"strip": preset("80x")}, presets_only=True)


def test_a_watermark_must_be_one_of_the_servers_and_its_file_is_part_of_the_key() -> None:
    target = "x/f:watermark(logo)/a"
    with pytest.raises(BadFilter, match="no watermark"):
        thumb(target)
    with pytest.raises(BadFilter, match="no watermark"):
        thumb(target, watermarks={"other": "1"})
    assert thumb(target, watermarks={"logo": "1"}).key != thumb(target, watermarks={"logo": "2"}).key
    assert thumb("x/a", watermarks={"logo": "1"}).key == thumb("x/a", watermarks={"logo": "2"}).key


def test_what_is_made_of_proxys_has_keys_of_its_own() -> None:
    assert thumb("x/a", render_proxy=True).key != thumb("x/a").key


def test_settings_of_encoders_are_part_of_the_key() -> None:
    settings = (Encoding(), Encoding(jpeg_progressive=True), Encoding(keep_copyright=True), Encoding(png_palette=True))
    assert len({thumb("x/a", encoding=setting).key for setting in settings}) == 4


def test_a_preset_and_what_it_stands_for_are_one_thumbnail() -> None:
    presets = {"card": preset("400x300", "format(webp)")}
    assert thumb("x/f:p(card)/a", presets=presets).key == thumb("400x300/f:fmt(webp)/a").key


def test_a_size_over_the_limits_is_refused_before_anything_is_read() -> None:
    for target in ("5121x/a", "x5121/a", "4000x/f:dpr(1.5)/a", "999999999x999999999/f:fit(contain)/a"):
        with pytest.raises(SizeOverLimit):
            thumb(target)


# ------------------------------------------------------------------------------------ defaults


@pytest.mark.parametrize(
    ("target", "accepted", "output"),
    [
        ("x/a.png", (), "png"),
        ("x/a.JPG", (), "jpeg"),
        ("x/a.tiff", (), "jpeg"),
        ("x/a", (), "jpeg"),
        ("x/a.png/as/b.webp", (), "webp"),
        ("x/f:format(gif)/a.png", BROWSER, "gif"),
        ("x/a.png", BROWSER, "png"),
        ("x/f:format(auto)/a.png", BROWSER, "avif"),
        ("x/f:format(auto)/a.png", ("webp",), "webp"),
        ("x/f:format(auto)/a.png", (), "png"),
        ("x/f:format(auto)/a.svg", (), "png"),
        ("x/f:format(auto);frames(all)/a.gif", BROWSER, "webp"),
        ("x/f:format(auto);frames(all)/a.gif", ("avif",), "webp"),
        ("x/f:format(auto);frames(3)/a.png", (), "webp"),
        ("x/f:format(auto);frames(first)/a.gif", BROWSER, "avif"),
    ],
)
def test_the_format_is_that_of_the_url_the_accept_header_or_the_source(
    target: str, accepted: tuple[str, ...], output: str
) -> None:
    assert thumb(target, accepted=accepted).transform.format == output


@pytest.mark.parametrize(
    ("target", "quality"),
    [
        ("256x100/a.jpg", 76),
        ("257x100/a.jpg", 78),
        ("100x/f:dpr(3)/a.jpg", 78),
        ("x/a.jpg", 78),
        ("100x/f:quality(33)/a.jpg", 33),
        ("256x/a.webp", 77),
        ("257x/a.webp", 82),
        ("640x100/a.webp", 82),
        ("641x100/a.webp", 86),
        ("300x/f:format(avif)/a", 65),
        ("100x/a.png", None),
        ("100x/f:quality(33)/a.gif", None),
    ],
)
def test_the_quality_is_that_of_the_url_or_of_the_storages_table(target: str, quality: int | None) -> None:
    assert thumb(target).transform.quality == quality


@pytest.mark.parametrize(
    ("target", "accepted", "formats", "fallback"),
    [
        ("x/f:format(auto)/a.png", BROWSER, None, "webp"),
        ("x/f:format(auto)/a.png", ("avif",), None, "png"),
        ("x/f:format(auto)/a.avif", ("avif",), None, "webp"),
        ("x/f:format(auto)/a.avif", (), None, None),
        ("x/f:format(auto)/a.png", BROWSER, frozenset({"avif", "gif"}), "gif"),
        ("x/f:format(auto)/a.png", BROWSER, frozenset({"avif"}), None),
        ("x/f:format(auto)/a.png", BROWSER, frozenset({"avif", "jpeg"}), "jpeg"),
        ("x/f:format(avif)/a.png", BROWSER, None, None),
        ("x/a.avif", BROWSER, None, None),
        ("x/f:format(auto)/a.png", ("webp", "avif"), None, None),
    ],
)
def test_only_avif_that_was_chosen_for_the_client_has_a_fallback_format(
    target: str, accepted: tuple[str, ...], formats: frozenset[str] | None, fallback: str | None
) -> None:
    found = thumb(target, accepted=accepted, formats=formats).fallback
    assert (None if found is None else found.format) == fallback


def test_a_fallback_is_the_same_thumbnail_in_another_format() -> None:
    found = thumb("90x/f:format(auto);quality(5);blur(2)/a.png", accepted=BROWSER)
    assert found.fallback == replace(found.transform, format="webp")
    plain = thumb("900x/f:format(auto)/a.png", accepted=BROWSER)
    assert plain.fallback is not None
    assert (plain.transform.quality, plain.fallback.quality) == (67, 86)


@pytest.mark.parametrize(
    ("accepted", "formats", "output"),
    [
        ((), {"jpeg", "webp"}, "jpeg"),
        (("webp",), {"jpeg", "webp"}, "webp"),
        ((), {"webp"}, "webp"),
        ((), {"gif", "avif"}, "avif"),
        (("avif",), {"webp"}, "webp"),
    ],
)
def test_auto_takes_what_the_storage_offers(accepted: tuple[str, ...], formats: set[str], output: str) -> None:
    assert thumb("9x/f:format(auto)/a.png", accepted=accepted, formats=frozenset(formats)).transform.format == output


@pytest.mark.parametrize("spelled", ["fit(fill,transparent)", "background(transparent)"])
def test_transparent_needs_an_output_that_can_be_transparent(spelled: str) -> None:
    with pytest.raises(BadFilter, match="can be transparent"):
        thumb(f"9x9/f:{spelled}/a.jpg")
    assert thumb(f"9x9/f:{spelled};format(webp)/a.jpg").transform.format == "webp"
    assert thumb(f"9x9/f:{spelled};format(auto)/a.jpg").transform.format == "png"


@pytest.mark.parametrize(
    ("cache_control", "bounded"),
    [
        (None, "public, max-age=60"),
        ("public", "public, max-age=60"),
        ("private, max-age=30", "private, max-age=30"),
        ("public, MAX-AGE=500, s-maxage=86400, stale-while-revalidate=9", "public, max-age=60"),
        ("s-maxage=10", "public, max-age=60"),
        ("no-store", "no-store"),
    ],
)
def test_an_expiring_thumbnail_is_cached_no_longer_than_it_is_valid(cache_control: str | None, bounded: str) -> None:
    headers = thumb("9x/f:expires(1000060)/a.jpg", cache_control=cache_control).headers_at(1000000)
    assert header(headers, "Cache-Control") == bounded


# ---------------------------------------------------------------------------------------- keys


def test_fifty_spellings_and_any_percent_encoding_are_one_key() -> None:
    keys = set()
    for spelling in [*spellings(), "400x300/f:q(70);g(north);dpr(2);fmt(jpg);up(yes)/cats/tom.jpg"]:
        plain = f"/photos/thumbs/{spelling}"
        everything = "".join(f"%{byte:02x}" for byte in plain.encode())
        for encoded in (plain, quote(plain), quote(plain, safe=""), everything, everything.upper()):
            keys.add(resolve(decoded_path(encoded.encode()), (), {"photos": policy()}).key)
    assert len(keys) == 1


def test_what_is_the_default_is_the_same_key_as_when_it_is_spelled_out() -> None:
    assert thumb("90x60/a.jpg").key == thumb("90x60/f:fmt(jpg);q(76);fit(cover);g(center);up(yes);dpr(1)/a.jpg").key
    assert thumb("90x/a.png").key == thumb("90x/f:upscale(no);quality(12)/a.png").key
    assert thumb("90x/f:format(auto)/a.jpg", accepted=("webp",)).key == thumb("90x/f:format(webp)/a.jpg").key


def test_expiry_signature_and_download_name_are_no_part_of_the_key() -> None:
    signer = Signer((b"secret",))
    signature = signer.sign("/photos/thumbs/9x/a.jpg")
    plain = thumb("9x/a.jpg")
    assert thumb("9x/f:expires(1900000000)/a.jpg").key == plain.key
    assert thumb("9x/a.jpg/as/b.jpg").key == plain.key
    assert thumb(f"{signature}/9x/a.jpg", signer=signer).key == plain.key


@pytest.mark.parametrize(
    "target",
    [
        *("10x/a.jpg", "x9/a.jpg", "9x/b.jpg", "9x/f:v(1)/a.jpg", "9x/f:q(5)/a.jpg", "9x/f:fmt(png)/a.jpg"),
        *("9x/f:up(yes)/a.jpg",),
        *("9x/f:fit(contain)/a.jpg", "9x/f:g(north)/a.jpg", "9x/f:c(0,0,1,1)/a.jpg", "9x/f:pc(0,0,1,1)/a.jpg"),
        *("9x/f:dpr(2)/a.jpg",),
    ],
)
def test_every_part_of_the_recipe_is_part_of_the_key(target: str) -> None:
    assert thumb(target).key != thumb("9x/a.jpg").key


def test_one_path_in_two_storages_is_two_originals() -> None:
    both = {name: policy(name=name) for name in ("one", "two")}
    keys = {resolve(f"/{name}/thumbs/9x/a.jpg".encode(), (), both).key for name in both}
    assert len({key.partition("/")[0] for key in keys}) == 2


def test_all_thumbnails_of_an_original_share_its_group() -> None:
    orders = [thumb("9x/a.jpg"), thumb("10x/f:q(5)/a.jpg"), thumb("x/a.jpg/as/b.png")]
    assert {found.key.partition("/")[0] for found in orders} == {group_of("photos", "a.jpg")}
    assert {found.group for found in orders} == {group_of("photos", "a.jpg")}
    assert len({found.key for found in orders}) == 3


@given(strategies.targets())
def test_every_url_that_can_be_built_can_be_ordered(target: Target) -> None:
    colors = (target.transform.fill, target.transform.background)
    transparent = any(color.alpha == 0 for color in colors if color is not None)
    mark = target.transform.watermark
    try:
        marks = {mark.name: "1"} if mark else {}
        found = thumb(build(target), output=WIDE, accepted=BROWSER, watermarks=marks, formats=ALL)
    except BadRequest as error:
        if transparent and "can be transparent" in error.detail:
            return
        if target.transform.frames != 1 and "can be animated" in error.detail:
            return
        pytest.fail(f"{build(target)!r} was refused: {error}")
    assert (found.path, found.expires) == (target.path, target.expires)
    assert found.transform.format not in (None, "auto")
    assert found.transform.upscale is not None


# ------------------------------------------------------------------------------------- headers


def test_an_answer_may_be_kept_for_a_day_unless_the_storage_says_otherwise() -> None:
    assert header(thumb("x/a").headers, "Cache-Control") == DEFAULT_CACHE_CONTROL == "public, max-age=86400"
    assert header(thumb("x/a", cache_control="private").headers, "Cache-Control") == "private"


def test_an_answer_for_a_content_version_never_changes() -> None:
    for cache_control in (None, "public, max-age=60", "no-cache"):
        found = thumb("x/f:v(7)/a", cache_control=cache_control)
        assert header(found.headers, "Cache-Control") == IMMUTABLE == "public, max-age=31536000, immutable"


def test_every_answer_is_closed_to_scripts_and_guesses() -> None:
    headers = thumb("x/a").headers
    assert header(headers, "X-Content-Type-Options") == "nosniff"
    assert "default-src 'none'" in (header(headers, "Content-Security-Policy") or "")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ((b"Vary", b"Origin"), "Accept, Origin"),
        ((b"vary", b" accept ,Origin,, DPR"), "Accept, Origin, DPR"),
        ((b"VARY", b"Accept"), "Accept"),
        ((b"Vary", b"Origin, *"), "*"),
        ((b"X-Extra", b"yes"), "Accept"),
    ],
)
def test_vary_is_one_line_whatever_a_storage_adds_to_it(given: tuple[bytes, bytes], sent: str) -> None:
    automatic = thumb("x/f:format(auto)/a.jpg", headers=(given, (b"X-Other", b"1")))
    for headers in (automatic.headers, automatic.error_headers):
        assert [value.decode() for name, value in headers if name.lower() == b"vary"] == [sent]
        assert header(headers, "X-Other") == "1"
    assert given in thumb("x/f:format(png)/a.jpg", headers=(given,)).headers


def test_answers_vary_by_accept_only_with_format_auto() -> None:
    automatic = thumb("x/f:format(auto)/a.jpg")
    assert header(automatic.headers, "Vary") == header(automatic.error_headers, "Vary") == "Accept"
    assert header(thumb("x/a.jpg", accepted=BROWSER).headers, "Vary") is None


def test_the_error_for_an_unresolved_url_varies_by_accept_with_format_auto() -> None:
    for target in (b"x/f:fmt(auto)/../a", b"nonsense/filters:q(0);format(auto)/a"):
        assert header(vary_of(b"/photos/thumbs/" + target), "Vary") == "Accept"
    assert vary_of(b"/photos/thumbs/x/f:fmt(png)/../a") == ()


def test_the_download_name_is_in_content_disposition() -> None:
    assert header(thumb("x/a/as/b c.png").headers, "Content-Disposition") == 'inline; filename="b c.png"'
    assert header(thumb("x/a").headers, "Content-Disposition") is None


def test_the_storages_own_headers_are_on_good_answers_and_bad() -> None:
    found = thumb("x/a", headers=((b"X-Own", b"1"),))
    assert header(found.headers, "X-Own") == header(found.error_headers, "X-Own") == "1"


# ----------------------------------------------------------------------------------- preflight


def test_a_preflight_is_answered_where_cors_is_on() -> None:
    cors: Headers = ((b"access-control-allow-origin", b"*"),)
    answer = preflight(b"/photos/thumbs/x/a", {"photos": policy(headers=cors)})
    assert (answer.status, answer.body) == (204, b"")
    assert header(answer.headers, "Access-Control-Allow-Origin") == "*"
    assert header(answer.headers, "Access-Control-Allow-Methods") == "GET, HEAD"


def test_a_preflight_is_a_method_not_allowed_elsewhere() -> None:
    with pytest.raises(MethodNotAllowed):
        preflight(b"/photos/thumbs/x/a", {"photos": policy()})
    with pytest.raises(StorageUnknown):
        preflight(b"/other/thumbs/x/a", {"photos": policy()})
