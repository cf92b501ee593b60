"""From a raw path to a verified request, all pure. May import `errors`, `http` and `image`."""
