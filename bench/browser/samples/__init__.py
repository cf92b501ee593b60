"""Writes files of every kind for the comparison with a browser: `python -m bench.browser.samples DIRECTORY`."""
