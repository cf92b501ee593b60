"""Processes of the standalone server. May import `asgi`, `http`, `pipeline`, `cache.filestore` and `observability`."""
