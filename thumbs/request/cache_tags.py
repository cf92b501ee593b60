"""The tags by which a CDN purges all answers for one original."""

import hashlib

# The headers that name tags: that of Cloudflare and most others, and that of Fastly.
HEADERS = ("Cache-Tag", "Surrogate-Key")


def cache_tag(storage: str, key: str) -> str:
    """The tag of an original: the name of its storage, and 16 hex digits, the BLAKE2b digest of its key in 8 bytes."""
    return f"{storage}-{hashlib.blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
