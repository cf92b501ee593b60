"""The templates of django-imagekit, django-pictures, django-versatileimagefield and wagtail."""

import pytest

from tests.support.migrating import LOADS, body, left, template


@pytest.mark.parametrize(
    ("form", "ours"),
    [
        ("'100x50' f", "f '100x50' upscale='no' gravity='entropy'"),
        ('"100x50" f', 'f "100x50" upscale="no" gravity="entropy"'),
        ('"100x" f', 'f "100x"'),
        ('"x50" f', 'f "x50"'),
        ('"100x50" f anchor="tr"', 'f "100x50" upscale="no" gravity="northeast"'),
        ('"100x50" f anchor="c"', 'f "100x50" upscale="no"'),
        ('"100x50" f anchor="auto"', 'f "100x50" upscale="no" gravity="entropy"'),
        ('"100x50" f crop=0', 'f "100x50" fit="contain"'),
        ('"100x50" f crop=False', 'f "100x50" fit="contain"'),
        ('"100x50" f crop=1', 'f "100x50" upscale="no"'),
        ('"100x50" f upscale=True', 'f "100x50" gravity="entropy"'),
        ('"100x50" f format="PNG"', 'f "100x50" upscale="no" gravity="entropy" format="png"'),
        ('"imagekit:thumbnail" "100x" f', 'f "100x"'),
    ],
)
def test_imagekits_thumbnail_is_an_image_or_a_value(form: str, ours: str) -> None:
    assert body("imagekit", f"{{% thumbnail {form} %}}") == f"{{% thumb_img {ours} %}}"
    assert body("imagekit", f"{{% thumbnail {form} as th %}}{{{{ th.url }}}}") == (
        f"{{% thumb {ours} as th %}}{{{{ th.url }}}}"
    )


def test_imagekits_attributes_are_attributes() -> None:
    before = '{% thumbnail "100x" f -- alt="A picture of Me" id="mypicture" data-x=page.x %}'
    assert body("imagekit", before) == '{% thumb_img f "100x" alt="A picture of Me" id="mypicture" data_x=page.x %}'


def test_imagekits_srcset_is_that_of_a_picture() -> None:
    for text, srcset in (
        ("{% thumbnail '9x9' f crop=0 srcset='2 3' %}", ()),
        ("{% thumbnail '9x9' f crop=0 %}", (2, 3)),
    ):
        done = template("imagekit", LOADS["imagekit"] + text, srcset=srcset)
        assert done.text == "{% load thumbs %}{% thumb_picture f '9x9' fit='contain' densities=\"1 2 3\" %}"
        assert "<picture>" in done.notes[0].sentence
    assert body("imagekit", "{% thumbnail '9x9' f crop=0 srcset=None %}", srcset=(2,)) == (
        "{% thumb_img f '9x9' fit='contain' %}"
    )


def test_imagekits_generators_are_presets() -> None:
    done = template("imagekit", LOADS["imagekit"] + "{% generateimage 'myapp:thumbnail' source=f -- alt='x' %}")
    assert done.text == "{% load thumbs %}{% thumb_img f 'myapp_thumbnail' alt='x' %}"
    assert "--presets" in done.notes[0].sentence
    before = "{% generateimage 'imagekit:thumbnail' source=f width=100 height=50 crop=1 as th %}{{ th.width }}"
    assert body("imagekit", before) == "{% thumb f '100x50' upscale='no' as th %}{{ th.width }}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% thumbnail size f %}", "only when the page is rendered"),
        ("{% thumbnail '9x9' f srcset=scales %}", "densities from 1 to 4"),
        ("{% thumbnail '9x9' f srcset='9' %}", "densities from 1 to 4"),
        ("{% thumbnail '9x9' f srcset='2' as t %}", "no srcset beside"),
        ("{% thumbnail '9x9' f anchor=where %}", "only when the page is rendered"),
        ("{% thumbnail '9x' f anchor='t' %}", "to two sides only"),
        ("{% thumbnail 'my:own' '9x9' f %}", "site's own"),
        ("{% thumbnail '9x9' f dpi=3 %}", "the option dpi"),
        ("{% thumbnail '9x9' f -- width=5 %}", "sets itself"),
        ("{% thumbnail '9x9' f as th %}{{ th.name }}", "no name"),
        ("{% thumbnail '9x9' %}", "not the syntax"),
        ("{% generateimage spec source=f %}", "only when the page is rendered"),
        ("{% generateimage 'a:b' source=f size=3 %}", "arguments of its own"),
    ],
)
def test_what_imagekit_has_alone_is_left_alone(text: str, reason: str) -> None:
    (sentence,) = left("imagekit", text)
    assert reason in sentence


@pytest.mark.parametrize(
    ("form", "ours"),
    [
        ('img_alt="x" ratio="16/9" m=6 l=4', 'ratio="16/9" grid="m6 l4" alt="x"'),
        ('img_alt="Spiderman" img_loading="lazy" m=6 l=4', 'grid="m6 l4" alt="Spiderman"'),
        ("", 'grid="xs12"'),
        ('"Spiderman" "3/2"', 'ratio="3/2" grid="xs12" alt="Spiderman"'),
        ("img_alt=p.title ratio=p.ratio l=4 m=6", 'ratio=p.ratio grid="m6 l4" alt=p.title'),
        ('img_class="a" img_loading="eager" ratio=None', 'grid="xs12" class="a" loading="eager"'),
        ("container=1200 xl=3", 'grid="xl3"'),
    ],
)
def test_a_picture_of_django_pictures_is_a_thumb_picture(form: str, ours: str) -> None:
    assert body("pictures", f"{{% picture p.picture {form} %}}") == f"{{% thumb_picture p.picture {ours} %}}"


