"""Work after a commit: once the transaction is over, and at once in the transaction that `TestCase` rolls back."""

import unittest
from collections.abc import Iterator

import pytest
from django import test
from django.db import connection, transaction

from thumbs.site.commits import after_commit


@pytest.fixture(autouse=True)
def _connection() -> Iterator[None]:
    yield
    connection.close()


def test_work_waits_for_the_commit_and_a_rollback_drops_it() -> None:
    done: list[str] = []
    with transaction.atomic():
        after_commit(lambda: done.append("committed"), "default")
        assert done == []
    assert done == ["committed"]
    with transaction.atomic():
        after_commit(lambda: done.append("rolled back"), "default")
        transaction.set_rollback(True)
    assert done == ["committed"]
    after_commit(lambda: done.append("no transaction"), "default")
    assert done == ["committed", "no transaction"]


def test_within_test_case_it_is_done_at_once() -> None:
    done: list[str] = []

    class Case(test.TestCase):
        def test_it(self) -> None:
            after_commit(lambda: done.append("here"), "default")
            with transaction.atomic():
                after_commit(lambda: done.append("in a block"), "default")
                assert done == ["here", "in a block"]

    result = unittest.TestResult()
    unittest.TestSuite([Case("test_it")]).run(result)
    assert result.wasSuccessful(), result.errors + result.failures
    assert done == ["here", "in a block"]
