"""What `bench.tags` measures: calls of Mage's toolkit and of its peers, in one process with warm caches.

`python -m bench.tag_calls DIRECTORY PEERS ROUNDS SECONDS` prints a JSON object: the peers' versions, the peers that do
not work, with the reason, and for each call its CPU times in seconds, one of each round. `DIRECTORY` is for originals
and thumbnails; `PEERS` has the packages of the peers.
"""

import datetime
import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

import django
from django.conf import settings

Call = Callable[[], object]
REVERSE = "reverse()"
PEERS = {"sorl-thumbnail": "sorl.thumbnail", "easy-thumbnails": "easy_thumbnails", "django-imagekit": "imagekit"}
# The tags of two peers have one name.
_LIBRARIES = {
    "sorl-thumbnail": "sorl.thumbnail.templatetags.thumbnail",
    "easy-thumbnails": "easy_thumbnails.templatetags.thumbnail",
}
_KEY = "photos/2026/photo-1.jpg"
_SIZE = (400, 300)


def main(directory: Path, packages: str, rounds: int, seconds: float) -> None:
    """Measure, and print the object. `seconds` is the length of one measurement."""
    sys.path.append(packages)  # at the end: Django and Pillow are those of this interpreter
    broken = _configure(directory)
    calls = mage_calls()
    for peer in PEERS:
        if peer in broken:
            continue
        try:
            made = _PEER_CALLS[peer]()
            for call in made.values():
                call()
            calls |= made
        except Exception as error:
            broken[peer] = f"{type(error).__name__}: {error}"
    versions = {each.name: each.version for each in distributions(path=[packages]) if each.name in PEERS}
    times = _as_in_a_request(lambda: measured(calls, rounds, seconds))
    print(json.dumps({"versions": versions, "broken": broken, "times": times}))


def _as_in_a_request(measure: Callable[[], dict[str, list[float]]]) -> dict[str, list[float]]:
    """Django sets the script name and the URLconf of each request: `reverse()` reads them, and so does the toolkit."""
    from django.urls import set_script_prefix, set_urlconf  # noqa: PLC0415 - after Django's set-up

    set_script_prefix("/")
    set_urlconf(settings.ROOT_URLCONF)
    return measure()


def measured(calls: dict[str, Call], rounds: int, seconds: float) -> dict[str, list[float]]:
    """The CPU seconds of each call, one figure a round. The order of the calls alternates."""
    counts = {name: _count(call, seconds) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in calls if number % 2 else reversed(calls):
            call, count = calls[name], counts[name]
            start = time.process_time()
            for _ in range(count):
                call()
            times[name].append((time.process_time() - start) / count)
    return times


def _count(call: Call, seconds: float) -> int:
    """How many calls take about `seconds`; it warms up as well."""
    call()
    start, count = time.process_time(), 0
    while (spent := time.process_time() - start) < 0.05:
        call()
        count += 1
    return max(1, int(count * seconds / spent))


def _configure(directory: Path) -> dict[str, str]:
    """A site with all peers that can be imported, their tables and an original. Gives those that cannot, and why."""
    top = {peer: module.partition(".")[0] for peer, module in PEERS.items()}
    broken = {peer: "it is not installed" for peer, module in top.items() if find_spec(module) is None}
    media = directory / "media"
    original = media / _KEY
    original.parent.mkdir(parents=True)
    _draw(original)
    secret = {"signature_secret_key": "a secret of this measurement only, for signed URLs"}
    local = {"driver": "local", "root": str(media)}
    settings.configure(
        SECRET_KEY="only for measurements",
        INSTALLED_APPS=["thumbs", *(module for peer, module in PEERS.items() if peer not in broken)],
        ROOT_URLCONF="tests.support.site",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"libraries": {peer: name for peer, name in _LIBRARIES.items() if peer not in broken}},
            }
        ],
        MEDIA_ROOT=str(media),
        MEDIA_URL="/media/",
        USE_TZ=True,
        THUMBS={
            "STORAGES": [{"name": "uploads", **local}, {"name": "signed", **local, **secret}],
            "PRESETS": {"card": {"size": "400x300"}},
        },
        THUMBNAIL_ALIASES={"": {"card": {"size": _SIZE, "crop": True}}},
    )
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - after Django's set-up

    call_command("migrate", verbosity=0, run_syncdb=True)
    return broken


