"""Values that describe pictures, all pure. May import `errors`."""
