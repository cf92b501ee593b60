"""Placeholders: the ThumbHash of a picture, and the blurred background that it becomes. Asks no storage."""
