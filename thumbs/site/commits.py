"""Runs work after the commit of a transaction. Within `TestCase`, where nothing is ever committed, it runs at once."""

from collections.abc import Callable

from django.db import connections, transaction


def after_commit(work: Callable[[], None], using: str) -> None:
    """As `transaction.on_commit`, also in tests: `TestCase` rolls back the transaction around each of its tests."""
    blocks = connections[using].atomic_blocks
    if blocks and getattr(blocks[0], "_from_testcase", False):
        work()
    else:
        transaction.on_commit(work, using=using)
