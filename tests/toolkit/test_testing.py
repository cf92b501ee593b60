"""`override_thumbs`: which keys hold, for how long, and what it refuses."""

import asyncio
import unittest
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from thumbs.test import override_thumbs
from thumbs.wiring import overrides, process

BASE: dict[str, Any] = {"STORAGES": [{"name": "photos", "driver": "local", "root": "/"}], "presets": {}, "STRICT": True}
CARD = {"card": {"size": "9x9"}}


@pytest.fixture(autouse=True)
def _base() -> Any:
    with override_settings(THUMBS=BASE):
        yield


def _do_nothing(_: object) -> None:
    pass


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


@pytest.mark.parametrize("key", ["presets", "PRESETS", "Presets"])
def test_a_key_replaces_the_whole_value_however_both_are_spelled(key: str) -> None:
    with override_thumbs(**{key: CARD}):  # type: ignore[arg-type]
        document = process.current().read.document
        assert (list(document.presets), document.strict) == (["card"], True)
    assert settings.THUMBS is BASE
    assert process.current().read.document.presets == {}


def test_keys_of_nested_overrides_add_up() -> None:
    with override_thumbs(presets=CARD), override_thumbs(strict=False):
        document = process.current().read.document
        assert (list(document.presets), document.strict) == (["card"], False)


def test_one_decorator_can_be_used_again_and_within_itself() -> None:
    @override_thumbs(presets=CARD)
    def names(times: int) -> list[str]:
        return names(times - 1) if times else list(process.current().read.document.presets)

    assert names(2) == names(0) == ["card"]
    assert process.current().read.document.presets == {}


def test_a_coroutine_function_has_the_keys_while_it_runs() -> None:
    @override_thumbs(presets=CARD)
    async def names() -> list[str]:
        await asyncio.sleep(0)
        return list(process.current().read.document.presets)

    assert asyncio.run(names()) == ["card"]
    assert overrides.wishes.directories == []


@pytest.mark.parametrize("key", ["preset", "PRESET", "storage_file", "cache_"])
def test_a_key_that_there_is_not_is_refused_with_the_nearest(key: str) -> None:
    with pytest.raises(TypeError, match=rf"THUMBS has no key '{key}'\. (Did you mean|Known here)"):
        override_thumbs(**{key: {}})  # type: ignore[arg-type]


def test_only_test_cases_can_be_decorated_among_classes() -> None:
    with pytest.raises(TypeError, match=r"unittest\.TestCase"):
        override_thumbs(strict=True)(int)


def test_a_class_has_the_keys_from_set_up_class_to_tear_down_class() -> None:
    seen: list[tuple[str, list[str]]] = []

    def note(name: str) -> None:
        seen.append((name, list(process.current().read.document.presets)))

    class Parent(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            note(f"parent of {cls.__name__}")

        @classmethod
        def tearDownClass(cls) -> None:
            note("tear down")

    @override_thumbs(presets=CARD)
    class Case(Parent):
        def test_it(self) -> None:
            note("test")

    class Derived(Case):
        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            note("derived")

    assert run(Case).wasSuccessful()
    assert seen == [(name, ["card"]) for name in ("parent of Case", "test", "tear down")]
    seen.clear()
    assert run(Derived).wasSuccessful()
    assert seen == [(name, ["card"]) for name in ("parent of Derived", "derived", "test", "tear down")]
    assert settings.THUMBS is BASE


@pytest.mark.parametrize("where", ["setUpClass", "setUp", "test_it", "tearDownClass"])
def test_an_exception_anywhere_ends_the_override(where: str) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    method: Any = classmethod(fail) if where.endswith("Class") else fail
    case = type("Case", (unittest.TestCase,), {"test_it": _do_nothing, where: method})
    assert not run(override_thumbs(presets=CARD, cache=True)(case)).wasSuccessful()
    assert settings.THUMBS is BASE
    assert overrides.wishes.directories == []


def test_a_cache_is_that_of_the_innermost_override() -> None:
    def names() -> tuple[str, ...]:
        return process.thumbnailer().storages["photos"].layers.names

    with override_thumbs(cache=True):
        assert names() == ("disk",)
        with override_thumbs():
            assert names() == ()
        assert names() == ("disk",)
