"""The processes of the standalone server. May import `asgi`, `http`, `cache.filestore` and `observability`."""
