"""What the templates, models and tests of a site use. May import the rooms below, but no library for pictures."""
