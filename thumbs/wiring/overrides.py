"""While a test overrides the settings, the cache layers are off, or in a directory of the test's own.

Else a test would read what another one has cached, and write into the caches of a site that runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import Settings, UserSettingsHolder, settings

from thumbs.conf.document import DUMMY, CacheConf, MemoryCacheConf, StorageConf
from thumbs.conf.keys import read as read_keys
from thumbs.conf.loading import Configuration

# An override of one of them switches the layers off.
SWITCHING = frozenset({"THUMBS", "STORAGES", "CACHES", "MEDIA_ROOT", "SECRET_KEY", "SECRET_KEY_FALLBACKS"})

_NO_LAYERS = read_keys(CacheConf, {}, "", [])


@dataclass(eq=False)
class _Wishes:
    """What tests have asked for. `directories` has the innermost wish last; None in it stands for no layers.

    `session`: a test session runs. `as_configured`: an override or a session alone changes nothing.
    """

    directories: list[Path | None] = field(default_factory=list)
    session: bool = False
    as_configured: bool = False


wishes = _Wishes()


@contextmanager
def layers_in(directory: Path | None) -> Iterator[None]:
    """Have the cache layers in `directory`, or none, until the block ends or another call is nested in it."""
    wishes.directories.append(directory)
    try:
        yield
    finally:
        wishes.directories.pop()


def settled(read: Configuration) -> Configuration:
    """`read` with the cache layers that apply now, and with the namespaces of storages that a file describes."""
    if read.from_file:
        read = _with_caches(read, _shared)
    if read.document.mode == DUMMY:  # no plain picture may stay where a real one belongs
        return _with_caches(read, _off)
    if wishes.directories:
        return _in_directory(read, wishes.directories[-1])
    off = not wishes.as_configured and (wishes.session or is_overridden())
    return _with_caches(read, _off) if off else read


def _with_caches(read: Configuration, change: Callable[[StorageConf], CacheConf]) -> Configuration:
    return replace(read, storages=tuple(replace(conf, cache=change(conf)) for conf in read.storages))


def _shared(conf: StorageConf) -> CacheConf:
    """Servers that share a cache agree on the keys, wherever each has its files."""
    return replace(conf.cache, namespace=conf.cache.namespace or "")


def _off(conf: StorageConf) -> CacheConf:
    return replace(_NO_LAYERS, namespace=conf.cache.namespace)


def _in_directory(read: Configuration, directory: Path | None) -> Configuration:
    if directory is None:
        return _with_caches(read, _off)
    read = _with_caches(read, lambda conf: _on_disk(conf, directory))
    return replace(read, document=replace(read.document, run_dir=str(directory / "run")))


def _on_disk(conf: StorageConf, directory: Path) -> CacheConf:
    """A disk layer in `directory`, and the memory layer where there is one. What an alias names outlives the test.

    The namespace is the default of a site: a test that moves MEDIA_ROOT must not find what was there before.
    """
    memory, disk = conf.cache.memory, conf.cache.disk
    return replace(
        _NO_LAYERS,
        memory=MemoryCacheConf() if memory.alias else memory,
        disk=replace(disk, enabled=True, dir=str(directory / conf.name), alias=None, clear_on_startup=False),
        sources=conf.cache.sources,
    )


def is_overridden() -> bool:
    """Whether `override_settings` or its kin hold one of the settings now.

    Django keeps the overrides as a chain of holders, the innermost first. The last holder is that of
    `settings.configure()`, which overrides nothing. It is read, not counted by signals: a receiver that fails leaves a
    count wrong, and deletions send no signal.
    """
    holder = vars(settings).get("_wrapped")  # there is no public way to ask
    while isinstance(holder, UserSettingsHolder):
        below = holder.default_settings
        if not isinstance(below, Settings | UserSettingsHolder):
            return False
        if not SWITCHING.isdisjoint((*holder.__dict__, *holder._deleted)):  # noqa: SLF001
            return True
        holder = below
    return False
