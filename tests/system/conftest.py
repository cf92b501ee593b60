"""Fixtures of the system tests."""

from tests.support.buckets import bucket, client, moto
from tests.support.image_steps import image

__all__ = ["bucket", "client", "image", "moto"]
