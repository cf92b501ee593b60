"""What was purged and when: a journal on disk, a feed between machines. May import `cache.filestore`."""
