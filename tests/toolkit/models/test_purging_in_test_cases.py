"""Purges happen inside `django.test.TestCase` too, whose transaction is never committed."""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

from django.db import transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from tests.support.purged_site import PurgedSite, ask, blue, red, running_site, shows_red


class _OnASite(SimpleTestCase):
    """The tables and the files are there before the class's transaction begins."""

    databases = {"default", "other"}  # noqa: RUF012 - as Django declares it
    family: ClassVar[str]
    site: ClassVar[PurgedSite]

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.site = cls.enterClassContext(running_site(Path(directory.name), cls.family))
        super().setUpClass()


class _Purges(_OnASite):
    def test_a_file_that_is_overwritten(self) -> None:
        photo = self.site.photo.objects.create(cover=red("over.jpg"))
        assert shows_red("over.jpg")
        photo.cover.save("over.jpg", blue())
        assert not shows_red("over.jpg")

    def test_a_file_that_a_row_loses(self) -> None:
        photo = self.site.photo.objects.create(image=red("old.jpg"))
        self.site.warm(photo.image.name)
        old = photo.image.name
        photo.image = ""
        photo.save()
        assert self.site.cached(old) == ["MISS"]

    def test_a_file_of_a_deleted_row(self) -> None:
        photo = self.site.photo.objects.create(image=red("deleted.jpg"))
        name = photo.image.name
        self.site.warm(name)
        with transaction.atomic():
            photo.delete()
        assert self.site.cached(name) == ["MISS"]

    def test_a_file_that_a_row_of_another_database_loses(self) -> None:
        photo = self.site.photo.objects.using("other").create(image=red("there.jpg"))
        name = photo.image.name
        self.site.warm(name)
        photo.image.save("new.jpg", blue(), save=False)
        assert self.site.cached(name) == ["MISS"]

    def test_a_file_that_was_missing(self) -> None:
        assert ask("missing.jpg").status_code == 404
        self.site.photo.objects.create(image=red("missing.jpg"))
        assert ask("missing.jpg").status_code == 200


class PlainTests(_Purges, TestCase):
    family = "plain"


class PurgingTests(_Purges, TestCase):
    family = "purging"


class WithTestData(_OnASite, TestCase):
    """Rows and files of `setUpTestData`, in the outer of its two blocks."""

    family = "purging"
    photo: Any
    name: str

    @classmethod
    def setUpTestData(cls) -> None:
        cls.photo = cls.site.photo.objects.create(image=red("data.jpg"))
        cls.name = cls.photo.image.name

    def test_a_row_of_the_class_is_deleted(self) -> None:
        self.site.warm(self.name)
        self.photo.delete()
        assert self.site.cached(self.name) == ["MISS"]

    def test_a_captured_commit_purges_once_more(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            self.photo.image = ""
            self.photo.save()
            self.site.warm(self.name)
        assert self.site.cached(self.name) == ["MISS"]


class PlainTransactionTests(_Purges, TransactionTestCase):
    family = "plain"

    def _fixture_teardown(self) -> None:
        """Without `flush`, which asks for the tables of all models."""
        self.site.photo.objects.all().delete()

    def test_an_ordinary_transaction_waits_for_its_commit(self) -> None:
        photo = self.site.photo.objects.create(image=red("waits.jpg"))
        name = photo.image.name
        self.site.warm(name)
        with transaction.atomic():
            photo.delete()
            assert self.site.cached(name) == ["HIT"]
        assert self.site.cached(name) == ["MISS"]


del _OnASite, _Purges  # else they are collected as tests
