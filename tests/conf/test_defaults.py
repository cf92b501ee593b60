"""Each limit and each default has one definition."""

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.support.modules import trees, within
from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.conf.keys import nested, number, read, whole
from thumbs.image import limits
from thumbs.image.geometry import OutputLimits
from thumbs.problems import Problem
from thumbs.render.values import RenderLimits, SourceLimits
from thumbs.sources.s3.settings import S3Http

LIMITS = {name: value for name, value in vars(limits).items() if name.isupper()}
# Smaller numbers, and 64 MiB, mean other things elsewhere.
# 65,535 is the largest port as well.
DISTINCT = {
    value for name, value in LIMITS.items() if value > 5000 and name not in ("MAX_SOURCE_BYTES", "MAX_SOURCE_SIDE")
}
# Values that say nothing by themselves, so that two fields may have them for reasons of their own.
PLAIN = (None, True, False, 0, 1, "")


def _modules() -> Iterator[tuple[str, ast.Module]]:
    return ((name, tree) for name, tree in trees().items() if within(name, "thumbs"))


def _value(node: ast.expr) -> object:
    """The value of an expression of literals alone; None for any other."""
    if isinstance(node, ast.Constant):  # of most, without a compilation of each
        return node.value
    if not all(isinstance(part, ast.Constant | ast.BinOp | ast.operator) for part in ast.walk(node)):
        return None
    return eval(compile(ast.Expression(node), "literal", "eval"))


def test_no_limit_is_written_in_two_modules() -> None:
    found = defaultdict(set)
    for name, tree in _modules():
        for node in ast.walk(tree):
            value = _value(node) if isinstance(node, ast.Constant | ast.BinOp) else None
            if isinstance(value, int | float) and value in DISTINCT:
                found[value].add(name)
    assert {value: names for value, names in found.items() if names != {"thumbs.image.limits"}} == {}
    assert found.keys() >= DISTINCT


def _defaults(tree: ast.Module) -> Iterator[tuple[str, str, object]]:
    """Class, field and default of each field with a literal default, given directly or to a function of a field."""
    for cls in ast.walk(tree):
        if not isinstance(cls, ast.ClassDef):
            continue
        for node in cls.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name) or node.value is None:
                continue
            given: ast.expr = node.value
            if isinstance(given, ast.Call):
                given = next((each.value for each in given.keywords if each.arg == "default"), given)
            yield cls.name, node.target.id, _value(given)


def test_no_two_classes_write_the_same_default_of_one_field() -> None:
    found = defaultdict(set)
    for name, tree in _modules():
        for cls, field, value in _defaults(tree):
            if value not in PLAIN:
                found[field, value].add(f"{name}: {cls}")
    assert {default: places for default, places in found.items() if len(places) > 1} == {}


def test_the_configuration_and_the_value_classes_start_from_the_same_limits() -> None:
    of_conf = LimitsConf()
    assert of_conf.output == OutputLimits() == OutputLimits(limits.MAX_SIDE, limits.MAX_OUTPUT_PIXELS)
    source = SourceLimits(
        of_conf.max_source_pixels, of_conf.max_whole_pixels, of_conf.max_frames, of_conf.max_animation_pixels
    )
    assert source == SourceLimits()
    assert RenderLimits() == RenderLimits(
        source, of_conf.output, of_conf.max_avif_pixels, of_conf.max_gif_pixels, of_conf.render_seconds
    )
    assert (of_conf.max_source_bytes, of_conf.fetch_seconds) == (limits.MAX_SOURCE_BYTES, limits.FETCH_SECONDS)


def test_a_value_class_of_another_room_is_read_with_its_own_defaults() -> None:
    kinds = {name: number(0) for name in S3Http.__slots__} | {"max_idle_conns": whole(1)}
    problems: list[Problem] = []
    made = nested(S3Http, **kinds).read({"max_idle_conns": 0, "connect_timeout_sec": 3}, "a", problems)  # type: ignore[attr-defined]
    assert made == S3Http(connect_timeout_sec=3)
    assert [problem.where for problem in problems] == ["a.max_idle_conns"]


def test_a_value_class_without_a_kind_for_each_field_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="S3Http"):
        nested(S3Http, max_idle_conns=whole(1))


def test_problems_come_in_the_order_of_the_keys() -> None:
    problems: list[Problem] = []
    read(StorageConf, {"root": 1, "name": "a", "limits": {"max_side": 0, "renders": 1}, "x": 1}, "s", problems)
    assert [problem.where for problem in problems] == [
        "s.x",
        "s.driver",
        "s.root",
        "s.limits.renders",
        "s.limits.max_side",
    ]
