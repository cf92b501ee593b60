"""Mage measured beside others, in one run on one machine: `python -m bench`, or `script/bench`."""
