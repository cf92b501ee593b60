"""sorl-thumbnail's tag, its options, and what its block reads, as Mage's tag."""

import pytest

from tests.support.migrating import body, left, template

_FORMS = [
    ('"200x100"', '"200x100" fit="contain" upscale="yes"'),
    ('"200"', '"200x" upscale="yes"'),
    ('"x100"', '"x100" upscale="yes"'),
    ('"200x100" crop="center"', '"200x100"'),
    ('"200x100" crop="50%"', '"200x100"'),
    ('"200x100" crop="50% 50%"', '"200x100"'),
    ('"200x100" crop="center center"', '"200x100"'),
    ('"200x100" crop="noop"', '"200x100" fit="contain" upscale="yes"'),
    ('"200x100" crop="top"', '"200x100" gravity="north"'),
    ('"200x100" crop="bottom"', '"200x100" gravity="south"'),
    ('"200x100" crop="left"', '"200x100" gravity="west"'),
    ('"200x100" crop="right"', '"200x100" gravity="east"'),
    ('"200x100" crop="left top"', '"200x100" gravity="northwest"'),
    ('"200x100" crop="100% 100%"', '"200x100" gravity="southeast"'),
    ('"40x40" crop="80% top"', '"40x40" gravity="0.8,0"'),
    ('"200x100" crop="smart"', '"200x100" gravity="entropy"'),
    ('"100" crop="10px 10px" format="PNG"', '"100x" upscale="yes" format="png"'),
    ('"50" crop="bottom"', '"50x" upscale="yes"'),
    ('"200x100" crop="center" upscale=False', '"200x100" upscale="no"'),
    ('"200x100" upscale=False', '"200x100" fit="contain"'),
    ('"200" upscale=False', '"200x"'),
    ('"200x100" crop="center" quality=99', '"200x100" quality=99'),
    ('"200x100" crop="center" quality=page.quality', '"200x100" quality=page.quality'),
    ('"200x100" crop="center" colorspace="GRAY"', '"200x100" grayscale=True'),
    ('"200x100" crop="center" colorspace="RGB"', '"200x100"'),
    ('"200x100" crop="center" orientation=True', '"200x100"'),
    ('"200x100" padding=True', '"200x100" fit="fill,ffffff" upscale="yes"'),
    ('"200x100" padding=True padding_color="#FC0"', '"200x100" fit="fill,fc0" upscale="yes"'),
    ('"200x100" crop="center" padding=True', '"200x100"'),
    ('"200" padding=True', '"200x" upscale="yes"'),
    ('"200x100" crop="center" cropbox="10, 10,200,200"', '"200x100" crop="10,10,200,200"'),
    ('"200x100" crop="center" blur=4', '"200x100" blur=4'),
    ('"200x100" crop="center" blur=0', '"200x100"'),
    ('"200x100" crop="center" format="WEBP"', '"200x100" format="webp"'),
    ('"200x100" crop="center" format="AVIF"', '"200x100" format="avif"'),
    ("'200x100' crop='center' format='GIF'", "'200x100' format='gif'"),
]


@pytest.mark.parametrize(("form", "ours"), _FORMS)
def test_a_geometry_and_options_become_a_size_and_filters(form: str, ours: str) -> None:
    assert body("sorl", f"{{% thumbnail item.image {form} %}}") == f"{{% thumb item.image {ours} %}}"


