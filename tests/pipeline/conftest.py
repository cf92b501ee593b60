"""Fixtures of the pipeline's tests."""

from tests.support.fake_pipeline import ask, open_server

__all__ = ["ask", "open_server"]
