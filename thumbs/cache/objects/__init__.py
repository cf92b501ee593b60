"""Object storage as a cache layer: entries, purges and leases as objects. May import `cache` and `sources`."""
