"""The report of what a URL in a page costs beside `reverse()` and the peers."""

from bench.report import Plan
from bench.tag_calls import REVERSE, measured
from bench.tags import TagsReport

PLAN = Plan(rounds=3, seconds=1.0, kinds=frozenset(), peers=frozenset(), against={})


def report() -> TagsReport:
    times = {
        REVERSE: [20e-6, 10e-6, 90e-6],
        "thumb": [10e-6, 9e-6, 11e-6],
        "{% thumb %}": [15e-6] * 3,
        "sorl-thumbnail": [200e-6] * 3,
        "django-imagekit": [100e-6] * 3,
        "sorl-thumbnail, tag": [300e-6] * 3,
    }
    return TagsReport(PLAN, "two cores", times, {"sorl-thumbnail": "13"}, {"easy-thumbnails": "it is not installed"})


def _rows(made: TagsReport) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in made.markdown().splitlines()]


def test_each_call_has_its_ratios_to_reverse_and_to_the_cheapest_peer_of_its_kind() -> None:
    rows = _rows(report())
    assert ["thumb", "10.0", "0.500", "0.100"] in rows
    assert ["{% thumb %}", "15.0", "0.750", "0.050"] in rows
    assert "* Left out: easy-thumbnails: it is not installed" in report().markdown()
    assert not report().mage_failed


def test_without_peers_there_is_no_ratio_to_them() -> None:
    made = report()
    made.times = {name: made.times[name] for name in (REVERSE, "thumb")}
    assert ["thumb", "10.0", "0.500", "–"] in _rows(made)
    assert TagsReport(PLAN, "two cores").mage_failed


def test_every_round_is_in_the_json() -> None:
    found = report().json()["tags"]
    assert isinstance(found, list)
    assert found[1] == {"call": "thumb", "seconds": [10e-6, 9e-6, 11e-6], "reverse": 0.5, "cheapest": 0.1}


def test_the_order_of_the_calls_alternates() -> None:
    made: list[str] = []
    times = measured({"a": lambda: made.append("a"), "b": lambda: made.append("b")}, 3, 1e-9)
    assert made[-6:] == ["b", "a", "a", "b", "b", "a"]
    assert {name: len(each) for name, each in times.items()} == {"a": 3, "b": 3}
