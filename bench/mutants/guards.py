"""Named mutants: each takes away one guard, and the test module that holds the guard must fail."""

from dataclasses import dataclass
from pathlib import Path

from bench.mutants.choice import PROJECT
from bench.mutants.mutation import Mutant


class GuardError(Exception):
    """The source does not have the text of a guard just once; the message names the guard."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`before` occurs once in the file at `path`. `test` is the module that fails with `after` in its place."""

    name: str
    path: str
    before: str
    after: str
    test: str

    def mutant(self, root: Path = PROJECT) -> Mutant:
        """Raises `GuardError` where the text is not in the source, or more than once."""
        source = (root / self.path).read_bytes()
        before = self.before.encode()
        if source.count(before) != 1:
            raise GuardError(f"{self.name}: {self.path} has {self.before!r} {source.count(before)} times, not once")
        start = source.index(before)
        line = source.count(b"\n", 0, start) + 1
        return Mutant(self.path, self.name, line, start, start + len(before), self.before, self.after, "guard")


_BOUNDS, _CACHE = "tests/test_bounds.py", "tests/cache/test_guards.py"
_RENDER, _BODY = "tests/render/test_guards.py", "tests/sources/s3/test_error_body.py"
_NEGATIVE, _RENEWALS = "thumbs/pipeline/negative_cache.py", "thumbs/pipeline/renewals.py"
_READER, _LOCKS = "thumbs/cache/filestore/reader.py", "thumbs/cache/locks.py"
_HOT, _HOT_FILES = "thumbs/cache/filestore/hot_files.py", "tests/cache/filestore/test_hot_files.py"
_HOT_BODIES = "tests/cache/filestore/test_hot_bodies.py"
_TRANSPORT, _PROXY = "thumbs/sources/s3/transport.py", "thumbs/render/proxy.py"
_SMARTCROP = "thumbs/render/smartcrop.py"

GUARDS = (
    Guard("bound of failures", _NEGATIVE, "if len(self._found) >= _MAX_KEYS:", "if False:", _BOUNDS),
    Guard("bound of paused renewals", _RENEWALS, "if len(self._paused_until) >= _MAX_PAUSED:", "if False:", _BOUNDS),
    Guard("bound of verified entries", _READER, "if len(self._verified) >= _MAX_REMEMBERED:", "if False:", _BOUNDS),
    Guard("bound of queued uses", _READER, " and len(self.used) < _MAX_REMEMBERED", "", _BOUNDS),
    Guard("hot file that is another one now", _READER, "not hot.has(status) or ", "", _HOT_FILES),
    Guard(
        "use of a hot file",
        _READER,
        "hot.last_sweep = self._hot_files.sweeps\n        self._queue_use(path, found, status, now)",
        "hot.last_sweep = self._hot_files.sweeps",
        _HOT_FILES,
    ),
    Guard("removed hot file", _HOT, " or hot.is_removed()", "", _HOT_FILES),
    Guard("idle hot file", _HOT, "hot.last_sweep <= self.sweeps - _IDLE_SWEEPS or ", "", _HOT_FILES),
    Guard("bound of hot files", _HOT, "if len(self._places) < self._most:", "if True:", _HOT_FILES),
    Guard("bound of hot bodies", _HOT, " and self._body_bytes + hot.body_bytes <= _MOST_BODY_BYTES", "", _HOT_BODIES),
    Guard("room of hot bodies", _HOT, "self._body_bytes -= hot.body_bytes", "pass", _HOT_BODIES),
    Guard("hot files of a forked child", _HOT, "table.pop(name, None)", "pass", _HOT_FILES),
    Guard("size of a hot file", _READER, " and len(found.payload) <= LARGEST_PAYLOAD", "", _HOT_FILES),
    Guard(
        "memory store without items",
        "thumbs/cache/sieve.py",
        "if cost > self.max_bytes or self.max_items < 1:",
        "if cost > self.max_bytes:",
        _CACHE,
    ),
    Guard(
        "entry used since it was sampled",
        "thumbs/cache/filestore/eviction.py",
        "if shard.status(entry.inner).st_atime_ns == entry.used:",
        "if True:",
        _CACHE,
    ),
    Guard("file system without locks", _LOCKS, "return error.errno not in _HELD", "return False", _CACHE),
    Guard("lock of another process", _LOCKS, "return error.errno not in _HELD", "return True", _CACHE),
    Guard(
        "proxy of an original that has changed",
        "thumbs/pipeline/originals.py",
        "self._recent.pop(proxy_key(thumb), None)",
        "pass",
        "tests/pipeline/test_guards.py",
    ),
    Guard(
        "scans of a JPEG",
        "thumbs/render/header.py",
        "if self.scans * pixels > _MAX_SCANS * limits.whole_pixels:",
        "if False:",
        _RENDER,
    ),
    Guard(
        "length of an EXIF block",
        "thumbs/render/codecs/copyright.py",
        "Copyright(exif) if len(exif) <= _MAX_EXIF_BYTES else None",
        "Copyright(exif)",
        _RENDER,
    ),
    Guard("column of an attention crop", _SMARTCROP, "round(start[0] / ratio)", "0", _RENDER),
    Guard("sign of an attention crop's column", _SMARTCROP, "-found.xoffset", "found.xoffset", _RENDER),
    Guard(
        "ratio of a proxy",
        _PROXY,
        "return max(1, round(width * part)), max(1, round(height * part))",
        "return _OTHER_SIDE, _OTHER_SIDE",
        _RENDER,
    ),
    Guard(
        "length of an error body",
        _TRANSPORT,
        "islice(self.raw.stream(_CHUNK), _MAX_CHUNKS)",
        "self.raw.stream(_CHUNK)",
        _BODY,
    ),
    Guard("error body that is cut short", _TRANSPORT, "if not self.raw.isclosed():", "if False:", _BODY),
    Guard(
        "time until a render counts as stuck",
        "thumbs/wiring/build.py",
        "2 * max((each.render_seconds for each in limits), default=0.0) + _STUCK_SECONDS",
        "_STUCK_SECONDS",
        "tests/wiring/test_build.py",
    ),
)
