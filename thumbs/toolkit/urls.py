"""The prepared URLs of this process, and which storage serves which file: made once for each configuration."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.urls import get_script_prefix, get_urlconf
from django.utils.functional import LazyObject

from thumbs.errors import SizeOverLimit, ThumbError
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.transforms import Transform
from thumbs.request import grammar
from thumbs.request.policy import StoragePolicy
from thumbs.site import links
from thumbs.site.served_paths import served, unwrapped
from thumbs.sources.served import Served
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.mounts import Mounts
from thumbs.toolkit.prepared import Prepared, Size
from thumbs.toolkit.spec import gives_gravity, spelled
from thumbs.wiring import process
from thumbs.wiring.process import Current

_MOST = 2000  # memo entries: a site has some dozens, unless sizes come from its data
_TALLEST = 1.5  # the longer side by the shorter one, of nearly all photos
T = TypeVar("T")
Options = Mapping[str, object]


class Urls:
    """Prepared URLs by storage, spec and options."""

    def __init__(self, current: Current) -> None:
        self.current = current
        self.strict = bool(getattr(current.read.document, "strict", False))
        self._prepared: dict[object, Prepared] = {}
        self._serving: dict[object, tuple[object, tuple[tuple[str, Served], ...]]] = {}
        self._spelled: dict[object, tuple[Prepared, int | None]] = {}
        self._plans: dict[object, object] = {}
        self._checked: set[object] = set()
        self._mounts: dict[object, Mounts] = {}
        self._most_pixels: dict[str, dict[str, int]] = {}
        self._prefix = current.read.document.url_prefix

    def prepared(self, storage: str, spec: str, options: Options) -> Prepared:
        """Raises `WrongSpec` or `UnknownStorage`."""
        key = (storage, spec, _frozen(options)) if options else (storage, spec)
        found = self._prepared.get(key)
        if found is None:
            if len(self._prepared) >= _MOST:
                self._prepared.clear()
            found = self._prepared[key] = self._prepare(storage, spec, options)
        return found

    def planned(self, wanted: object, options: Options, make: Callable[[], T]) -> T:
        """What `make` returns, kept by `wanted` and `options`, of which it is made."""
        key = (wanted, _frozen(options))
        found = self._plans.get(key)
        if found is None:
            found = make()
            if len(self._plans) >= _MOST:
                self._plans.clear()
            self._plans[key] = found
        return found  # type: ignore[return-value]

    def check(self, spec: str, options: Options, storage: str | None = None) -> None:
        """Raise `WrongSpec` for a spec or options that `storage`, or every storage, refuses for all pictures.

        Raises `UnknownStorage` as well.
        """
        key = (spec, _frozen(options), storage)
        if key in self._checked:
            return
        names = [storage] if storage is not None else list(self.current.policies)
        if not names:
            presets = self.current.read.document.presets
            try:
                _expanded(*spelled(spec, options, presets), presets)
            except WrongSpec as error:
                raise with_mistakes(error, spec, options, presets=presets) from None
        refused: WrongSpec | None = None
        for name in names:
            try:
                self.prepared(name, spec, options)
            except WrongSpec as error:
                refused = refused or error
            else:
                break
        else:
            if refused is not None:
                raise refused
        if len(self._checked) < _MOST:
            self._checked.add(key)

    def from_text(self, storage: str, size: str, filters: str) -> tuple[Prepared, int | None]:
        """Of a size and filters as in a URL, and when it expires. Raises `UnknownStorage`, `BadSize` or `BadFilter`."""
        key = (storage, size, filters)
        found = self._spelled.get(key)
        if found is None:
            policy = links.policy_of(storage)
            transform, expires = grammar.expand(size, filters or None, policy.presets)
            found = Prepared(policy, transform, pinned=True), expires
            if len(self._spelled) < _MOST:
                self._spelled[key] = found
        return found

    def serving(self, held_by: object, storage: str | None = None) -> tuple[tuple[str, Served], ...]:
        """The storages that serve files of a Django storage, or the one of this name, and how: private ones first."""
        held = unwrapped(held_by) if isinstance(held_by, LazyObject) else held_by
        key = id(held) if storage is None else (id(held), storage)
        found = self._serving.get(key)
        if found is None:
            if len(self._serving) >= _MOST:
                self._serving.clear()
            # The storage is kept, so that no other one gets its id.
            found = self._serving[key] = (held, self._find_serving(held, storage))
        return found[1]

    def default(self) -> tuple[tuple[str, Served], ...]:
        """Which storages have a plain name: those of the default one, else the only one. Raises `UnknownStorage`."""
        found = self.serving(default_storage)
        if found:
            return found
        names = list(self.current.policies)
        if len(names) != 1:
            raise links.UnknownStorage(
                f"No storage of THUMBS serves the default storage: storage= is one of {', '.join(names) or 'none'}."
            )
        return ((names[0], Served()),)

    def mount(self, policy: StoragePolicy) -> str:
        """The start of a storage's URLs, which may depend on the thread's URLconf, script name and language."""
        if policy.private:
            return links.mount_of(policy.name)
        if self._prefix is not None:
            return self._prefix
        key = (get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())
        mounts = self._mounts.get(key)
        if mounts is None:
            if len(self._mounts) >= _MOST:
                self._mounts.clear()
            mounts = self._mounts[key] = Mounts(key[0])
        return mounts.now()

    def _prepare(self, storage: str, spec: str, options: Options) -> Prepared:
        policy = links.policy_of(storage)
        try:
            return self._prepare_for(policy, spec, options)
        except WrongSpec as error:
            raise with_mistakes(error, spec, options, policy=policy) from None

    def _prepare_for(self, policy: StoragePolicy, spec: str, options: Options) -> Prepared:
        size, filters = spelled(spec, options, policy.presets)
        transform = _expanded(size, filters, policy.presets)
        prepared = Prepared(policy, transform, pinned=gives_gravity(options))
        refused = refusal(prepared)
        if refused is None and prepared.size(None) and not self.encodable(prepared, transform.format, None):
            refused = SizeOverLimit()
        if refused is not None:
            raise WrongSpec(f"{refused.detail} ({spec!r} of the storage {policy.name})")
        return prepared

    def encodable(self, prepared: Prepared, output: str | None, source: Size | None) -> bool:
        """Whether no cap of this format refuses the thumbnail of a source of this size; where it is unknown, no."""
        cap = self._caps(prepared.policy.name).get(output or "")
        if cap is None:
            return True
        size = prepared.size(source)
        if size is not None:
            return size[0] * size[1] <= cap
        side = max((side for side in prepared.transform.target if side is not None), default=1)
        return side * side * _TALLEST <= cap

    def _caps(self, storage: str) -> dict[str, int]:
        """The most pixels of a thumbnail by format, where one costs more than others."""
        caps = self._most_pixels.get(storage)
        if caps is None:
            read = self.current.read
            own = next((conf.limits for conf in read.storages if conf.name == storage), {})
            limits = read.document.limits.narrowed(own)
            caps = {"avif": limits.max_avif_pixels, "gif": limits.max_gif_pixels, "jxl": limits.max_jxl_pixels}
            self._most_pixels[storage] = caps
        return caps

    def _find_serving(self, held: object, storage: str | None) -> tuple[tuple[str, Served], ...]:
        confs = [conf for conf in self.current.read.storages if storage in (None, conf.name)]
        # A public one may read a directory around that of a private one: it must not have the URL.
        confs.sort(key=lambda conf: not self.current.policies[conf.name].private)
        return tuple((conf.name, found) for conf in confs if (found := served(conf, held)) is not None)


def _frozen(options: Options) -> object:
    """A key of `options`; values that are equal, such as 1 and True, are told apart."""
    key = tuple((name, value, value.__class__) for name, value in options.items())
    try:
        hash(key)
    except TypeError:  # a list of arguments
        return repr(key)
    return key


def with_mistakes(
    error: WrongSpec,
    spec: str,
    options: Options,
    *,
    policy: StoragePolicy | None = None,
    presets: Mapping[str, grammar.Preset] | None = None,
) -> WrongSpec:
    """`error` with all mistakes of the spec and the options in its text, where they can be found."""
    from thumbs.request.mistakes.specs import spec_mistakes, spec_text  # noqa: PLC0415 - needed for mistakes only

    if not isinstance(spec, str):
        return error
    found = spec_mistakes(spec, options, policy=policy, presets=presets)
    if not found:
        return error
    where = spec_text(spec, options) + (f", storage {policy.name}" if policy is not None else "")
    return WrongSpec(f"{' '.join(map(str, found))} ({where})", found)


def _expanded(size: str, filters: str | None, presets: Mapping[str, grammar.Preset]) -> Transform:
    try:
        transform, expires = grammar.expand(size, filters, presets)
    except ThumbError as error:
        raise WrongSpec(f"{error.detail} ({_said(size, filters)})") from None
    if expires is not None:
        raise WrongSpec("expires() is given by lifetime=, in seconds from now.")
    return transform


def refusal(prepared: Prepared) -> ThumbError | None:
    """Why the storage refuses the thumbnail of every key. What depends on the key is a matter of data."""
    refused: ThumbError | None = None
    for extension in OUTPUT_NAMES:
        try:
            prepared.outcome(f"x.{extension}")
        except ThumbError as error:
            refused = refused or error
        else:
            return None
    return refused


def _said(size: str, filters: str | None) -> str:
    return f"{size}/filters:{filters}" if filters else size


_urls: Urls | None = None


def urls() -> Urls:
    """Those of the configuration that this process works with now. Raises `NotConfigured`."""
    global _urls  # noqa: PLW0603 - one for each process, as the configuration
    current = process.current()
    if _urls is None or _urls.current is not current:
        _urls = Urls(current)
    return _urls
