"""A cache backend of a site's own, derived from Django's for Redis."""

from django.core.cache.backends.redis import RedisCache


class OwnRedisCache(RedisCache):
    """As a site writes it."""
