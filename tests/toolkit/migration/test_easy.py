"""easy-thumbnails' tag, its filters and aliases, as Mage's tags and presets."""

import pytest

from tests.support.migrating import LOADS, body, left, python, template

_ALIASES = {
    "": {
        "small": {"size": (100, 100), "crop": True},
        "Wide Banner": {"size": (800, 0)},
        "gray": {"size": (50, 50), "bw": True},
    },
    "shop.Product": {"odd": {"size": (10, 10)}},
    "shop.Brand": {"odd": {"size": (20, 20)}},
}

_AVATAR = {"": {"avatar": {"size": (50, 50), "crop": True}}}


@pytest.mark.parametrize(
    ("form", "ours"),
    [
        ("50x50", '"50x50" fit="contain"'),
        ("'50x50'", "'50x50' fit='contain'"),
        ("0x300", '"x300"'),
        ("300x0", '"300x"'),
        ("300x0 upscale", '"300x" upscale="yes"'),
        ("50x50 crop", '"50x50" upscale="no"'),
        ("50x50 crop=True", '"50x50" upscale="no"'),
        ("50x50 crop=1", '"50x50" upscale="no"'),
        ("50x50 crop=False", '"50x50" fit="contain"'),
        ("50x50 crop upscale", '"50x50"'),
        ("50x50 upscale", '"50x50" fit="contain" upscale="yes"'),
        ('50x50 crop="smart" upscale', '"50x50" gravity="entropy"'),
        ('50x50 crop=",0" upscale', '"50x50" gravity="north"'),
        ('50x50 crop=",-0" upscale', '"50x50" gravity="south"'),
        ('50x50 crop="0," upscale', '"50x50" gravity="west"'),
        ('50x50 crop="0,0" upscale', '"50x50" gravity="northwest"'),
        ('50x50 crop="-0,-0" upscale', '"50x50" gravity="southeast"'),
        ('50x50 crop target="10,20" upscale', '"50x50" gravity="0.1,0.2"'),
        ('50x50 crop target=",60" upscale', '"50x50" gravity="0.5,0.6"'),
        ("50x50 crop upscale quality=90", '"50x50" quality=90'),
        ("50x50 crop upscale quality=page.q", '"50x50" quality=page.q'),
        ("50x50 crop upscale bw", '"50x50" grayscale=True'),
        ("50x50 crop upscale sharpen", '"50x50" sharpen=0.8'),
        ("50x50 crop upscale autocrop", '"50x50" trim="0,ffffff"'),
        ('50x50 crop upscale replace_alpha="#fff"', '"50x50" background="fff"'),
        ('50x50 background="#fc0"', '"50x50" fit="fill,fc0"'),
        ('50x0 background="#fc0"', '"50x"'),
    ],
)
def test_a_size_and_options_become_a_size_and_filters(form: str, ours: str) -> None:
    assert body("easy", f"{{% thumbnail p.photo {form} %}}") == f"{{% thumb p.photo {ours} %}}"
    assert body("easy", f"{{% thumbnail p.photo {form} as t %}}{{{{ t.url }}}}") == (
        f"{{% thumb p.photo {ours} as t %}}{{{{ t.url }}}}"
    )


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("size", "only when the page is rendered"),
        ("50x50 crop=how", "only when the page is rendered"),
        ("50x50 upscale=grow", "only when the page is rendered"),
        ("50x50 crop target=point", "only when the page is rendered"),
        ('50x50 crop="scale"', 'no crop="scale"'),
        ('50x50 crop="-10,-0"', "at a distance from the edge"),
        ("50x50 crop zoom=40", "no zoom"),
        ("50x50 detail", "no filter for details"),
        ("50x50 watermark=logo", "the option watermark"),
        ('50x50 crop background="#fff"', "does not pad what it has cropped"),
        ('50x50 replace_alpha="rgb(1,2,3)"', "no color of Mage"),
        ('"100"', "no size of easy-thumbnails"),
        ("50x50 crop as", "syntax of easy-thumbnails"),
        ("", "syntax of easy-thumbnails"),
    ],
)
def test_what_has_no_equivalent_is_left_alone_with_a_reason(form: str, reason: str) -> None:
    (sentence,) = left("easy", f"{{% thumbnail p.photo {form} %}}")
    assert reason in sentence


def test_options_that_only_change_the_encoding_are_dropped_with_a_note() -> None:
    done = template("easy", "{% load thumbnail %}{% thumbnail f 9x9 crop upscale subsampling=0 keep_icc_profile %}")
    assert done.text == '{% load thumbs %}{% thumb f "9x9" %}'
    assert len(done.notes) == 2


