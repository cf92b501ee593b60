"""Every URL of the toolkit is accepted by the server, and means the transform that the grammar gives to its text."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests.support import strategies, toolkit_site
from tests.support.tag_options import Option, options
from tests.support.toolkit_site import configured
from thumbs import WrongSpec, thumb
from thumbs.errors import ThumbError
from thumbs.http import messages
from thumbs.image.transforms import AUTO, Fit, Transform
from thumbs.request import grammar
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import keeps_one_frame, resolve, with_defaults, without_name
from thumbs.request.scalars import TOKEN
from thumbs.toolkit import cropped_focus
from thumbs.toolkit.prepared import Extras, Prepared
from thumbs.wiring import process

NAMES = [str(conf["name"]) for conf in toolkit_site.every_storage()]
_sides = st.none() | st.sampled_from([200, 300, 400, 600, 800]) | st.integers(1, 1500)
_specs = st.builds(lambda w, h: f"{w or ''}x{h or ''}", _sides, _sides) | st.sampled_from(
    ["400x300", "card", "card 800x", "200x north", "fixed", "x"]
)
_plain_keys = st.from_regex(
    r"[A-Za-z0-9_~-]{1,20}(/[a-z0-9_.~-]{1,20}){0,3}\.(jpg|png|webp|gif|tiff|JPG)", fullmatch=True
)
_keys = _plain_keys | strategies.paths | st.builds("{}/as/{}".format, strategies.paths, strategies.segments)
_parts = strategies.decimals(0, 1).map("{:.6f}".format)
_focuses = st.builds("{}{}{}".format, _parts, st.sampled_from([",", ", ", "x"]), _parts)
_versions = st.none() | st.from_regex(TOKEN, fullmatch=True) | st.integers(0, 10**12)


class Asked(NamedTuple):
    """The arguments of one call."""

    storage: str
    spec: str
    options: dict[str, Option]
    key: str
    name: str | None = None
    version: object = None
    lifetime: float | None = None
    focus: str | None = None


_asked = st.builds(
    Asked,
    st.sampled_from(NAMES),
    _specs,
    options(),
    _keys,
    st.none() | strategies.names,
    _versions,
    st.none() | st.integers(60, 10**9),
    st.none() | _focuses,
)


def _wanted(asked: Asked, policy: StoragePolicy) -> tuple[Transform, Transform, str | None]:
    """What the grammar makes of the text of `asked`: the transform of the URL, that with defaults, and the name."""
    size, preset = "x", None
    for part in asked.spec.split():
        size, preset = (part, preset) if part[0] in "0123456789x" else (size, part)
    texts = ([f"preset({preset})"] if preset else []) + [text for _, text in asked.options.values()]
    gravity_given = "gravity" in asked.options
    target, _ = grammar.expand(size, ";".join(texts) or None, policy.presets)
    covers = target.fit is Fit.COVER and target.width is not None and target.height is not None
    if asked.focus and covers and not gravity_given and not policy.presets_only:
        focus: str | None = _focus(asked.focus)
        if target.crop is not None and focus is not None:
            focus = cropped_focus.within(focus, target.crop, None)
        if focus is not None:
            texts = [text for text in texts if not text.startswith("gravity")] + [f"gravity({focus})"]
    if asked.version is not None:
        texts.append(f"version({asked.version})")
    composed = grammar.compose(size, ";".join(texts) or None, asked.key, asked.name, presets=policy.presets)
    requested = composed.transform
    transform, _ = with_defaults(requested, asked.key, (), policy)
    # A format of the call is one of the page, whatever the key: no preset has it only because a row has a name.
    named = asked.name is not None and "format" not in asked.options
    policy.check(requested, transform, without_name(requested, asked.key, policy) if named else None)
    return requested, transform, asked.name


def _focus(text: str) -> str:
    return ",".join(f"{float(part):.6f}".rstrip("0").rstrip(".") for part in text.replace("x", ",").split(","))


def _check(asked: Asked) -> None:
    policy = process.current().policies[asked.storage]
    given = {name: value for name, (value, _) in asked.options.items()}
    source: object = asked.key
    if asked.focus is not None:
        source = toolkit_site.a_file(asked.key, focus=asked.focus)
    try:
        wanted = _wanted(asked, policy)
    except ThumbError as error:
        wanted, refused = None, error
    try:
        made = thumb(
            source,  # type: ignore[arg-type]
            asked.spec,
            storage=asked.storage,
            version=asked.version,
            lifetime=asked.lifetime,
            name=asked.name,
            **given,
        )
    except WrongSpec as error:
        event("raised")
        # Some of the calls are mistakes. `data` goes with a format in the code: a download name comes from a row.
        unnamed = "data needs" in str(error) and asked.name is not None
        assert wanted is None or unnamed or "larger than" in str(error)  # noqa: PT017
        return
    if not made:
        event("refused")
        too_long = wanted is not None and len(asked.key.encode()) > 300  # percent-encoded, three times that
        assert wanted is None or too_long
        return
    event("made")
    assert made.url.startswith("/img/")
    request = resolve(unquote_to_bytes(made.url.removeprefix("/img")), (), process.current().policies)
    assert (request.storage, request.path) == (asked.storage, asked.key)
    assert (request.expires is None) is (asked.lifetime is None)
    assert len(made.url) <= messages.MAX_TARGET_BYTES
    assert wanted is not None, refused
    requested, transform, _ = wanted
    named_again = grammar.looks_named(asked.key) and asked.name is None
    if named_again and keeps_one_frame(str(transform.format)):  # the name says a format that refuses more frames
        transform = replace(transform, frames=1)
    assert request.transform == transform
    if named_again:
        assert made.content_type is None or made.content_type.endswith(str(request.transform.format))
    elif requested.format == AUTO:
        assert made.content_type is None
    else:
        kind = "application" if request.transform.format == "json" else "image"
        assert made.content_type == f"{kind}/{request.transform.format}"
    disposition = dict(request.headers).get(b"Content-Disposition", b"").decode()
    if asked.name is not None:
        assert disposition == messages.content_disposition(asked.name)


def test_the_server_accepts_every_url_and_reads_what_was_asked_for() -> None:
    @given(_asked)
    @example(Asked("open", "400x300", {}, "a/as/b.jpg"))
    @example(Asked("open", "400x300", {"format": ("auto", "format(auto)")}, "a/as/b.png"))
    @example(Asked("jpeg-only", "400x300", {"frames": ("all", "frames(all)")}, "a/as/b.jpg"))
    @example(Asked("open", "x", {}, "a.png", name="b.jpg"))
    @example(Asked("presets", "card", {}, "a.png", name="b.jpg"))
    @example(Asked("presets", "card", {}, "a.png", name="b.png", version="7"))
    @example(Asked("presets", "card", {"format": ("png", "format(png)")}, "a.png", name="b.png"))
    @example(Asked("presets", "card", {}, "a/as/b.jpg"))
    @example(Asked("presets", "card", {}, "a.jpg", version="7", focus="0.5,0.25"))
    @example(Asked("jpeg-only", "400x300", {}, "a.jpg", name="b.png"))
    @example(Asked("open", "x", {}, "filters:quality(1)"))
    @example(Asked("signed", "fixed", {}, "as/b.jpg"))
    @example(Asked("open", "400x300", {}, "a/as/.jpg"))
    @example(Asked("open", "400x300", {}, f"a/as/{'x' * 254}"))
    def check(asked: Asked) -> None:
        _check(asked)

    with configured():
        check()


def test_the_fast_way_gives_the_urls_of_the_grammar() -> None:
    @given(
        strategies.transforms(effects=True),
        _plain_keys,
        st.builds(Extras, st.none() | _focuses.map(_focus), st.none() | st.from_regex(TOKEN, fullmatch=True)),
        st.sampled_from(NAMES),
    )
    def check(transform: Transform, key: str, extras: Extras, name: str) -> None:
        prepared = Prepared(process.current().policies[name], transform)
        try:
            url, content_type = prepared.url("/img/", key, extras)
        except ThumbError as error:
            with pytest.raises(type(error)):
                prepared._by_grammar(key, extras)
        else:
            assert (url.removeprefix("/img/"), content_type) == prepared._by_grammar(key, extras)

    with configured():
        check()


@pytest.mark.parametrize(("prefix", "counted"), [("/a/prefix/", 10), ("https://images.example.com/a/", 3)])
@pytest.mark.parametrize("storage", ["open", "signed"])
def test_a_url_is_as_long_as_the_server_reads_and_no_longer(prefix: str, counted: int, storage: str) -> None:
    with configured(URL_PREFIX=prefix):
        lengths = []
        for length in range(1, 256):
            key = "/".join(["ü" * 127, "ü" * 127, "ü" * 60, "x" * length])
            url = thumb(key, "x", storage=storage).url
            if url:
                lengths.append(len(url) - len(prefix) + counted)
        assert lengths[-1] == messages.MAX_TARGET_BYTES
