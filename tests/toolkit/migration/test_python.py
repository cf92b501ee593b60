"""Calls and fields in Python code: changed where the result is only read, else listed."""

import pytest

from tests.support.migrating import python

_SORL = "from sorl.thumbnail import get_thumbnail\n"
_OURS = "from thumbs import thumb\n"
_EASY = "from easy_thumbnails.files import get_thumbnailer\n"


def changed(peer: str, text: str, **settings: object) -> str:
    done = python(peer, text, **settings)
    assert done.left == ()
    return done.text


def reasons(peer: str, text: str) -> str:
    done = python(peer, text)
    assert done.text == text
    return " ".join(remark.sentence for remark in done.left)


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        ("get_thumbnail(f, '100x100', crop='center', quality=99).url", 'thumb(f, "100x100", quality=99).url'),
        (
            'get_thumbnail(f, "100x100", quality=99).url',
            'thumb(f, "100x100", fit="contain", upscale="yes", quality=99).url',
        ),
        (
            'get_thumbnail(a.b(c), "9x9", crop="smart", quality=q).x',
            'thumb(a.b(c), "9x9", gravity="entropy", quality=q).width',
        ),
    ],
)
def test_a_call_whose_result_is_read_is_one_of_thumb(call: str, ours: str) -> None:
    assert changed("sorl", f"{_SORL}\nurl = {call}  # é\n") == f"{_OURS}\nurl = {ours}  # é\n"


def test_a_result_with_a_name_is_followed_through_its_function() -> None:
    call = "    im = get_thumbnail(f, '9x9', crop='center')\n"
    before = f"{_SORL}\ndef view(f):\n{call}    if im:\n        return 'ö', im.x, im.url\n"
    assert changed("sorl", before) == (
        f"{_OURS}\ndef view(f):\n    im = thumb(f, \"9x9\")\n    if im:\n        return 'ö', im.width, im.url\n"
    )


def test_a_module_with_a_thumb_of_its_own_calls_the_function_by_its_module() -> None:
    before = f"{_SORL}def view(f):\n    thumb = get_thumbnail(f, '9x9', crop='center')\n    return thumb.url\n"
    assert changed("sorl", before) == (
        'import thumbs\ndef view(f):\n    thumb = thumbs.thumb(f, "9x9")\n    return thumb.url\n'
    )
    assert "a thumb and a thumbs" in reasons("sorl", before.replace("return", "thumbs = []\n    return"))


@pytest.mark.parametrize(
    "code",
    [
        "def view(f):\n    return get_thumbnail(f, '9x9')\n",
        "def view(f):\n    im = get_thumbnail(f, '9x9')\n    return {'im': im}\n",
        "def view(f):\n    im = get_thumbnail(f, '9x9')\n    return im.read()\n",
        "im = get_thumbnail(f, '9x9')\n",
        "url = get_thumbnail(f, size).url\n",
        "url = get_thumbnail(f, '9x9', **options).url\n",
        "url = get_thumbnail(*args).url\n",
        "url = get_thumbnail(f, '9x9', rounded=3).url\n",
        "url = f'{get_thumbnail(f, '9x9').url}'\n".replace("'9x9'", '"9x9"'),
        "f = get_thumbnail\n",
    ],
)
def test_a_call_that_cannot_be_followed_is_left_alone(code: str) -> None:
    assert reasons("sorl", f"{_SORL}\n{code}")


def test_other_names_of_the_import_stay() -> None:
    before = "from sorl.thumbnail import ImageField, get_thumbnail as make\n\nurl = make(f, '9x9', crop='center').url\n"
    done = python("sorl", before)
    assert done.text == 'from sorl.thumbnail import ImageField\nfrom thumbs import thumb\n\nurl = thumb(f, "9x9").url\n'
    assert "ThumbImageField" in done.left[0].sentence


def test_line_ends_and_everything_else_stay_byte_for_byte() -> None:
    head = "# ö\r\nfrom sorl.thumbnail import get_thumbnail\r\n"
    before = f"{head}x  =  [ get_thumbnail( f,'9x9',crop = 'center' ) . url ]\r\n"
    assert changed("sorl", before) == '# ö\r\nfrom thumbs import thumb\r\nx  =  [ thumb(f, "9x9") . url ]\r\n'


def test_calls_in_the_arguments_of_calls_are_converted_too() -> None:
    before = f"{_SORL}u = get_thumbnail(get_thumbnail(f, '9').url, '8', upscale=False).url\n"
    assert changed("sorl", before) == (
        'from thumbs import thumb\nu = thumb(thumb(f, "9x", upscale="yes").url, "8x").url\n'
    )


def test_an_import_inside_of_a_function_stays_there() -> None:
    head = "def view(f):\n    from sorl.thumbnail import get_thumbnail\n"
    before = f"{head}    return get_thumbnail(f, '9x9', crop='top').url\n"
    assert changed("sorl", before) == (
        'def view(f):\n    from thumbs import thumb\n    return thumb(f, "9x9", gravity="north").url\n'
    )