def _draw(path: Path) -> None:
    from PIL import Image  # noqa: PLC0415 - the peers need it as well

    Image.effect_noise((1200, 900), 40).convert("RGB").save(path, "JPEG")


@cache
def _photo() -> object:
    """The file of a row."""
    from django.db import models  # noqa: PLC0415 - after Django's set-up

    class Photo(models.Model):
        image = models.ImageField()

        class Meta:
            app_label = "measured"

    return Photo(image=_KEY).image


def _template(source: str, **context: object) -> Call:
    from django.template import Context, Template  # noqa: PLC0415 - after Django's set-up

    template, data = Template(source), Context(context)
    return lambda: template.render(data)


def mage_calls() -> dict[str, Call]:
    """`reverse()` of the same URL, and the calls of the toolkit."""
    from django.urls import reverse  # noqa: PLC0415 - after Django's set-up

    from thumbs import picture, thumb, thumb_url  # noqa: PLC0415 - after Django's set-up

    image = _photo()
    path = f"uploads/thumbs/400x300/{_KEY}"
    edited = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
    widths = (200, 400, 800, 1200, 1600)
    return {
        REVERSE: lambda: reverse("thumbs:thumbnail", kwargs={"path": path}),
        "thumb": lambda: thumb(image, "card").url,  # type: ignore[arg-type]
        "thumb, signed": lambda: thumb(image, "card", storage="signed").url,  # type: ignore[arg-type]
        "thumb, version": lambda: thumb(image, "card", version=edited).url,  # type: ignore[arg-type]
        "thumb, two filters": lambda: thumb(image, "400x300", format="webp", quality=70).url,  # type: ignore[arg-type]
        "thumb_url": lambda: thumb_url("uploads", _KEY, "400x300", filters="format(webp)"),
        "picture, 15 URLs": lambda: picture(image, "card", widths=widths).html,  # type: ignore[arg-type]
        "{% thumb %}": _template('{% load thumbs %}{% thumb image "card" %}', image=image),
        "{% thumb_picture %}, 15 URLs": _template(
            '{% load thumbs %}{% thumb_picture image "card" widths="200 400 800 1200 1600" %}', image=image
        ),
    }


def _sorl() -> dict[str, Call]:
    get_thumbnail = importlib.import_module("sorl.thumbnail").get_thumbnail
    image = _photo()
    tag = '{% load sorl-thumbnail %}{% thumbnail image "400x300" crop="center" as im %}{{ im.url }}{% endthumbnail %}'
    return {
        "sorl-thumbnail": lambda: get_thumbnail(image, "400x300", crop="center").url,
        "sorl-thumbnail, tag": _template(tag, image=image),
    }


def _easy() -> dict[str, Call]:
    get_thumbnailer = importlib.import_module("easy_thumbnails.files").get_thumbnailer
    image, options = _photo(), {"size": _SIZE, "crop": True}
    return {
        "easy-thumbnails": lambda: get_thumbnailer(image).get_thumbnail(options).url,
        "easy-thumbnails, tag": _template("{% load easy-thumbnails %}{% thumbnail image 400x300 crop %}", image=image),
    }


def _imagekit() -> dict[str, Call]:
    spec_class = importlib.import_module("imagekit").ImageSpec
    cache_file = importlib.import_module("imagekit.cachefiles").ImageCacheFile
    fill = importlib.import_module("imagekit.processors").ResizeToFill

    class Card(spec_class):  # type: ignore[misc, valid-type]
        processors = (fill(*_SIZE),)
        format = "JPEG"

    image = _photo()
    tag = "{% load imagekit %}{% thumbnail '400x300' image as im %}{{ im.url }}"
    return {
        "django-imagekit": lambda: cache_file(Card(source=image)).url,
        "django-imagekit, tag": _template(tag, image=image),
    }


_PEER_CALLS = {"sorl-thumbnail": _sorl, "easy-thumbnails": _easy, "django-imagekit": _imagekit}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
