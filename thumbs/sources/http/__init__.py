"""Originals behind http and https. May import `errors`, `problems`, `extras` and `sources`."""