def test_thumbnailers_of_easy_thumbnails_are_calls_of_thumb() -> None:
    assert changed("easy", f"{_EASY}url = get_thumbnailer(p.photo)['avatar'].url\n") == (
        f'{_OURS}url = thumb(p.photo, "avatar").url\n'
    )
    before = "url = get_thumbnailer(p.photo).get_thumbnail({'size': (100, 100), 'crop': True, 'upscale': True}).url\n"
    assert changed("easy", f"{_EASY}{before}") == f'{_OURS}url = thumb(p.photo, "100x100").url\n'
    for code in (
        "t = get_thumbnailer(p)\n",
        "u = get_thumbnailer(p).get_thumbnail(options).url\n",
        "u = get_thumbnailer(p)[a].url\n",
    ):
        assert reasons("easy", f"{_EASY}{code}")


def test_sizes_of_a_versatile_image_field_are_calls_of_thumb() -> None:
    before = (
        "from versatileimagefield.utils import x\n\nurl = i.image.crop['400x400'].url, i.image.thumbnail['9x9'].url\n"
    )
    done = python("versatile", before)
    assert 'thumb(i.image, "400x400").url, thumb(i.image, "9x9", fit="contain").url' in done.text


def test_spec_fields_of_imagekit_are_descriptors() -> None:
    before = (
        "from django.db import models\nfrom imagekit.models import ImageSpecField\n"
        "from imagekit.processors import ResizeToFill, ResizeToFit, SmartResize\n\n\n"
        "class Profile(models.Model):\n    avatar = models.ImageField()\n"
        "    plain = ImageSpecField(source='avatar', processors=[ResizeToFill(100, 50)])\n"
        "    small = ImageSpecField(source='avatar', processors=[ResizeToFill(100, 50)], "
        "format='JPEG', options={'quality': 60})\n"
        "    smart = ImageSpecField(source='avatar', processors=[SmartResize(100, 50)])\n"
        "    fitted = ImageSpecField(source='avatar', processors=[ResizeToFit(width=100, upscale=False)])\n"
    )
    done = python("imagekit", before)
    assert done.left == ()
    assert done.text == (
        "from django.db import models\nfrom thumbs.fields import ThumbDescriptor\n\n\n"
        "class Profile(models.Model):\n    avatar = models.ImageField()\n"
        '    plain = ThumbDescriptor("avatar", "100x50")\n'
        '    small = ThumbDescriptor("avatar", "100x50", format="jpeg", quality=60)\n'
        '    smart = ThumbDescriptor("avatar", "100x50", gravity="entropy")\n'
        '    fitted = ThumbDescriptor("avatar", "100x")\n'
    )


@pytest.mark.parametrize(
    "field",
    [
        "ImageSpecField(source='avatar', processors=[Reflection()])",
        "ImageSpecField(source='avatar', processors=[ResizeToFill(SIZE, 50)])",
        "ImageSpecField(source='avatar', spec=Thumbnail)",
        "ImageSpecField(processors=[ResizeToFill(100, 50)])",
        "ImageSpecField(source='avatar', processors=PROCESSORS)",
    ],
)
def test_spec_fields_with_more_than_a_size_are_left_alone(field: str) -> None:
    assert reasons("imagekit", f"from imagekit.models import ImageSpecField\nclass A:\n    b = {field}\n")


def test_renditions_ratios_and_items_of_fields_are_listed() -> None:
    assert 'thumb(self.photo.file, "400x300", gravity=focus_of(self.photo), format="webp")' in reasons(
        "wagtail", "r = self.photo.get_rendition('fill-400x300|format-webp')\n"
    )
    assert "thumbs.picture" in reasons("pictures", "u = p.picture.aspect_ratios['16/9']['WEBP'][400].url\n")
    done = python("easy", "u = p.photo['small'].url\n", aliases={"": {"small": {"size": (9, 9)}}})
    assert 'p.photo.thumb("small").url' in done.left[0].sentence
    assert python("easy", "u = p.photo['other'].url\n", aliases={"": {"small": {"size": (9, 9)}}}).left == ()


@pytest.mark.parametrize(
    ("peer", "code", "advice"),
    [
        ("sorl", "from sorl.thumbnail import delete", "thumbs.purge"),
        ("sorl", "from sorl.thumbnail.admin import AdminImageMixin", "ThumbAdminMixin"),
        ("easy", "from easy_thumbnails.fields import ThumbnailerImageField", "ThumbImageField"),
        ("imagekit", "from imagekit.models import ProcessedImageField", "ThumbImageField"),
        ("pictures", "from pictures.models import PictureField", "ThumbImageField"),
        ("versatile", "from versatileimagefield.fields import PPOIField", "FocalPointField"),
        ("wagtail", "import wagtail.images.models", "no equivalent"),
        ("sorl", "from sorl import thumbnail", "no equivalent"),
    ],
)
def test_what_is_still_imported_is_listed_with_what_mage_has(peer: str, code: str, advice: str) -> None:
    assert advice in reasons(peer, f"{code}\n")


def test_code_without_the_peer_is_not_looked_at() -> None:
    for peer in ("sorl", "easy", "imagekit", "pictures", "wagtail"):
        assert python(peer, "from .pictures import PictureField\nfrom .imagekit import x\n").left == ()
        assert python(peer, "get_thumbnail(f, '9x9').url\n\nx = {'crop': 1}\n").left == ()
    assert python("sorl", "print 'python 2'\n").left == ()
    assert "cannot be parsed" in reasons("sorl", "import sorl.thumbnail\nprint 'python 2'\n")
