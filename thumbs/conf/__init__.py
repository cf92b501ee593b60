"""The configuration: every key, its kind, its default, its rules.

May import `errors`, `problems`, `image`, `request`, `sources.drivers` and `sources.s3`.
"""
