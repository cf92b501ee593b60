"""The forms of the peers' tags that their documents have, for `p.image`; each makes one picture."""

# What each peer has besides its tag, for the forms below.
ALIASES: dict[str, dict[str, dict[str, object]]] = {"": {"small": {"size": [50, 50], "crop": True}}}
PRESETS = {"small": {"size": "50x50", "filters": "upscale(no)"}}


def _sorl() -> list[str]:
    options = [
        '"200x100"', '"200"', '"x100"', '"33x33"', '"1000x1000"',
        '"200x100" crop="center"', '"200x100" crop="50%"', '"200x100" crop="noop"', '"200x100" crop="top"',
        '"200x100" crop="right bottom"', '"200x100" crop="30% 70%"', '"800x50" crop="80% top"',
        '"200x100" crop="smart"', '"100x200" crop="smart"', '"100" crop="10px 10px" format="PNG"',
        '"200x100" crop="center" upscale=False', '"200x100" upscale=False', '"200" upscale=False',
        '"200x100" padding=True', '"200x100" padding=True padding_color="#000"', '"200x100" padding=True upscale=False',
        '"20x10" crop="center" cropbox="10,10,30,40"', '"20x10" cropbox="10, 10, 30, 40"',
        '"200x100" crop="center" quality=80', '"200x100" crop="center" format="WEBP"',
        '"200x100" crop="center" colorspace="GRAY"', '"200x100" crop="center" blur=4',
        '"200x100" crop="center" progressive=False orientation=True',
    ]  # fmt: skip
    nested = (
        '{% thumbnail p.image "1000" as big %}{% thumbnail p.image "50x50" crop="center" as small %}{{ small.url }}'
        "{% endthumbnail %}{% endthumbnail %}"
    )
    blocks = [f"{{% thumbnail p.image {each} as im %}}{{{{ im.url }}}}{{% endthumbnail %}}" for each in options]
    return [
        *blocks,
        '{% thumbnail p.image "100x100" crop="center" %}',
        '{% thumbnail p.image "70x70" as im %}{{ im.url }} {{ im.x }} {{ im.y }}{% empty %}none{% endthumbnail %}',
        "{% thumbnail p.image|default:'x.jpg' '70x70' as im %}{{ im.url }}{% endthumbnail %}",
        nested,
    ]


def _easy() -> list[str]:
    options = [
        "50x50", "'50x50'", "0x300", "300x0", "33x33", "300x0 upscale", "0x300 upscale", "200x100 crop",
        "200x100 crop upscale", "200x100 upscale", '200x100 crop="smart"', '200x100 crop="smart" upscale',
        '200x100 crop=",0"', '200x100 crop="0,0" upscale', '200x100 crop="-0,-0"', '200x100 crop target="10,20"',
        '200x100 crop target=",60" upscale', "200x0 crop", "0x200 crop upscale", "200x100 quality=60 bw sharpen",
        "100x100 subsampling=0", "100x100 autocrop", "100x100 autocrop crop upscale", '200x100 replace_alpha="#fff"',
        '200x100 background="#fc0"', '900x900 background="#fc0" upscale', '200x100 crop upscale background="#fff"',
        '"small"', '"small" crop="smart" upscale', '"small" crop=False quality=20',
    ]  # fmt: skip
    return [
        *(f"{{% thumbnail p.image {each} %}}" for each in options),
        "{% thumbnail p.image 70x70 crop as t %}{{ t.url }}",
        "{% thumbnail p.image|default:'x.jpg' 50x50 %}",
        '{{ p.image|thumbnail_url:"small" }}',
        "{{ p.image|thumbnail_url:'small' }}",
        "{% with photo=p.image|thumbnailer %}{% if photo %}{{ photo.small.url }}{% endif %}{% endwith %}",
    ]


def _imagekit() -> list[str]:
    options = [
        '"100x50" p.image', "'100x50' p.image", '"100x" p.image', '"x50" p.image', '"500x450" p.image',
        '"100x50" p.image anchor="tr"', '"100x50" p.image crop=0', '"900x900" p.image crop=0',
        '"100x50" p.image crop=1',
        '"900x50" p.image upscale=True', '"900x900" p.image crop=0 upscale=True', '"100x50" p.image format="PNG"',
        '"100x50" p.image -- alt="A picture of Me" id="mypicture"', '"imagekit:thumbnail" "30x" p.image',
    ]  # fmt: skip
    return [
        *(f"{{% thumbnail {each} %}}" for each in options),
        "{% thumbnail '100x50' p.image as th %}{{ th.url }}",
        "{% generateimage 'imagekit:thumbnail' source=p.image width=100 height=50 %}",
        "{% generateimage 'imagekit:thumbnail' source=p.image width=100 as th %}{{ th.url }}",
    ]


