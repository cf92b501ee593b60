"""Placeholders of a site: the ThumbHash of a file, and the blurred background that a hash becomes. Asks no storage."""