def test_aliases_are_presets_by_the_name_that_a_url_can_have() -> None:
    assert body("easy", '{% thumbnail f "small" %}', aliases=_ALIASES) == '{% thumb f "small" %}'
    assert body("easy", "{{ f|thumbnail_url:'small' }}", aliases=_ALIASES) == "{% thumb f 'small' %}"
    assert body("easy", '{{ f|thumbnail_url:"Wide Banner" }}', aliases=_ALIASES) == '{% thumb f "wide_banner" %}'


def test_options_beside_an_alias_are_written_beside_the_preset() -> None:
    changed = body("easy", '{% thumbnail f "small" crop="smart" quality=60 %}', aliases=_ALIASES)
    assert changed == '{% thumb f "small" gravity="entropy" quality=60 %}'
    contained = body("easy", '{% thumbnail f "small" crop=False upscale %}', aliases=_ALIASES)
    assert contained == '{% thumb f "small" fit="contain" upscale="yes" %}'
    grown = body("easy", '{% thumbnail f "small" upscale %}', aliases=_ALIASES)
    assert grown == '{% thumb f "small" upscale="yes" %}'
    cropped = body("easy", '{% thumbnail f "gray" crop %}', aliases=_ALIASES)
    assert cropped == '{% thumb f "gray" upscale="no" fit="cover" %}'
    assert "grayscale back" in left("easy", '{% thumbnail f "gray" bw=False %}', aliases=_ALIASES)[0]


def test_the_default_options_of_the_site_are_part_of_every_thumbnail() -> None:
    defaults = {"bw": True, "target": (10, None), "subsampling": 0}
    assert body("easy", "{% thumbnail f 9x9 crop upscale %}", default_options=defaults) == (
        '{% thumb f "9x9" gravity="0.1,0.5" grayscale=True %}'
    )
    assert (
        body("easy", "{% thumbnail f 9x9 bw=False %}", default_options=defaults) == '{% thumb f "9x9" fit="contain" %}'
    )
    assert "no zoom" in left("easy", "{% thumbnail f 9x9 %}", default_options={"zoom": 20})[0]


def test_an_alias_that_the_settings_do_not_have_is_converted_with_a_note() -> None:
    done = template("easy", LOADS["easy"] + '{{ f|thumbnail_url:"small" }}')
    assert done.text.endswith('{% thumb f "small" %}')
    assert "THUMBNAIL_ALIASES has none" in done.notes[0].sentence


def test_an_alias_with_two_meanings_is_left_alone() -> None:
    assert "different options" in left("easy", '{{ f|thumbnail_url:"odd" }}', aliases=_ALIASES)[0]
    assert "different options" in left("easy", '{% thumbnail f "odd" %}', aliases=_ALIASES)[0]


def test_aliases_that_are_one_preset_with_different_options_are_left_alone() -> None:
    aliases = {"": {"Big": {"size": (50, 50)}, "big": {"size": (500, 500)}, "BIG ": {"size": (50, 50)}}}
    for alias in ("Big", "big"):
        for tag in (f'{{% thumbnail f "{alias}" %}}', f'{{{{ f|thumbnail_url:"{alias}" }}}}'):
            (sentence,) = left("easy", tag, aliases=aliases)
            assert "are one preset, 'big', and have different options" in sentence
        item = f"{{{{ p.f.{alias}.url }}}}"
        done = template("easy", item, aliases=aliases)
        assert done.text == item
        assert "are one preset, 'big'" in done.left[0].sentence
    code = 'from easy_thumbnails.files import get_thumbnailer\nurl = get_thumbnailer(f)["Big"].url\n'
    done = python("easy", code, aliases=aliases)
    assert done.text == code
    assert "are one preset, 'big'" in done.left[-1].sentence
    assert "are one preset, 'big'" in python("easy", 'url = p.photo["Big"].url\n', aliases=aliases).left[0].sentence
    same = {"": {"Big": {"size": (50, 50)}}, "shop": {"big": {"size": (50, 50)}}}
    assert body("easy", '{% thumbnail f "Big" %}', aliases=same) == '{% thumb f "big" %}'


def test_a_filter_before_the_alias_stays() -> None:
    assert body("easy", '{{ p.photo|default:q.photo|thumbnail_url:"small" }}', aliases=_ALIASES) == (
        '{% thumb p.photo|default:q.photo "small" %}'
    )


@pytest.mark.parametrize(
    "text",
    [
        '{% if f|thumbnail_url:"small" %}{% endif %}',
        '{% include "a.html" with url=f|thumbnail_url:"small" %}',
        '{{ f|thumbnail_url:"small"|upper }}',
        "{{ f|thumbnail_url:alias }}",
        "{{ f|data_uri }}",
        "{% with f=p.photo|thumbnailer_passive %}{{ f.small.url }}{% endwith %}",
    ],
)
def test_filters_inside_expressions_are_left_alone(text: str) -> None:
    assert left("easy", text)


