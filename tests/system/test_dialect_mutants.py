"""Mutants of URLs of other image servers: an answer or a refusal, alike in both fronts, and no forged signature."""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import override_settings

from tests.support.front_calls import ask_asgi, ask_wsgi
from tests.support.recorded_rows import SIGNED_SETUPS, Row, rows, setup_of
from tests.support.url_mutants import mutant
from thumbs.conf.loading import load
from thumbs.errors import BadRequest, ThumbError
from thumbs.front import Mount
from thumbs.image.geometry import OutputLimits, plan
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.dialects.routes import routes_of
from thumbs.request.dialects.translating import Translator
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest
from thumbs.request.resolver import Resolver, resolver
from thumbs.wiring.dialects import dialects

MUTANTS = int(os.environ.get("MAGE_URL_MUTANTS", "20000"))
FRONT_MUTANTS = MUTANTS // 5  # of each dialect
DIALECTS = ("imgproxy", "thumbor", "imagor", "ipx", "mage")
SOURCES = ((1200, 800), (1, 1), (3, 2000), (2000, 3), (65_535, 1))
POLICIES = {
    name: StoragePolicy(name, DEFAULT_QUALITIES, OutputLimits(), watermarks={"mark": "1"})
    for name in ("photos", "nested")
}


class Server:
    """Resolves targets as a front does."""

    def __init__(self, row: Row) -> None:
        storages = [{"name": name, "driver": "local", "root": "/"} for name in POLICIES]
        read = load({"STORAGES": storages, "DIALECTS": _without_watermarks(setup_of(row))})
        assert read.errors == ()
        self.routes = routes_of((conf.path for conf in read.dialects), POLICIES)
        self._find: Resolver = resolver(POLICIES, Translator(dialects(read)))

    def resolve(self, url: str) -> ThumbRequest | None:
        """The thumb request; None for a target that is for no dialect. Raises `ThumbError`."""
        match = Mount(whole_server=True).match(_target(url), "GET", self.routes)
        if match is None:
            return None
        if match.error is not None:
            raise match.error
        return self._find(match.path, ("webp",), match.dialect)


def _target(url: str) -> bytes:
    return quote(url, safe="/:(),;=@!$&*+~%?'#[]{}|^`<>\"\\").encode()


def _without_watermarks(found: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in each.items() if name != "watermark"} for each in found]


def _rows(dialect: str, *, signed: bool) -> list[Row]:
    return [row for row in rows(dialect) if (row.setup in SIGNED_SETUPS) is signed and row.setup != "auto"]


def _outcome(server: Server, url: str) -> ThumbRequest | ThumbError | None:
    """The thumb request, or the error that the client gets; also that of a plan for some source."""
    try:
        thumb = server.resolve(url)
        if thumb is not None:
            for source in SOURCES:
                with suppress(BadRequest):
                    plan(source, thumb.transform)
    except ThumbError as error:
        return error
    return thumb


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_mutant_is_planned_or_refused(dialect: str) -> None:
    recorded = [row for row in _rows(dialect, signed=False) if row.setup == "plain"]
    server, urls = Server(recorded[0]), [row.url for row in recorded]
    outcomes = {seed: _outcome(server, mutant(seed, urls)) for seed in range(MUTANTS)}
    wrong = [seed for seed, each in outcomes.items() if isinstance(each, ThumbError) and not 400 <= each.status < 500]
    assert wrong == []
    assert sum(isinstance(each, ThumbRequest) for each in outcomes.values()) > MUTANTS // 20


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect != "ipx"])
def test_no_mutant_of_a_signed_url_asks_for_anything_else(dialect: str) -> None:
    recorded = [row for row in _rows(dialect, signed=True) if row.setup == "signed" and row.status == 200]
    server, urls = Server(recorded[0]), [row.url for row in recorded]
    known = {each.key for url in urls if isinstance(each := _outcome(server, url), ThumbRequest)}
    found = [_outcome(server, mutant(seed, urls)) for seed in range(MUTANTS)]
    accepted = [each for each in found if isinstance(each, ThumbRequest)]
    assert accepted
    assert {each.key for each in accepted} <= known
    assert {each.status for each in found if isinstance(each, ThumbError)} <= {400, 403, 404}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_both_fronts_answer_a_mutant_alike(dialect: str, tmp_path: Path) -> None:
    recorded = [row for row in _rows(dialect, signed=False) if row.setup == "plain"]
    storages = [{"name": name, "driver": "local", "root": str(tmp_path)} for name in POLICIES]
    urls = [row.url for row in recorded]
    with override_settings(
        THUMBS={"STORAGES": storages, "DIALECTS": _below(_without_watermarks(setup_of(recorded[0])))}
    ):
        for seed in range(FRONT_MUTANTS):
            target = "/d" + _target(mutant(seed, urls)).decode("ascii")
            answers = ask_asgi(target), ask_wsgi(target)
            assert answers[0] == answers[1], (seed, target)
            assert answers[0] is None or answers[0][0] < 500, (seed, target)


def _below(found: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**each, "path": f"/d{each.get('path', '/')}"} for each in found]
