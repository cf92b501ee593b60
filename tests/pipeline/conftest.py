"""Fixtures of the pipeline's tests."""

from tests.support.fake_pipeline import ask, open_shop

__all__ = ["ask", "open_shop"]
