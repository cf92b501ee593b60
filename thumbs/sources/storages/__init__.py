"""Originals in any Django storage. May import `errors`, `sources` and `sources.s3`."""
