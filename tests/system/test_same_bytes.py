"""The same picture gives the same bytes: wherever it is kept, signed or not, through every front."""

from urllib.parse import quote

import pytest

from tests.support import pictures
from tests.support.fronts import Fronts, signature

TARGETS = [
    "120x90/quarters.jpg",
    "120x/filters:format(webp);quality(60)/noise.jpg",
    "x90/filters:format(avif);fit(contain)/quarters.png",
    "200x200/filters:format(png);fit(fill,ffcc00)/quarters.webp",
    "80x80/filters:format(webp);gravity(smart)/noise.jpg",
    "90x60/filters:crop(10,20,300,320);dpr(1.5)/turned-6.jpg",
    "100x100/quarters.gif",
    "64x64/Bücher/été.jpg/as/sommer.png",
    "64x/cats/tom & jerry?.jpg",
]
UNSIGNED = ("local", "s3", "plain-class")
SIGNED = ("signed", "s3-signed")


@pytest.mark.parametrize("target", TARGETS)
def test_a_thumbnail_has_the_same_bytes_from_every_storage_and_front(fronts: Fronts, target: str) -> None:
    paths = [f"{storage}/thumbs/{target}" for storage in UNSIGNED]
    paths += [f"{storage}/thumbs/{signature(f'/{storage}/thumbs/{target}')}/{target}" for storage in SIGNED]
    answers = [fronts.ask(quote(path)) for path in paths]
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert {(answer.headers["content-type"], answer.body) for answer in answers} == {
        (answers[0].headers["content-type"], answers[0].body)
    }
    assert min(pictures.decoded(answers[0].body).size) > 0


@pytest.mark.parametrize("target", TARGETS[:3])
def test_a_sites_own_storage_gives_the_same_bytes_too(fronts: Fronts, target: str) -> None:
    expected = fronts.ask(f"local/thumbs/{target}").body
    for front in fronts.servers:
        if not front.name.startswith("standalone"):
            answer = front.get(f"alias/thumbs/{target}")
            assert (answer.status, answer.body) == (200, expected), front.name


def test_a_storages_etag_is_the_same_in_every_front(fronts: Fronts) -> None:
    etags = {storage: fronts.ask(f"{storage}/thumbs/50x50/quarters.jpg").headers["etag"] for storage in UNSIGNED}
    assert len(set(etags.values())) == len(UNSIGNED)  # other storages, other entries
