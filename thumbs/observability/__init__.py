"""Metrics, the access log, and logs without secrets. May import `http` and `request`."""