@pytest.mark.parametrize(("form", "ours"), _FORMS)
def test_a_block_becomes_a_tag_and_a_condition(form: str, ours: str) -> None:
    before = (
        f"{{% thumbnail item.image {form} as im %}}<img src='{{{{ im.url }}}}'>{{% empty %}}none{{% endthumbnail %}}"
    )
    after = (
        f"{{% thumb item.image {ours} as im %}}{{% if im %}}<img src='{{{{ im.url }}}}'>{{% else %}}none{{% endif %}}"
    )
    assert body("sorl", before) == after


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("size", "only when the page is rendered"),
        ('"200x100" crop=crop', "only when the page is rendered"),
        ('"200x100" upscale=grow', "only when the page is rendered"),
        ('"200x100" options=options', "only when the page is rendered"),
        ('"200x100" cropbox=item.box', "only when the page is rendered"),
        ('"200x100" crop="center" format=kind', "not constant"),
        ('"200x100" crop="10px 10px"', "no crop by pixels"),
        ('"200x100" crop="top left"', "no crop of sorl-thumbnail"),
        ('"200x100" rounded=10', "the option rounded"),
        ('"200x100" remove_border=True', "the option remove_border"),
        ('"200x100" orientation=False', "always turns a picture upright"),
        ('"200x100" density=300', "the option density"),
        ('"200x100" authenticate=doc.password', "the option authenticate"),
        ('"200x100" colorspace="CMYK"', "no colorspace CMYK"),
        ('"200x100" crop="center" upscale=False padding=True', "does not pad what it has cropped"),
        ('"200x100" quality=0', "from 1 to 100"),
        ('"200x100" padding=True padding_color="rgb(1,2,3)"', "no color of Mage"),
        ('"200x100" format="TIFF"', "does not write TIFF"),
        ('"200x"', "no geometry of sorl-thumbnail"),
        ("200x100", "syntax of easy-thumbnails"),
        ('"200x100" crop', "not the syntax of sorl-thumbnail"),
        ("", "not the syntax of sorl-thumbnail"),
    ],
)
def test_what_has_no_equivalent_is_left_alone_with_a_reason(form: str, reason: str) -> None:
    (sentence,) = left("sorl", f"{{% thumbnail item.image {form} %}}")
    assert reason in sentence


def test_the_address_of_a_picture_elsewhere_is_left_alone() -> None:
    (sentence,) = left(
        "sorl", '{% thumbnail "https://example.com/logo.png" "40x40" crop="80% top" as im %}{% endthumbnail %}'
    )
    assert "no URL" in sentence


def test_options_that_only_change_the_encoding_are_dropped_with_a_note() -> None:
    done = template("sorl", '{% load thumbnail %}{% thumbnail f "9x9" crop="center" progressive=False flatten=False %}')
    assert done.text == '{% load thumbs %}{% thumb f "9x9" %}'
    assert sorted(note.sentence.split(":")[0] for note in done.notes) == [
        "Converted without flatten",
        "Converted without progressive",
    ]


def test_the_settings_of_the_site_are_the_defaults() -> None:
    assert body("sorl", '{% thumbnail f "9x9" %}', upscale=False) == '{% thumb f "9x9" fit="contain" %}'
    assert body("sorl", '{% thumbnail f "9x9" crop="center" %}', upscale=False) == '{% thumb f "9x9" upscale="no" %}'
    padded = body("sorl", '{% thumbnail f "9x9" %}', padding=True, padding_color="#000")
    assert padded == '{% thumb f "9x9" fit="fill,000" upscale="yes" %}'
    assert body("sorl", '{% thumbnail f "9x9" crop="center" %}', blur=2, colorspace="GRAY") == (
        '{% thumb f "9x9" grayscale=True blur=2 %}'
    )
    assert "upright" in left("sorl", '{% thumbnail f "9x9" %}', orientation=False)[0]


def test_x_and_y_are_width_and_height() -> None:
    before = (
        '{% thumbnail f "9x9" crop="center" as im %}'
        "{% if im.x > 5 %}{{ im.x }}{{ im.y }}{{ imx.x }}{% endif %}{% endthumbnail %}"
    )
    assert body("sorl", before) == (
        '{% thumb f "9x9" as im %}{% if im %}'
        "{% if im.width > 5 %}{{ im.width }}{{ im.height }}{{ imx.x }}{% endif %}{% endif %}"
    )


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ('{{ im|margin:"9x9" }}', "no margins"),
        ('{{ im|background_margin:"9x9" }}', "no margins"),
        ("{% if im|is_portrait %}{% endif %}", "no filter is_portrait"),
        ('{{ im.url|resolution:"2x" }}', "no filter resolution"),
        ("{{ im.ratio }}", "no ratio"),
        ("{{ im.is_portrait }}", "no is_portrait"),
        ("{{ im.size.0 }}", "no size"),
        ("{{ im.name }}", "no name"),
        ("{{ im }}", "was a name"),
    ],
)
def test_a_block_that_reads_more_of_its_picture_is_left_alone_as_a_whole(read: str, reason: str) -> None:
    sentences = left("sorl", f'{{% thumbnail f "9x9" as im %}}{read}{{% empty %}}none{{% endthumbnail %}}')
    assert any(reason in sentence for sentence in sentences)


