"""Compares what Mage makes of files with what Chromium shows of them: `python -m bench.browser DIRECTORY`."""
