"""Rules that concern more than one key of a storage's cache, each with its place and its sentence."""

import pytest

from thumbs.conf.loading import load

WITHOUT = "has no effect without any cache layer enabled."


@pytest.mark.parametrize(
    ("cache", "where", "sentence"),
    [
        (
            {"disk": {"enabled": True, "alias": "default", "dir": "/d"}},
            "disk.alias",
            "and dir exclude each other.",
        ),
        (
            {"memory": {"enabled": True, "alias": "default", "max_size_mb": 4}},
            "memory.alias",
            "and max_size_mb exclude each other: the alias has its own size.",
        ),
        ({"memory": {"alias": "default"}}, "memory.alias", 'has no effect without "enabled": true in cache.memory.'),
        ({"disk": {"alias": "default"}}, "disk.alias", 'has no effect without "enabled": true in cache.disk.'),
        ({"sources": True}, "sources", WITHOUT),
        ({"disk": {"stale_seconds": 60}}, "disk.stale_seconds", WITHOUT),
    ],
)
def test_keys_that_contradict_each_other_or_have_no_effect_are_named(
    cache: dict[str, object], where: str, sentence: str
) -> None:
    storage = {"name": "photos", "driver": "local", "root": "/", "allowed_sizes": ["9x9"], "cache": cache}
    (problem,) = load({"STORAGES": [storage]}).problems
    assert problem.where == f"storages[photos].cache.{where}"
    assert problem.sentence == sentence


@pytest.mark.parametrize(
    "cache",
    [
        {"disk": {"enabled": True, "alias": "default"}},
        {"memory": {"enabled": True, "alias": "default"}, "sources": True, "disk": {"stale_seconds": 60}},
        {"memory": {"enabled": False, "alias": "default"}},
        {"shared": {"alias": "default"}, "sources": True, "disk": {"stale_seconds": 60}},
        {"disk": {"enabled": True, "dir": "/d", "stale_seconds": 60}, "sources": True},
    ],
)
def test_keys_that_go_together_are_no_problem(cache: dict[str, object]) -> None:
    storage = {"name": "photos", "driver": "local", "root": "/", "allowed_sizes": ["9x9"], "cache": cache}
    assert load({"STORAGES": [storage]}).problems == ()