def test_filters_of_other_pictures_and_texts_are_left_alone() -> None:
    before = '{% if item.image|is_portrait %}{{ text|html_thumbnails }}{{ item.image|margin:"9x9" }}{% endif %}'
    assert len(left("sorl", before)) == 3


def test_a_picture_that_is_passed_on_is_converted_with_a_note() -> None:
    include = '{% include "a.html" with t=im %}'
    done = template(
        "sorl", f'{{% load thumbnail %}}{{% thumbnail f "9x9" crop="center" as im %}}{include}{{% endthumbnail %}}'
    )
    assert done.left == ()
    assert "passes a thumbnail on" in done.notes[0].sentence


def test_a_size_that_may_be_unknown_is_a_note_where_it_is_read() -> None:
    for form, noted in (('"9x9"', True), ('"9"', True), ('"9x9" crop="center"', False), ('"9x9" padding=True', False)):
        for read, reads_size in (("{{ im.x }}", True), ("{{ im.height }}", True), ("{{ im.url }}", False)):
            text = f"{{% load thumbnail %}}{{% thumbnail f {form} as im %}}{read}{{% endthumbnail %}}"
            assert bool(template("sorl", text).notes) == (noted and reads_size), text


def test_nested_blocks_keep_their_own_ends_and_empties() -> None:
    before = (
        '{% thumbnail f "1000" as big %}{% thumbnail f "50x50" crop="center" as small %}'
        "{{ big.url }}{% for a in b %}{% empty %}no b{% endfor %}{% empty %}no small{% endthumbnail %}"
        "{% empty %}no big{% endthumbnail %}"
    )
    assert body("sorl", before) == (
        '{% thumb f "1000x" upscale="yes" as big %}{% if big %}{% thumb f "50x50" as small %}{% if small %}'
        "{{ big.url }}{% for a in b %}{% empty %}no b{% endfor %}{% else %}no small{% endif %}"
        "{% else %}no big{% endif %}"
    )


def test_a_name_that_is_read_outside_of_its_block_keeps_its_meaning_there() -> None:
    before = '{% thumbnail image "9x9" crop="center" as image %}{{ image.url }}{% endthumbnail %}{{ image.title }}'
    assert body("sorl", before) == (
        '{% with image=image %}{% thumb image "9x9" as image %}{% if image %}{{ image.url }}{% endif %}{% endwith %}'
        "{{ image.title }}"
    )


def test_the_name_of_a_template_block_is_no_use_of_a_variable() -> None:
    before = '{% block im %}{% thumbnail f "9x9" crop="center" as im %}{{ im.url }}{% endthumbnail %}{% endblock im %}'
    assert "{% with" not in body("sorl", before)


def test_a_nested_block_of_the_same_name_does_not_change_the_outer_one() -> None:
    before = (
        '{% thumbnail a "9x9" crop="center" as im %}{% thumbnail b "5x5" crop="center" as im %}{{ im.url }}'
        "{% endthumbnail %}{{ im.url }}{% endthumbnail %}"
    )
    assert body("sorl", before) == (
        '{% thumb a "9x9" as im %}{% if im %}{% with im=im %}{% thumb b "5x5" as im %}{% if im %}{{ im.url }}'
        "{% endif %}{% endwith %}{{ im.url }}{% endif %}"
    )


def test_filters_and_texts_with_spaces_stay_one_argument() -> None:
    before = """{% thumbnail item.image|default:'no picture.jpg' "9x9" crop="center" %}"""
    assert body("sorl", before) == """{% thumb item.image|default:'no picture.jpg' "9x9" %}"""


def test_a_block_without_its_end_is_left_alone() -> None:
    assert left("sorl", '{% thumbnail f "9x9" as im %}{{ im.url }}') == ["It has no {% endthumbnail %}."]
