"""From a request to its answer. May import `errors`, `http`, `image`, `request`, `cache` and `sources`."""
