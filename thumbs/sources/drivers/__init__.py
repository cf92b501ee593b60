"""The table of storage drivers. May import `problems`, `sources`, `sources.s3` and `sources.storages`."""
