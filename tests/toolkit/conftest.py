"""Fixtures of the tests of the toolkit."""

from tests.support.purged_site import site

__all__ = ["site"]
