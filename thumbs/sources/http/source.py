"""Originals behind http and https: nothing of a client's request goes to an origin, and only bytes come back."""

import time
from collections.abc import Callable
from typing import TypeVar

from thumbs.errors import SourceDenied, SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.http.client import Client, Hops, Response
from thumbs.sources.http.exchange import Head
from thumbs.sources.http.faults import Fault
from thumbs.sources.http.lookup import Resolve, system_resolver
from thumbs.sources.http.retries import SECONDS
from thumbs.sources.http.settings import HttpSettings, Urls
from thumbs.sources.http.url import BadUrl, RemoteUrl
from thumbs.sources.http.versions import condition_of, confirms, lifetime_of, new_lifetime_of, version_of
from thumbs.sources.reading import Deadline, key_bytes
from thumbs.sources.source import Count, Original, Unchanged, Version

T = TypeVar("T")


class HttpSource:
    """Originals of one storage. A key is a path below `base_url`, or a canonical URL that an entry admits.

    `max_bytes` limits one original, `deadline` is seconds for one call, or `request_timeout_sec` when that is sooner.
    `resolve` replaces the look-up of names, for tests.
    """

    def __init__(
        self, settings: HttpSettings, *, max_bytes: int, deadline: float, resolve: Resolve = system_resolver
    ) -> None:
        self._settings = settings
        self._urls = Urls(settings)
        self._client = Client(settings, resolve)
        self._max_bytes = max_bytes
        self._seconds = min(deadline, settings.request_timeout_sec)
        self._count: Count | None = None

    def observe(self, count: Count) -> None:
        self._count = count

    def read(self, path: str) -> Original:
        original = self._call(path, lambda hops: self._read(hops, None))
        if isinstance(original, Unchanged):
            raise StorageFailed
        return original

    def read_if_changed(self, path: str, version: Version) -> Original | Unchanged:
        return self._call(path, lambda hops: self._read(hops, version.token))

    def version(self, path: str) -> Version:
        """By a GET whose body is read only where nothing else tells versions apart: HEAD has often another answer."""
        return self._call(path, self._version)

    def ready(self) -> None:
        """With a `base_url`, every status below 500 of the prefix will do. Without one, there is no place to ask."""
        base = self._settings.base
        if base is None:
            return
        try:
            status = self._client.status(Hops.of(base, Deadline(self._seconds)))
        except SourceDenied as error:  # its name is unknown, or none of its addresses is allowed
            raise StorageFailed from error.__cause__
        if status >= 500:
            raise StorageFailed from Fault(f"{base.shown}: status {status}")

    def close(self) -> None:
        self._client.close()

    @property
    def has_lifetimes(self) -> bool:
        return self._settings.origin_cache_control

    @property
    def fetches_per_host(self) -> int:
        return self._settings.max_conns_per_host

    def host_of(self, path: str) -> str:
        try:
            return self._urls.url(path).origin.host
        except BadUrl:
            return ""

    def explain(self, path: str) -> str:
        """What is known of the URL of `path`: the entry that admits it, and whether its host has an allowed address."""
        url = self._urls.url(path)
        entry = self._urls.entry_of(url)
        try:
            count = self._client.candidates(url.origin, Deadline(self._settings.connect_timeout_sec))
            found = f"{count} of the addresses of {url.origin.host} may be connected to"
        except SourceDenied:
            found = f"{url.origin.host} has no address that may be connected to"
        except (StorageFailed, StorageTimeout):
            found = f"the resolver gave no addresses of {url.origin.host}"
        return f"{url.shown}, admitted by {entry}; {found}"

    def _call(self, path: str, work: Callable[[Hops], T]) -> T:
        """Run `work` and count its outcome. A failure has a `Fault` as its cause, and says for how long it stands."""
        key_bytes(path)
        hops = Hops.of(self._url(path), Deadline(self._seconds))
        began = time.perf_counter()
        outcome, size = "failed", 0
        try:
            result = work(hops)
            outcome = "ok" if isinstance(result, Original) else "unchanged"
            size = len(result.data) if isinstance(result, Original) else 0
            return result
        except ThumbError as error:
            outcome = _outcome_of(error)
            if isinstance(error, StorageFailed | StorageTimeout):
                error.remembered = error.remembered or SECONDS
            raise error from _fault_of(hops, outcome, error)
        finally:
            if self._count is not None:
                self._count(outcome, time.perf_counter() - began, size)

    def _url(self, path: str) -> RemoteUrl:
        try:
            url = self._urls.url(path)
        except BadUrl as error:
            raise SourceMissing from error
        if self._urls.entry_of(url) is None:
            raise SourceMissing
        return url

    def _read(self, hops: Hops, token: str | None) -> Original | Unchanged:
        """The original, or that it still has this token."""
        condition = condition_of(token) if self._settings.revalidate else {}

        def use(response: Response) -> Original | Unchanged | None:
            if response.head.status == 304:
                response.discard()
                is_answer = bool(condition) and confirms(response.head, token)
                return self._unchanged(response.head) if is_answer else None
            data = response.body(self._max_bytes)
            version = version_of(response.head, data)
            if token is not None and version.token == token:
                return self._unchanged(response.head)
            return Original(data, version, lifetime_of(response.head) if self.has_lifetimes else None)

        original = self._client.follow(hops, condition, use)
        if original is None:  # a 304 to what was not asked: once more, without a condition
            condition, hops.url = {}, hops.first
            original = self._client.follow(hops, condition, use)
        if original is None:
            hops.why = "304 without a condition"
            raise StorageFailed
        return original

    def _unchanged(self, head: Head) -> Unchanged:
        return Unchanged(new_lifetime_of(head) if self.has_lifetimes else None)

    def _version(self, hops: Hops) -> Version:
        def use(response: Response) -> Version:
            if response.head.status == 304:
                raise StorageFailed
            version = version_of(response.head, None)
            if version.token is None:
                version = version_of(response.head, response.body(self._max_bytes))
            return version

        return self._client.follow(hops, {}, use)


def _fault_of(hops: Hops, outcome: str, error: ThumbError) -> Fault:
    cause = error.__cause__
    why = hops.why or (str(cause) if isinstance(cause, Fault) else type(cause).__name__ if cause else error.code)
    fault = Fault(f"{hops.first.shown}: {outcome} ({why})")
    fault.__cause__ = cause
    return fault


def _outcome_of(error: ThumbError) -> str:
    """The label of the metric."""
    if isinstance(error, SourceDenied):
        return "refused"
    if isinstance(error, SourceMissing):
        return "missing"
    if isinstance(error, SourceTooLarge):
        return "too_large"
    return "timeout" if isinstance(error, StorageTimeout) else "failed"
