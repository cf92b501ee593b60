"""The benchmark of hits through URLs of other image servers: they ask for one thumbnail, and the report has ratios."""

import pytest

from bench import dialects
from bench.check import Wanted
from bench.dialects import DIALECTS, OWN, URLS, DialectsReport
from bench.report import Plan
from thumbs.conf.loading import load
from thumbs.front import Mount
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.dialects.routes import routes_of
from thumbs.request.dialects.translating import Translator
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolver import resolver
from thumbs.wiring.dialects import dialects as built

PLAN = Plan(rounds=2, seconds=1.0, kinds=frozenset(), peers=frozenset(), against={})
POLICIES = {"memory": StoragePolicy("memory", DEFAULT_QUALITIES, OutputLimits())}


def _key(url: str) -> str:
    read = load({"STORAGES": [{"name": "memory", "driver": "local", "root": "/"}], "DIALECTS": list(DIALECTS)})
    assert read.errors == ()
    routes = routes_of((conf.path for conf in read.dialects), POLICIES)
    match = Mount(whole_server=True).match(url.encode(), "GET", routes)
    assert match is not None
    return resolver(POLICIES, Translator(built(read)))(match.path, (), match.dialect).key


@pytest.mark.parametrize("party", [party for party in URLS if party != OWN])
def test_a_url_of_a_dialect_asks_for_the_entry_of_our_own(party: str) -> None:
    wanted = Wanted(500, 300, "jpeg", 80)
    assert _key(URLS[party](wanted, "a.jpg")) == _key(URLS[OWN](wanted, "a.jpg"))
    assert _key(URLS[party](wanted, "a.jpg")) != _key(URLS[party](wanted, "b.jpg"))


def report() -> DialectsReport:
    made = DialectsReport(PLAN, "two cores")
    for party, rates in ((OWN, (20_000.0, 9_000.0, 22_000.0)), ("imgproxy", (16_000.0, 18_000.0, 15_000.0))):
        for rate in rates:
            made.results.add(party, "one URL", rate)
    return made


def test_the_table_has_times_and_their_ratio() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report().markdown().splitlines()]
    assert [OWN, "50.0", "1.000", "–", "–"] in rows
    assert ["imgproxy", "62.5", "1.250", "–", "–"] in rows


def test_what_failed_is_named_and_fails_the_run() -> None:
    made = report()
    assert not made.mage_failed
    made.left_out["ipx"] = "answered the status 400"
    assert made.mage_failed
    assert "* Left out: ipx: answered the status 400" in made.markdown()
    assert made.json()["left_out"] == {"ipx": "answered the status 400"}


def test_every_round_is_in_the_json() -> None:
    found = report().json()
    assert found["dialects"] == [
        {"party": OWN, "case": "one URL", "rates": [20_000.0, 9_000.0, 22_000.0], "ratio": 1.0},
        {"party": "imgproxy", "case": "one URL", "rates": [16_000.0, 18_000.0, 15_000.0], "ratio": 1.25},
    ]
    assert dialects._AIM in report().markdown()
