"""The cache console in Django's admin: what the caches hold, how they do, and purges."""
