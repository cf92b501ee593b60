"""A storage of a site's own, derived from one of django-storages."""

from storages.backends.s3 import S3Storage


class OwnS3Storage(S3Storage):  # type: ignore[misc]  # it has no types
    """As a site writes it."""
