"""Makes no table; Django makes the permission after it."""
