"""The keys of driver `http`: which URLs it reads, over which networks, and the limits of its connections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from thumbs.sources.http.networks import Networks, nat64_prefix, network_of
from thumbs.sources.http.url import BadUrl, Entry, Origin, RemoteUrl, below, from_path, from_text, path_of

_HEADER_SECONDS = 10.0  # half of a whole read: an origin that has not begun by then does not end in time


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Exactly one of `base_url` (a path is a key below it) and `allowed_sources` (a path names a URL).

    Times are seconds, counts are for each process. `request_timeout_sec` bounds one read: the look-ups of names, all
    hops, all addresses and the body. `response_header_timeout_sec` is from the end of a request to the end of the
    headers of its response, `connect_timeout_sec` for TCP and TLS, over all addresses of a name together.
    """

    base_url: str | None = None
    allowed_sources: tuple[str, ...] = ()
    allowed_redirects: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()
    nat64_prefixes: tuple[str, ...] = ()
    request_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    user_agent: str | None = None
    connect_timeout_sec: float = 5.0
    response_header_timeout_sec: float = _HEADER_SECONDS
    request_timeout_sec: float = 20.0
    max_redirects: int = 3
    max_conns_per_host: int = 8
    max_idle_conns: int = 64
    idle_conn_timeout_sec: float = 60.0
    max_conn_age_sec: float = 600.0
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    revalidate: bool = True
    origin_cache_control: bool = False

    @property
    def base(self) -> RemoteUrl | None:
        """Raises `BadUrl`."""
        return None if self.base_url is None else base_of(self.base_url)

    @property
    def sources(self) -> tuple[Entry, ...]:
        """What the URL of a request may name: the base, or the entries. Raises `BadUrl`."""
        base = self.base
        if base is not None:
            return (Entry(*base.origin, base.target),)
        return tuple(map(Entry.parse, self.allowed_sources))

    @property
    def redirects(self) -> tuple[Entry, ...]:
        """What a redirect may lead to. Raises `BadUrl`."""
        return (*self.sources, *map(Entry.parse, self.allowed_redirects))

    @property
    def networks(self) -> Networks:
        """Raises `WrongNetwork`."""
        return Networks(map(network_of, self.allowed_networks), map(nat64_prefix, self.nat64_prefixes))

    @property
    def trusted(self) -> frozenset[Origin]:
        """The origins that may get `request_headers`."""
        return frozenset(origin for entry in self.sources if (origin := entry.exact) is not None)


def base_of(text: str) -> RemoteUrl:
    """The URL of a `base_url`. Raises `BadUrl`."""
    base = from_text(text)
    if "?" in base.target or not base.target.endswith("/"):
        raise BadUrl("a URL that begins with http:// or https:// and ends with a slash, without query or fragment")
    return base


class Urls:
    """The URLs that a storage reads, and the paths that name them."""

    def __init__(self, settings: HttpSettings) -> None:
        self._base = settings.base
        self._sources = settings.sources

    def canonical(self, path: str) -> str:
        """The key of the original that the decoded `path` of a request names.

        That is the path itself below a `base_url`, else the canonical URL. Raises `BadUrl` for a path that names no
        URL, or one that no entry admits.
        """
        if self._base is not None:
            return path
        url = from_path(path)
        if self.entry_of(url) is None:
            raise BadUrl("a URL that an entry of allowed_sources admits")
        return str(url)

    def path(self, source: str) -> str:
        """The decoded path that names `source`: a whole URL, or a path. Raises `BadUrl`."""
        if "://" not in source:
            return source
        if self._base is None:
            return path_of(source)
        start = str(self._base)
        url = str(from_text(source))
        if not url.startswith(start) or "?" in url:
            raise BadUrl(f"a URL that begins with {start}, without query")
        return unquote(url[len(start) :], errors="strict")

    def path_behind(self, prefix: str, source: str) -> str:
        """The decoded path that names `source`, a URL or a path that `prefix` begins. Raises `BadUrl` or ValueError.

        A `base_url` stands in the place of `prefix`, unless `source` is a URL below it.
        """
        is_url = source.startswith(("http://", "https://"))
        if self._base is None or (is_url and str(from_text(source)).startswith(str(self._base))):
            return self.path(source)
        rest = source[len(prefix) :]
        return unquote(rest, errors="strict") if is_url else rest

    def named(self, path: str) -> str:
        """The part of `path` whose extension is that of the file: of a URL, what is before its query."""
        return path if self._base is not None else path.partition("?")[0]

    def url(self, key: str) -> RemoteUrl:
        """The URL of an original by its key. Raises `BadUrl`."""
        return from_text(key) if self._base is None else below(self._base, key)

    def entry_of(self, url: RemoteUrl) -> Entry | None:
        """The entry that admits `url`."""
        return next((entry for entry in self._sources if entry.admits(url)), None)
