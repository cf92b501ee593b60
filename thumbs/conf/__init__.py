"""The configuration: every key, its kind, its default, its rules. May import `errors`, `image` and `request`."""
