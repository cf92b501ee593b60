"""Measures how alike thumbnails are to their originals, and what that costs in bytes, and writes docs/quality.md."""
