"""Seeded mutants of URLs: bytes and segments dropped, doubled, exchanged, escaped, and taken from other URLs."""

import random
from collections.abc import Sequence

_TOKENS = (
    *("/", "//", ":", "%", "%2F", "%25", "%00", "%C3%28", "%3A", "@", ".", "..", "~", "?", "&", ",", "_", "-", "="),
    *("plain", "unsafe", "filters:", "fit-in", "0", "-1", "1e9", "999999999999", "0.5", "inf", "nan", "x", "smart"),
    *("rs:fill:1:1", "c:1:1", "g:fp:0:0", "g:ea:9999:9999", "dpr:8", "z:0.001", "pd:9999", "t:300", "wm:1", "q:0"),
    *("10x10:5x5", "0x0", "-1x-1", "stretch", "w_1", "s_1x1", "extract_0_0_1_1", "rotate_90", "crop(0,0,1,1)"),
    *("focal(0x0:0x0)", "rotate(90)", "blur(1000)", "orient(90)", "align", "https://", "thumbs", "b64:"),
)


def mutant(seed: int, urls: Sequence[str]) -> str:
    """One to four changes of one of `urls`. The same for the same seed."""
    rand = random.Random(seed)
    url = rand.choice(urls)
    for _ in range(rand.randint(1, 4)):
        url = _changed(url, rand, urls)
    return "/" + url.lstrip("/") if rand.random() < 0.95 else url or "/"


def _changed(url: str, rand: random.Random, urls: Sequence[str]) -> str:
    start = rand.randint(0, len(url))
    stop = min(len(url), start + rand.randint(0, 6))
    kind = rand.randrange(7)
    if kind == 0:
        return url[:start] + url[stop:]
    if kind == 1:
        return url[:start] + url[start:stop] * 2 + url[stop:]
    if kind == 2:
        return url[:start] + rand.choice(_TOKENS) + url[stop:]
    if kind == 3:
        return url[:start] + chr(rand.randint(0x21, 0x7E)) + url[stop:]
    if kind == 4:
        return url[:start] + "".join(f"%{ord(char) & 255:02X}" for char in url[start:stop]) + url[stop:]
    segments, others = url.split("/"), rand.choice(urls).split("/")
    place = rand.randrange(len(segments))
    if kind == 5:
        segments[place] = rand.choice(others)
    else:
        segments.insert(place, rand.choice(others))
    return "/".join(segments)
