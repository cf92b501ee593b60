"""Where a key lives: names made of digests, so that no key can reach outside its shard."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

SHARDS = 256
SHARD_NAME = re.compile(r"[0-9a-f]{2}")
GROUP_NAME = re.compile(r"[0-9a-f]{32}")
ENTRY_NAME = re.compile(r"[0-9a-f]{32}\.entry")
TEMPORARY_NAME = re.compile(r"[0-9a-f]{16}\.tmp")

_NO_NAME = bytes(16)


@dataclass(frozen=True, slots=True)
class EntryPath:
    """`shard` 0–255; `inner` the path within the shard, `path` with it.

    `digest` is the 32 bytes that an entry repeats in its header: of the group, then of the name.
    """

    shard: int
    inner: str
    digest: bytes
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", f"{self.shard:02x}/{self.inner}")

    @property
    def group(self) -> str:
        """The group's directory within the shard; empty for a key without a group."""
        return self.inner.rpartition("/")[0]


@lru_cache(maxsize=8192)
def path_of(key: str) -> EntryPath:
    """The place of `group/name`, split at the first slash; a key without one lies beside the groups."""
    group, slash, name = key.partition("/")
    owner = _digest(group)
    if not slash:
        return EntryPath(owner[0], f"{owner.hex()}.entry", owner + _NO_NAME)
    own = _digest(name)
    return EntryPath(owner[0], f"{owner.hex()}/{own.hex()}.entry", owner + own)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
