"""Originals in a bucket. May import `errors` and `sources`."""