def _pictures() -> list[str]:
    options = [
        "ratio='3/2' file_type='webp' width=100", "'webp' 40", "'avif' 100", "file_type='webp' width=50 ratio='1/1'",
        "ratio='16/9' file_type='webp' width=200",
    ]  # fmt: skip
    return [f"{{% img_url p.image {each} %}}" for each in options]


def _versatile() -> list[str]:
    names = ("crop.200x100", "crop.20x100.url", "crop.900x900", "thumbnail.100x100", "thumbnail.900x900.url")
    return [f"{{{{ p.image.{name} }}}}" for name in (*names, "thumbnail.33x33.url")]


FORMS = {
    "sorl": _sorl(),
    "easy": _easy(),
    "imagekit": _imagekit(),
    "pictures": _pictures(),
    "versatile": _versatile(),
}

# Documented forms without an equivalent of the same size.
LEFT = {
    "sorl": [
        "{% thumbnail p.image geometry as im %}{{ im.url }}{% endthumbnail %}",
        '{% thumbnail p.image "100x100" options=options as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail p.image "100x100" crop="10px 10px" as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail p.image "100x100" rounded=10 as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail p.image "100x100" remove_border=True as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail p.file "400x400" density=300 as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail "https://example.com/logo.png" "40x40" crop="80% top" as im %}{{ im.url }}{% endthumbnail %}',
        '{% thumbnail p.image "100x700" as im %}{{ im|margin:"100x700" }}{% empty %}none{% endthumbnail %}',
        "{% if p.image|is_portrait %}tall{% endif %}",
        "{{ text|html_thumbnails }}{{ text|markdown_thumbnails }}",
        '{% thumbnail p.image "9x9" as im %}{{ im.url|resolution:"2x" }}{% endthumbnail %}',
    ],
    "easy": [
        "{% thumbnail p.image size_var %}",
        '{% thumbnail p.image 50x50 crop="scale" %}',
        '{% thumbnail p.image 50x50 crop="-10,-0" %}',
        "{% thumbnail p.image 50x50 crop zoom=40 %}",
        "{% thumbnail p.image 50x50 detail %}",
        "{% thumbnail p.image 25x25 crop as thumb %}{{ thumb|data_uri }}",
        "{% with avatar=p.image|thumbnailer_passive %}{% with t=avatar.small %}{{ t.url }}{% endwith %}{% endwith %}",
        '{% if p.image|thumbnail_url:"small" %}{% endif %}',
    ],
    "imagekit": [
        "{% thumbnail dimensions p.image %}",
        "{% thumbnail 'my:generator' '100x50' p.image %}",
        "{% generateimage 'myapp:thumbnail' source=p.image size=3 %}",
        "{% thumbnail '100x50' p.image as th %}{{ th.name }}",
    ],
    "pictures": [
        '{% picture p.image picture_class="my-picture" %}',
        "{% picture p.image container=900 %}",
        "{% picture p.image m=columns %}",
        "{% img_url p.image 'webp' width %}",
    ],
    "versatile": [
        "{{ p.image.filters.invert.url }}",
        "{{ p.image.filters.invert.thumbnail.100x100 }}",
        "{{ p.image.hexagon.100x100 }}",
        "{% with u=p.image.crop.100x100.url %}{{ u }}{% endwith %}",
    ],
}
# `{% picture %}` makes many pictures, and generators are the site's own.
MORE = {
    "imagekit": [
        "{% generateimage 'myapp:thumbnail' source=p.image -- alt=\"A picture of Me\" %}",
        "{% generateimage 'myapp:thumbnail' source=p.image as th %}{{ th.url }} {{ th.width }} x {{ th.height }}",
        "{% thumbnail '100x50' p.image srcset='2 3' %}",
    ],
    "pictures": [
        '{% picture p.image img_alt="Spiderman" ratio="16/9" m=6 l=4 %}',
        '{% picture p.image img_alt=p.title img_loading="lazy" img_class="a" m=6 l=4 %}',
        '{% picture p.image "Spiderman" "3/2" %}',
        "{% picture p.image %}",
    ],
}
