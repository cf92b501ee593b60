"""Originals in a bucket. May import `errors`, `problems` and `sources`."""
