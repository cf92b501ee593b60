"""The layers of a cache and the rules between them. May import `http`, `image` and its own two rooms."""
