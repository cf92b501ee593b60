"""Client libraries of other image servers, as npm and PyPI have them, and URLs that they write."""
