"""Presets of the settings of a peer: one for each name, and none where two names would be one with two meanings."""

from dataclasses import dataclass

from thumbs.toolkit.migration import presets
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.presets import Suggested


def easy(aliases: dict[str, dict[str, dict[str, object]]]) -> Suggested:
    return presets.of_easy(SiteSettings(aliases=aliases))


def test_aliases_that_are_one_preset_with_different_options_are_left_out() -> None:
    made = easy({"": {"Big": {"size": (50, 50)}, "big": {"size": (500, 500)}, "small": {"size": (9, 9)}}})
    assert list(made.presets) == ["small"]
    first, second = made.left
    assert first.startswith("THUMBNAIL_ALIASES['']['Big']: ")
    assert first.endswith("'Big' and 'big' are one preset, 'big', and have different options.")
    assert second.endswith("'big' and 'Big' are one preset, 'big', and have different options.")


def test_aliases_that_are_one_preset_with_the_same_options_are_it() -> None:
    made = easy({"": {"Big": {"size": (50, 0)}}, "shop": {"big": {"size": (50, 0)}}})
    assert (made.presets, made.left) == ({"big": {"size": "50x"}}, [])


def test_rendition_keys_of_one_name_and_different_sizes_are_left_out() -> None:
    sets = {
        "one": [("list", "crop__100x100"), ("hero", "crop__9x9")],
        "two": [("list", "crop__400x400"), ("hero", "crop__9x9")],
        "three": [("List", "crop__100x100")],
    }
    made = presets.of_versatile(SiteSettings(rendition_sets=sets))
    assert made.presets == {"hero": {"size": "9x9"}}
    assert [line.partition(": ")[2] for line in made.left] == [
        "'list' and 'list' are one preset, 'list', and have different options.",
        "'list' and 'List' are one preset, 'list', and have different options.",
    ]


@dataclass
class Resize:
    width: int
    height: int
    upscale: bool = True


class ResizeToFill(Resize):
    pass


class Unknown:
    pass


class Small:
    processors = (ResizeToFill(9, 9),)


class Large:
    processors = (ResizeToFill(900, 900),)


class Odd:
    processors = (Unknown(),)


def test_generators_that_are_one_preset_with_different_options_are_left_out() -> None:
    made = presets.of_imagekit({"shop:thumb": Small, "shop_thumb": Large, "shop:other": Small})
    assert list(made.presets) == ["shop_other"]
    assert made.left == [
        "shop_thumb: 'shop:thumb' and 'shop_thumb' are one preset, 'shop_thumb', and have different options."
    ]


def test_a_generator_that_is_one_preset_with_one_without_an_equivalent_is_left_out() -> None:
    for generators in ({"a:b": Small, "a_b": Odd}, {"a_b": Odd, "a:b": Small}):
        made = presets.of_imagekit(generators)
        assert made.presets == {}
        assert len(made.left) == 2
