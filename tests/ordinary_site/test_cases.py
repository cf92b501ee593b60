"""Classes of `django.test`: decorated, with `setUpClass`, with data for all tests, with transactions."""

import tempfile
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings

from tests.ordinary_site.factories import BLUE, RED, color_of, photo, picture, size_of
from tests.ordinary_site.models import Photo
from thumbs import purge, thumb_url
from thumbs.test import override_thumbs

MEDIA = tempfile.TemporaryDirectory()
MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}


@override_settings(MEDIA_ROOT=MEDIA.name)
class DecoratedClass(TestCase):
    photo: Photo

    @classmethod
    def setUpTestData(cls) -> None:
        cls.photo = photo(BLUE)

    def test_data_for_all_tests(self) -> None:
        url = thumb_url("uploads", str(self.photo.image.name), "40x30")
        self.assertEqual(color_of(self.client.get(url).content), BLUE)

    @override_thumbs(presets={"card": {"size": "80x20"}})
    def test_a_decorated_method(self) -> None:
        url = thumb_url("uploads", str(self.photo.image.name), "x", filters="preset(card)")
        self.assertEqual(size_of(self.client.get(url).content), (80, 20))

    def test_settings_of_the_case(self) -> None:
        with self.settings(SECRET_KEY="another"):
            url = thumb_url("uploads", str(self.photo.image.name), "40x30")
            self.assertEqual(self.client.get(url).status_code, 200)
        self.assertEqual(self.client.get(url).status_code, 403)


class WithSetUpClass(TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.enterClassContext(override_settings(MEDIA_ROOT=cls.enterClassContext(tempfile.TemporaryDirectory())))
        default_storage.save("logo.png", ContentFile(picture(RED)))

    def test_a_file_that_the_class_has_saved(self) -> None:
        url = thumb_url("uploads", "logo.png", "40x30")
        self.assertEqual(color_of(self.client.get(url).content), RED)


@override_thumbs(mode="dummy", presets={"card": {"size": "80x20"}})
class DecoratedByUs(SimpleTestCase):
    url: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.url = thumb_url("uploads", "none.jpg", "x", filters="preset(card)")

    def test_the_keys_hold_in_set_up_class_already(self) -> None:
        self.assertEqual(size_of(self.client.get(self.url).content), (80, 20))

    @override_thumbs(presets={"card": {"size": "9x9"}})
    def test_a_method_overrides_them_once_more(self) -> None:
        url = thumb_url("uploads", "none.jpg", "x", filters="preset(card)")
        self.assertEqual(size_of(self.client.get(url).content), (9, 9))


class DerivedFromDecorated(DecoratedByUs):
    def test_a_derived_class_has_the_same_keys(self) -> None:
        self.assertEqual(size_of(self.client.get(self.url).content), (80, 20))


class AfterDecorated(SimpleTestCase):
    def test_the_keys_are_those_of_the_site_again(self) -> None:
        url = thumb_url("uploads", "none.jpg", "x", filters="preset(card)")
        with override_settings(STORAGES=MEMORY):
            self.assertEqual(self.client.get(url).status_code, 404)


@override_settings(STORAGES=MEMORY)
@override_thumbs(cache=True)
class Purging(TestCase):
    def answer(self, name: str) -> tuple[Any, str]:
        response = self.client.get(thumb_url("uploads", name, "40x30"))
        return (color_of(response.content) if response.status_code == 200 else None), response.get("X-Cache", "")

    def test_a_purge_within_a_test(self) -> None:
        default_storage.save("logo.png", ContentFile(picture(RED)))
        self.assertEqual([self.answer("logo.png") for _ in range(2)], [(RED, "MISS"), (RED, "HIT")])
        default_storage.delete("logo.png")
        default_storage.save("logo.png", ContentFile(picture(BLUE)))
        self.assertEqual(self.answer("logo.png"), (RED, "HIT"))
        purge("uploads", "logo.png")
        self.assertEqual(self.answer("logo.png"), (BLUE, "MISS"))

    def test_a_photo_that_is_saved_again_under_its_name(self) -> None:
        made = photo(RED)
        name = str(made.image.name)
        self.assertEqual([self.answer(name) for _ in range(2)], [(RED, "MISS"), (RED, "HIT")])
        default_storage.delete(name)
        made.image = ContentFile(picture(BLUE), Path(name).name)
        made.save()
        self.assertEqual(str(made.image.name), name)
        self.assertEqual(self.answer(name), (BLUE, "MISS"))

    def test_a_photo_that_is_deleted(self) -> None:
        made = photo(RED)
        name = str(made.image.name)
        self.assertEqual([self.answer(name) for _ in range(2)], [(RED, "MISS"), (RED, "HIT")])
        default_storage.delete(name)
        made.delete()
        self.assertEqual(self.answer(name), (None, ""))

    def test_the_callbacks_of_a_commit_may_be_run_as_well(self) -> None:
        made = photo(RED)
        name = str(made.image.name)
        self.answer(name)
        with self.captureOnCommitCallbacks(execute=True):
            default_storage.delete(name)
            made.delete()
        self.assertEqual(self.answer(name), (None, ""))


@override_settings(STORAGES=MEMORY)
class WithTransactions(TransactionTestCase):
    def test_a_photo(self) -> None:
        made = photo(BLUE)
        url = thumb_url("uploads", str(made.image.name), "40x30")
        self.assertEqual(color_of(self.client.get(url).content), BLUE)

    @override_thumbs(cache=True)
    def test_a_photo_that_is_replaced(self) -> None:
        made = photo(RED)
        url = thumb_url("uploads", str(made.image.name), "40x30")
        self.assertEqual([self.client.get(url)["X-Cache"] for _ in range(2)], ["MISS", "HIT"])
        default_storage.delete(str(made.image.name))
        made.delete()
        self.assertEqual(self.client.get(url).status_code, 404)
