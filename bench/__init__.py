"""Benchmarks of Mage and comparable servers, in one run on one machine: `python -m bench`, or `script/bench`."""
