"""The path of an entry: names are digests, so that no key can name a file outside its shard."""

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
    """`shard` is 0–255; `inner` is the path within the shard, `path` the one within the cache directory.

    `digest` is 32 bytes, which the header of the entry's file repeats: 16 of the group, then 16 of the name.
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
    """The path for `group/name`, split at the first slash. A key without a slash gets a file beside the groups."""
    group, slash, name = key.partition("/")
    of_group = _digest(group)
    if not slash:
        return EntryPath(of_group[0], f"{of_group.hex()}.entry", of_group + _NO_NAME)
    of_name = _digest(name)
    return EntryPath(of_group[0], f"{of_group.hex()}/{of_name.hex()}.entry", of_group + of_name)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
