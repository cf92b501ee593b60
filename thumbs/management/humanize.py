"""Sizes, durations and counts in the output of commands."""

from thumbs.site.humanize import count_of, duration, file_size

__all__ = ["count_of", "duration", "file_size"]