def test_a_change_below_the_first_breakpoint_is_a_note() -> None:
    done = template("pictures", LOADS["pictures"] + "{% picture f xs=6 l=4 %}")
    assert done.text.endswith('{% thumb_picture f grid="xs6 l4" %}')
    assert "Below the breakpoint xs" in done.notes[0].sentence
    assert template("pictures", LOADS["pictures"] + "{% picture f xs=12 %}{% picture f m=3 %}").notes == ()


def test_the_url_of_django_pictures_is_the_next_file_of_its_grid() -> None:
    assert body("pictures", "{% img_url p.picture ratio='3/2' file_type='webp' width=800 %}") == (
        '{% thumb p.picture "800x533" upscale="no" format="webp" %}'
    )
    assert (
        body("pictures", '{% img_url p.picture "avif" 750 as u %}') == '{% thumb p.picture "800x" format="avif" as u %}'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{% picture p.picture picture_class="a" %}', "for the <picture>"),
        ("{% picture p.picture container=900 %}", "one container width"),
        ("{% picture p.picture m=columns %}", "only when the page is rendered"),
        ("{% picture p.picture img_width=5 %}", "itself"),
        ("{% picture p.picture m=13 %}", "from 1 to 12"),
        ("{% picture p.picture huge=5 %}", "no breakpoint"),
        ("{% picture %}", "not the syntax"),
        ('{% img_url p.picture "webp" width %}', "only when the page is rendered"),
    ],
)
def test_what_django_pictures_has_alone_is_left_alone(text: str, reason: str) -> None:
    (sentence,) = left("pictures", text)
    assert reason in sentence


def test_a_grid_of_other_columns_or_breakpoints_is_that_of_the_site() -> None:
    assert "twelve" in left("pictures", "{% picture f m=6 %}", pictures={"GRID_COLUMNS": 16})[0]
    changed = body("pictures", "{% picture f tablet=6 %}", pictures={"BREAKPOINTS": {"phone": 1, "tablet": 2}})
    assert changed == '{% thumb_picture f grid="tablet6" %}'


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("{{ i.image.crop.400x300 }}", '{% thumb i.image "400x300" %}'),
        ("{{ i.image.crop.400x300.url }}", '{% thumb i.image "400x300" %}'),
        ("{{ i.image.thumbnail.100x100.url }}", '{% thumb i.image "100x100" fit="contain" %}'),
        ('<img src="{{i.image.thumbnail.100x100}}">', '<img src="{% thumb i.image "100x100" fit="contain" %}">'),
    ],
)
def test_sizes_of_a_versatile_image_field_are_tags(text: str, ours: str) -> None:
    assert body("versatile", text) == ours


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ i.image.filters.invert.url }}", "no filter of VersatileImageField"),
        ("{{ i.image.filters.invert.thumbnail.100x100 }}", "no filter of VersatileImageField"),
        ("{{ i.image.hexagon.100x100 }}", "The sizer hexagon"),
        ("{{ i.image.crop.100x100.name }}", "no name"),
        ("{{ i.image.crop.100x100|upper }}", "part of an expression"),
        ("{% with u=i.image.crop.100x100.url %}{{ u }}{% endwith %}", "part of an expression"),
        ("{{ i.image.ppoi.0 }}", "FocalPointField"),
    ],
)
def test_what_a_versatile_image_field_has_alone_is_left_alone(text: str, reason: str) -> None:
    (sentence,) = left("versatile", text)
    assert reason in sentence


def test_other_variables_are_no_sizes() -> None:
    text = '{{ a.crop }}{{ a.filters.color }}{{ "i.image.crop.400x300" }}{{ a.thumbnail.url }}'
    assert template("versatile", text).text == text
    assert template("versatile", text).left == ()


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("{% image page.photo fill-400x300-c50 %}", 'thumb(page.photo.file, "400x300", gravity=focus_of(page.photo))'),
        ('{% image page.photo max-320x200 class="a" %}', 'thumb(page.photo.file, "320x200", fit="contain")'),
        ("{% image page.photo width-400 as p %}", 'thumb(page.photo.file, "400x")'),
        ("{% image page.photo height-480 format-webp %}", 'thumb(page.photo.file, "x480", format="webp")'),
        ("{% image page.photo original %}", 'thumb(page.photo.file, "x")'),
        ("{% image page.photo width-400 jpegquality-40 %}", 'thumb(page.photo.file, "400x", quality=40)'),
        ("{% image page.photo width-400 bgcolor-fff %}", 'thumb(page.photo.file, "400x", background="fff")'),
        ("{% image page.photo min-500x200 %}", "no equivalent of min"),
        ("{% image page.photo scale-50 %}", "no equivalent of scale"),
        ("{% srcset_image page.photo width-{400,800} sizes='100vw' %}", "thumb_picture page.photo.file"),
        ("{% picture page.photo format-{avif,webp} width-400 %}", "thumb_picture page.photo.file"),
        (
            '{% image_url page.photo "fill-400x300" %}',
            'thumb(page.photo.file, "400x300", gravity=focus_of(page.photo))',
        ),
    ],
)
def test_wagtails_tags_are_left_alone_with_a_line_to_take(text: str, ours: str) -> None:
    (sentence,) = left("wagtail", text)
    assert sentence.startswith("wagtail's tags are left alone.")
    assert ours in sentence
