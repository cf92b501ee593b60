"""Processes of the standalone server.

May import `errors`, `asgi`, `http`, `pipeline`, `cache.filestore`, `observability` and `wiring`.
"""
