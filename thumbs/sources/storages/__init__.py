"""Originals in any Django storage. May import `errors`, `problems`, `observability`, `sources` and `sources.s3`."""
