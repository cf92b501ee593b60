"""System checks: they report what is wrong before the first request. May import every room."""
