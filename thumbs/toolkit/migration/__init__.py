"""Rewrites templates and Python code of a site that uses another package for thumbnails. It imports none of them."""
