"""An ordinary site with a cache, and tests as its developers write them, with nothing but what `thumbs.test` documents.

`tests/system/test_ordinary_site.py` runs them, in sessions of their own.
"""
