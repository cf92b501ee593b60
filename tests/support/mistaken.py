"""Texts that are nearly right: valid URLs with a few characters changed, and parts that do not fit together."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from hypothesis import strategies as st

from tests.support import strategies
from tests.support.spellings import spellings
from thumbs.errors import ThumbError
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import build, preset
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import resolve
from thumbs.request.signing import Signer

PRESETS = MappingProxyType(
    {
        "card": preset("400x300", "format(webp);quality(70)"),
        "strip": preset("80x"),
        "clear": preset("x90", "fit(fill,transparent);format(png)"),
        "padded": preset("10x10", "padding(4)"),
        "about": preset("x", "format(json);data(color)"),
    }
)
SIGNER = Signer((b"secret",))
OPEN = StoragePolicy(
    name="photos",
    qualities=DEFAULT_QUALITIES,
    output=OutputLimits(),
    presets=PRESETS,
    watermarks={"logo": "1", "0": "2"},
)
POLICIES: Mapping[str, StoragePolicy] = MappingProxyType(
    {
        "photos": OPEN,
        "sized": replace(OPEN, name="sized", sizes=frozenset({"400x300", "80x", "800x600", "x"})),
        "webp": replace(OPEN, name="webp", formats=frozenset({"webp", "jpeg"})),
        "jpeg": replace(OPEN, name="jpeg", formats=frozenset({"jpeg"})),
        "data": replace(OPEN, name="data", formats=frozenset({"webp", "jpeg", "json"})),
        "only-data": replace(OPEN, name="only-data", formats=frozenset({"json"})),
        "none": replace(OPEN, name="none", formats=frozenset(), presets={}, watermarks={}),
        "presets": replace(OPEN, name="presets", presets_only=True),
        "small": replace(OPEN, name="small", output=OutputLimits(side=500, pixels=100_000)),
        "signed": replace(OPEN, name="signed", signer=SIGNER),
    }
)

_SIZES = ("400x300", "80x", "x", "200x150", "x90", "10x10", "9000x", "400x301", "", "400", "0x1", "4X3", "x/", "p")
_FILTERS = """
format(webp) fmt(jpg) format(auto) format(png) format(wepb) formt(webp) format=webp format quality(70) q(0) q(070)
fit(fill,transparent) fit(contain) fit(cover,fff) fit(covr) fit(,) bg(transparent) bg(goldd) bg(fff0) bg(#fff)
padding(4) pad(1,2,3,4,5) pad(0) dpr(2) dpr(5) dpr(1.3) crop(1,2,3,4) crop(5,2,3,4) pcrop(0,0,101,50) crop(1,1,1,1)
crop(1,2) gravity(north) g(nort) g(0.3,0.6) g(31,62) g(1,2,3) g(0.3,1.2) preset(card) p(crad) p(strip) p(clear)
p(padded) p(NO) watermark(logo) wm(lgo) wm(logo,smart) wm(logo,north,101,2) wm(0) flip flip(yes) flip() Flip
trim(3,red) trim(256) trim(x,y,z) rotate(-90) rotate(0) version(3) v() v(a+b) expires(9) exp(1900000000000) exp(x)
frames(all) frames(0) mb(20k) mb(0) upscale(true) blur(0.1) sharpen sharpen(200) contrast(-101) nope(1) nope
q(70),fmt(webp) q(7 q7) max-bytes(9) format(json) fmt(jsn) data(color) data(thumbhash,color) data(color,color) data()
data(colr,hash) data(color,thumbhash,color) data p(about) p(abuot)
""".split()  # noqa: SIM905 - a list literal would be 80 lines
_KEYS = """
a.jpg a.png cats/tom.webp a a.tiff f:q(7)/a.gif a//b ../a a/ a\\b é.jpg a/as/b.webp a.png/as/b.jpg a/as/b a/as/.b.gif
a/as/ a/as/b.wepb a/as/b.json a.json a.json/as/b.jsn as/b a/as/c/as/d.png a/as/b.tiff a/as/..
""".split()  # noqa: SIM905 - as above
_MORE_KEYS = ["", "a\nb", "x" * 256, "a/as/é\n.jpg"]
_CHANGES = " /:;(),.-=%_x0123456789abcdefgrtzXÉ\\\n\x7f×"
_BEFORE_TARGETS = ("", "", "right/", "right/", "short/", "f:q(7)/", "A" * 22 + "/", "/")


@st.composite
def assembled(draw: st.DrawFn) -> str:
    """A target of parts that are right or nearly right."""
    filters = draw(st.lists(st.sampled_from([*_FILTERS, "", " "]), max_size=4))
    spelled = f"{draw(st.sampled_from(('filters:', 'f:')))}{';'.join(filters)}/" if filters else ""
    size, key = draw(st.sampled_from(_SIZES)), draw(st.sampled_from(_KEYS + _MORE_KEYS))
    return f"{size}/{spelled}{key}"


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """One of `texts` with up to three characters changed, left out or put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 1)))
        text = text[:start] + draw(st.sampled_from(_CHANGES) | st.just("")) + text[stop:]
    return text


targets = mutated(st.builds(build, strategies.targets()) | st.sampled_from(spellings()) | assembled())


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path of one of `POLICIES`, signed or not, rightly or not, with a few characters changed."""
    name = draw(st.sampled_from((*POLICIES, "fotos", "signd", "")))
    target = draw(targets)
    signature = SIGNER.sign(f"/{name}/thumbs/{target}")
    before = draw(st.sampled_from(_BEFORE_TARGETS)).replace("right", signature).replace("short", signature[:-1])
    middle = draw(st.sampled_from(("/thumbs/", "/thumbs/", "/thumbs/", "/thumb/", "/", "")))
    path = f"/{name}{middle}{before}{target}"
    return draw(mutated(st.just(path))) if draw(st.booleans()) else path


_TOKENS = ("card", "strip", "clear", "crad", "400x300", "80x", "9000x", "400", "80X", "format(webp)", "padded", "nope")
_VALUES = ("webp", "wepb", "", "north", "fff", "#fff", "transparent", "card", "logo", "1,2,3,4", "a/b", "a;b")
_OPTIONS = ("format", "fmt", "formt", "quality", "q", "fit", "crop", "pcrop", "gravity", "upscale", "up", "flip")
_MORE_OPTIONS = ("background", "padding", "dpr", "watermark", "preset", "sharpen", "blur", "version", "rotate", "nope")


@st.composite
def specs(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A spec and options that are right or nearly right."""
    values: st.SearchStrategy[object] = (
        st.sampled_from(_VALUES) | st.booleans() | st.none() | st.integers(-1, 101) | strategies.decimals(0, 5)
    )
    several = st.lists(st.integers(0, 9), min_size=1, max_size=5)
    options: st.SearchStrategy[dict[str, object]] = st.dictionaries(
        st.sampled_from(_OPTIONS + _MORE_OPTIONS), values | several, max_size=4
    )
    return " ".join(draw(st.lists(st.sampled_from(_TOKENS), max_size=3))), draw(options)


def with_preset(name: str, size: str) -> StoragePolicy:
    """`OPEN` with one more preset."""
    return replace(OPEN, presets={**PRESETS, name: preset(size)})


def is_refused(path: bytes) -> bool:
    """Whether `resolve` refuses a path of one of `POLICIES`."""
    try:
        resolve(path, ("avif", "webp"), POLICIES)
    except ThumbError:
        return True
    return False
