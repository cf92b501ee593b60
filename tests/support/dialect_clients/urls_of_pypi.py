"""URLs that client libraries of PyPI write, each with the size that its options ask for: a list in JSON.

`python urls_of_pypi.py ADDRESS SECRET`: of the server, and that of thumbor and imagor.
"""

import json
import sys
from typing import Any
from urllib.parse import quote

from imgora import Imagor, Signer, Thumbor  # type: ignore[import-not-found, unused-ignore]
from libthumbor import CryptoURL  # type: ignore[import-not-found, unused-ignore]

address, secret = sys.argv[1:]
found: list[dict[str, Any]] = []
SPACED = "späce näme ü.jpg"


def add(client: str, url: str, size: tuple[int, int], output: str = "jpeg") -> None:
    found.append({"client": client, "url": url, "size": size, "type": f"image/{output}"})


def libthumbor(size: tuple[int, int], source: str, output: str = "jpeg", *, at: str = "/t", **options: Any) -> None:
    path = CryptoURL(key=secret).generate(image_url=source, **options)
    add("libthumbor", f"{address}{at}/{path.lstrip('/')}", size, output)


libthumbor((300, 200), "landscape.jpg", width=300, height=200)
libthumbor((300, 300), "small.jpg", width=300, height=300)
libthumbor((200, 133), "landscape.jpg", width=200)
libthumbor((150, 100), "landscape.jpg", height=100)
libthumbor((1200, 800), "landscape.jpg")
libthumbor(
    (300, 200), "landscape.jpg", "webp", width=300, height=400, fit_in=True, filters=["format(webp)", "quality(60)"]
)
libthumbor((600, 400), "landscape.jpg", width=300, height=400, full_fit_in=True)
libthumbor((267, 400), "portrait.jpg", width=400, height=300, adaptive_fit_in=True)
libthumbor((200, 200), "landscape.jpg", crop=((100, 100), (500, 400)), width=200, height=200, smart=True)
libthumbor((200, 100), "landscape.jpg", width=200, height=100, flip=True, flop=True, halign="right", valign="top")
libthumbor((200, 133), "framed.png", "png", trim=("top-left", 10), width=200)
libthumbor((90, 60), "medium.jpg", "png", width=90, height=60, filters=["format(png)", "blur(2)", "brightness(10)"])
libthumbor((100, 67), quote(SPACED), width=100)
libthumbor((100, 67), "moving.gif", "gif", width=100)
libthumbor((300, 200), "landscape.jpg", at="/open-t", width=300, height=200, unsafe=True)

signer = Signer(key=secret)
for make, at in ((Thumbor, "/t"), (Imagor, "/a")):
    base = make(base_url=address + at, signer=signer)
    name = f"imgora, {make.__name__}"
    landscape = base.with_image("landscape.jpg")
    add(name, landscape.resize(300, 200).format("webp").quality(60).url(), (300, 200), "webp")
    add(name, landscape.resize(300, 300).url(), (300, 200))
    add(name, base.with_image("small.jpg").resize(300, 300).url(), (300, 200))
    add(name, base.with_image("small.jpg").resize(300, 300, upscale=False).url(), (120, 80))
    add(name, landscape.resize(300, 300, method="smart").url(), (300, 300))
    add(name, landscape.resize(300, 100, method="stretch").url(), (300, 100))
    add(name, base.with_image("framed.png").trim().url(), (300, 200), "png")
    add(name, landscape.resize(300, 200).rotate(90).grayscale().blur(2).strip_exif().strip_icc().url(), (200, 300))
    add(name, landscape.resize(300, 200).brightness(10).contrast(10).saturation(1).max_bytes(9000).url(), (300, 200))
    add(name, landscape.focal(100, 100, 200, 200).resize(200, 200).url(), (200, 200))
    add(name, base.with_image("alpha.png").resize(300, 200).background_color("#ff0000").format("jpg").url(), (300, 200))
    add(name, base.with_image("nested/deep/photo.jpg").resize(90, 60).url(), (90, 60))
    for source in (SPACED, "a@b.jpg", "plus+sign.jpg", "100%.jpg"):
        add(name, base.with_image(source).resize(100, 0).url(), (100, 67))
    add(
        name,
        make(base_url=f"{address}/open{at.replace('/', '-')}").with_image("medium.jpg").resize(90, 60).url(),
        (90, 60),
    )
for algorithm, truncate in (("sha256", 40), ("sha512", None)):
    other = Imagor(base_url=f"{address}/{algorithm}", signer=Signer(type=algorithm, truncate=truncate, key=secret))
    add(f"imgora, {algorithm}", other.with_image(SPACED).resize(100, 0).url(), (100, 67))
    add(f"imgora, {algorithm}", other.with_image("landscape.jpg").resize(300, 200).url(), (300, 200))

sys.stdout.write(json.dumps(found))
