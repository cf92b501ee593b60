"""System checks: everything that can be known to be wrong before the first request. May import every room."""