def test_items_of_a_thumbnailer_become_tags() -> None:
    before = (
        "{% with photo=person.photo|thumbnailer %}{% if photo %}"
        '<a href="{{ photo.large.url }}">{{ photo.square.tag }}</a>{% endif %}{% endwith %}'
    )
    aliases = {"": {"large": {"size": (9, 9)}, "square": {"size": (5, 5)}}}
    assert body("easy", before, aliases=aliases) == (
        "{% with photo=person.photo %}{% if photo %}"
        '<a href="{% thumb photo "large" %}">{% thumb_img photo "square" %}</a>{% endif %}{% endwith %}'
    )


def test_a_thumbnailer_that_is_read_otherwise_is_left_alone() -> None:
    before = "{% with photo=person.photo|thumbnailer %}{{ photo.small.url }}{{ photo.name }}{% endwith %}"
    assert any("It reads a thumbnailer" in sentence for sentence in left("easy", before))


def test_items_of_a_thumbnailer_that_stays_stay_too() -> None:
    for start in ("photo=person.photo|thumbnailer_passive", "person.photo|thumbnailer as photo"):
        assert left("easy", f"{{% with {start} %}}{{{{ photo.small.url }}}}{{% endwith %}}", aliases=_ALIASES)
    before = "{% with photo=person.photo|thumbnailer %}{{ photo.small.url }}{{ photo.name }}{% endwith %}"
    assert left("easy", before, aliases=_ALIASES)


def test_items_of_a_field_become_tags_where_the_settings_have_the_alias() -> None:
    assert template("easy", "{{ p.photo.small.url }}", aliases=_ALIASES).text == (
        '{% load thumbs %}{% thumb p.photo "small" %}'
    )
    assert template("easy", "{{ p.photo.medium.url }}", aliases=_ALIASES).text == "{{ p.photo.medium.url }}"


def test_an_item_that_becomes_a_tag_is_a_note() -> None:
    for item in ("{{ p.photo.small.url }}", "{{ p.photo.small.tag }}"):
        (note,) = template("easy", item, aliases=_ALIASES).notes
        assert (note.code, note.sentence) == (item, "Converted as the alias small of a file: p.photo must be one.")
    assert template("easy", "{{ p.photo.medium.url }}", aliases=_ALIASES).notes == ()


def test_an_item_with_the_name_of_a_file_field_is_left_alone_with_the_tag_that_it_may_be() -> None:
    done = template("easy", "{{ user.avatar.url }}", aliases=_AVATAR, file_fields=frozenset({"avatar"}))
    assert (done.text, done.notes) == ("{{ user.avatar.url }}", ())
    assert "a file field avatar" in done.left[0].sentence
    assert '{% thumb user "avatar" %} does it' in done.left[0].sentence
    done = template("easy", "{{ user.photo.avatar.tag }}", aliases=_AVATAR, file_fields=frozenset({"avatar"}))
    assert (done.left, done.text) == ((), '{% load thumbs %}{% thumb_img user.photo "avatar" %}')
    of_a_thumbnailer = "{% with f=user.photo|thumbnailer %}{{ f.avatar.url }}{% endwith %}"
    assert body("easy", of_a_thumbnailer, aliases=_AVATAR, file_fields=frozenset({"avatar"})) == (
        '{% with f=user.photo %}{% thumb f "avatar" %}{% endwith %}'
    )


def test_what_is_read_of_a_thumbnail_is_read_of_mages() -> None:
    before = "{% thumbnail f 9x9 as t %}{{ t.width }}{{ t.tag }}{% thumbnail g 9x9 as t %}{{ t.tag }}"
    assert body("easy", before) == (
        '{% thumb f "9x9" fit="contain" as t %}{{ t.width }}{{ t.img }}'
        '{% thumb g "9x9" fit="contain" as t %}{{ t.img }}'
    )
    assert "no data URI" not in left("easy", "{% thumbnail f 9x9 as t %}{{ t.name }}")[0]
    assert "data URI" in left("easy", "{% thumbnail f 9x9 as t %}{{ t|data_uri }}")[0]


def test_a_size_that_may_be_unknown_is_a_note_where_it_is_read() -> None:
    assert template("easy", "{% load thumbnail %}{% thumbnail f 9x9 crop upscale as t %}{{ t.width }}").notes == ()
    assert template("easy", "{% load thumbnail %}{% thumbnail f 9x9 crop as t %}{{ t.url }}").notes == ()
    (note,) = template("easy", "{% load thumbnail %}{% thumbnail f 9x9 crop as t %}{{ t.width }}{{ t.height }}").notes
    assert "width_field" in note.sentence


def test_the_syntax_of_sorl_thumbnail_is_left_alone() -> None:
    before = '{% thumbnail f "100x100" crop="center" as im %}{{ im.url }}{% endthumbnail %}'
    assert "sorl-thumbnail" in left("easy", before)[0]
