"""The recorded rows that Mage answers otherwise than the real server, with the reason, by dialect."""

_KEYS = "A key with an empty or a dot segment means different originals in different storages: it is refused."
_WATERMARKS = "A URL names the watermark, and Mage has only those of its configuration."
_EFFECT = "An effect without a counterpart."
_ORIENTATION = "The peer does not apply the EXIF orientation, so that its thumbnails lie on their side."
_FORMAT = "A format that Mage does not write."
_GRAYS = "The peer makes grays by Rec. 601 from sRGB values, Mage from light."
_SATURATION = "The peer changes the saturation in another color space, so that the picture is only like it."
_ROUNDING = "The peer cuts the other side off where Mage rounds it."
_SERVICE = "A page of the peer that is no picture."

DIFFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "imgproxy": {
        "A canvas by its ratio has no counterpart.": ("/insecure/rs:fill:300:150/exar:1/plain/local:///small.jpg",),
        "The EXIF orientation is always applied.": ("/insecure/w:300/ar:0/plain/local:///rotated.jpg",),
        _FORMAT: (
            "/insecure/w:200/f:bmp/plain/local:///landscape.jpg",
            "/insecure/w:200/f:tiff/plain/local:///landscape.jpg",
        ),
        "imgproxy stops at quality 10, Mage goes on to 1.": (
            "/insecure/w:400/max_bytes:10/f:jpg/plain/local:///landscape.jpg",
        ),
        "imgproxy writes JPEG for an AVIF with a side below 16.": (
            "/insecure/w:10/f:avif/plain/local:///landscape.jpg",
        ),
        "Two factors for one side stretch the picture.": ("/insecure/w:200/zoom:0.5:1/plain/local:///landscape.jpg",),
        "A least side has no counterpart.": (
            "/insecure/w:300/h:50/rt:fit/min-height:150/plain/local:///landscape.jpg",
        ),
        "imgproxy reduces dpr where the source is too small, also for padding and canvas.": (
            "/insecure/rs:fill:1000:500/dpr:2/pd:10/bg:ff0000/plain/local:///landscape.jpg",
            "/insecure/rs:fit:300:300/ex:1/dpr:2/plain/local:///small.jpg",
        ),
        "The loss of a narrow WebP at another quality.": ("/insecure/pr:card/w:50/plain/local:///landscape.jpg",),
        _KEYS: (
            "/insecure/w:100/plain/local:///nested//deep/photo.jpg",
            "/insecure/w:100/plain/local:///nested/../landscape.jpg",
        ),
        'Mage refuses truncated originals, unless "truncated" is "render".': (
            "/insecure/w:100/plain/local:///truncated.jpg",
        ),
        "There are no trusted signatures.": ("/trusted-one/w:100/plain/local:///landscape.jpg",),
    },
    "thumbor": {
        "One pixel, whose rows are weighted otherwise.": ("/unsafe/1x/landscape.jpg",),
        _ROUNDING: ("/unsafe/fit-in/400x300/filters:upscale()/small.jpg",),
        _EFFECT: (
            "/unsafe/fit-in/300x300/filters:fill(blur)/landscape.jpg",
            "/unsafe/300x/filters:rgb(20,-20,40)/landscape.jpg",
            "/unsafe/300x/filters:equalize()/landscape.jpg",
            "/unsafe/300x/filters:round_corner(20,255,0,0)/landscape.jpg",
        ),
        _SATURATION: (
            "/unsafe/300x/filters:saturation(0.5)/landscape.jpg",
            "/unsafe/300x/filters:saturation(50)/landscape.jpg",
        ),
        _WATERMARKS: (
            "/unsafe/300x/filters:watermark(mark.png,10,10,0)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,-10,-10,50)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,center,center,0,50,none)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,10p,-10p,0)/landscape.jpg",
        ),
        _GRAYS: (
            "/unsafe/300x/filters:quality(50):format(webp):grayscale()/landscape.jpg",
            "/unsafe/300x/filters:grayscale():grayscale()/landscape.jpg",
        ),
        _ORIENTATION: ("/unsafe/100x/rotated.jpg", "/unsafe/200x200/left/rotated.jpg"),
        "thumbor fails at its own filter, which Mage ignores.": ("/unsafe/150x/filters:cover()/moving.gif",),
        _KEYS: (
            "/unsafe/100x/nested//deep/photo.jpg",
            "/unsafe/100x/nested/../landscape.jpg",
            "/unsafe/100x/../o/landscape.jpg",
        ),
        _SERVICE: ("/unsafe/meta/300x200/landscape.jpg",),
        "The drawing of debug/ has no counterpart.": ("/unsafe/debug/300x200/landscape.jpg",),
    },
    "imagor": {
        _EFFECT: (
            "/unsafe/fit-in/300x300/filters:fill(blur)/landscape.jpg",
            "/unsafe/300x/filters:hue(90)/landscape.jpg",
            "/unsafe/300x/filters:rgb(20,-20,40)/landscape.jpg",
            "/unsafe/300x/filters:round_corner(20,255,0,0)/landscape.jpg",
        ),
        _ROUNDING: ("/unsafe/trim/100x/framed.png",),
        _SATURATION: ("/unsafe/300x/filters:saturation(50)/landscape.jpg",),
        _WATERMARKS: (
            "/unsafe/300x/filters:watermark(mark.png,10,10,0)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,-10,-10,50)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,center,center,0,50,none)/landscape.jpg",
            "/unsafe/300x/filters:watermark(mark.png,10p,-10p,0)/landscape.jpg",
        ),
        _KEYS: ("/unsafe/100x/nested//deep/photo.jpg", "/unsafe/100x/nested/../landscape.jpg"),
        "Mage decodes the whole path, this one too.": ("/unsafe/100x100%2Ffilters%3Agrayscale()/landscape.jpg",),
        _SERVICE: ("/unsafe/meta/300x200/landscape.jpg", "/", "/params/unsafe/300x200/landscape.jpg"),
    },
    "ipx": {
        "Larger than limits.max_side.": ("/w_20000,enlarge/small.jpg",),
        _EFFECT: (
            "/rotate_45,w_300,b_ff0000/landscape.jpg",
            "/gamma_2,w_300/landscape.jpg",
            "/negate,w_300/landscape.jpg",
            "/normalize,w_300/landscape.jpg",
            "/threshold_128,w_300/landscape.jpg",
            "/kernel_nearest,s_300x200/landscape.jpg",
        ),
        _ORIENTATION: ("/w_300/rotated.jpg", "/w_300,rotate_90/rotated.jpg"),
        _FORMAT: ("/w_300,f_tiff/landscape.jpg",),
        _KEYS: ("/w_100/nested//deep/photo.jpg", "/w_100/nested/../landscape.jpg"),
    },
    "mage": {
        "The grammar of Mage is larger.": (
            "/thumbs/400x300/f:fit(fill,red)/landscape.jpg",
            "/thumbs/300x200/f:fmt(gif)/landscape.jpg",
            "/thumbs/300x200/landscape.jpg/as/card.gif",
        ),
        _KEYS: ("/thumbs/300x200/nested//deep/photo.jpg", "/thumbs/300x200/nested/../landscape.jpg"),
    },
}


def reason(dialect: str, setup: str, url: str) -> str | None:
    """Why the answer to `url` differs; None for one that does not."""
    if setup == "auto" and url in DIFFERENCES[dialect].get(_ORIENTATION, ()):
        return None  # thumbor with RESPECT_ORIENTATION
    return next((sentence for sentence, urls in DIFFERENCES[dialect].items() if url in urls), None)
