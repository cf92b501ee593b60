"""What can be wrong with the keys of driver `http`, and what is dangerous about them."""

import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address

from thumbs.problems import INCOMPLETE, MISSING_KEY, WRONG_VALUE, Problem
from thumbs.sources.http.client import context_of
from thumbs.sources.http.networks import WrongNetwork, nat64_prefix, network_of
from thumbs.sources.http.settings import HttpSettings, base_of
from thumbs.sources.http.url import BadUrl, Entry, is_address

OPEN_UNSIGNED = "thumbs.E034"
PLAIN_HTTP = "thumbs.W020"
UNREACHABLE_ADDRESS = "thumbs.W021"
PROXY_IGNORED = "thumbs.W022"
FEW_FETCHES = "thumbs.W023"

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?")
# Mage sets these itself, or they would change which bytes come.
_OWN = frozenset(
    {
        *("host", "connection", "range", "accept-encoding", "transfer-encoding", "te", "trailer", "upgrade"),
        *("keep-alive", "proxy-connection", "expect", "cdn-loop", "user-agent"),
    }
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_EXAMPLE = 'Such as "base_url": "https://assets.example.com/media/" or "allowed_sources": ["https://*.example.com/"].'


def problems(settings: HttpSettings) -> Iterator[Problem]:
    """Errors and warnings of the settings alone."""
    wrong = list(_value_problems(settings))
    yield from wrong
    if not wrong:
        yield from _rules(settings)


def unsigned(settings: HttpSettings) -> Iterator[Problem]:
    """Problems of a storage that has no secret: an open list lets any client use the server as a proxy."""
    for text in settings.allowed_sources:
        with suppress(BadUrl):
            if Entry.parse(text).is_open:
                sentence = f"admits any host ({text}), and the storage is not signed: any client could read from there."
                hint = 'Set "signature_secret_key", or name the hosts.'
                yield Problem(OPEN_UNSIGNED, "allowed_sources", sentence, hint)


def busy(settings: HttpSettings, fetches: int) -> Iterator[Problem]:
    """`fetches` are those of a storage in one process."""
    if settings.allowed_sources and fetches <= settings.max_conns_per_host:
        sentence = f"is not smaller than limits.fetches ({fetches}): one host that hangs takes all of them."
        yield Problem(FEW_FETCHES, "max_conns_per_host", sentence)


def checks(settings: HttpSettings) -> Iterator[Problem]:
    """Problems of the machine: files that cannot be loaded, and proxies of the environment, which are not used."""
    try:
        if settings.ca_file is not None or settings.client_cert is not None:
            context_of(settings)
    except (OSError, ssl.SSLError):
        key = "ca_file" if settings.ca_file is not None else "client_cert"
        yield Problem(WRONG_VALUE, key, "cannot be loaded, or client_key does not fit: PEM files are needed.")
    if any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXIES):
        sentence = "connects directly: the proxy that the environment names is not used."
        hint = "Through a proxy, addresses could not be checked. Name a reverse proxy in base_url instead."
        yield Problem(PROXY_IGNORED, "driver", sentence, hint)


def _value_problems(settings: HttpSettings) -> Iterator[Problem]:
    if settings.base_url is None and not settings.allowed_sources:
        yield Problem(MISSING_KEY, "base_url", "or allowed_sources is required with driver http.", _EXAMPLE)
    if settings.base_url is not None and settings.allowed_sources:
        yield Problem(INCOMPLETE, "base_url", "and allowed_sources exclude each other: make two storages of them.")
    if settings.base_url is not None:
        yield from _unreadable("base_url", (settings.base_url,), base_of)
    yield from _unreadable("allowed_sources", settings.allowed_sources, Entry.parse)
    yield from _unreadable("allowed_redirects", settings.allowed_redirects, Entry.parse)
    yield from _unreadable("allowed_networks", settings.allowed_networks, network_of)
    yield from _unreadable("nat64_prefixes", settings.nat64_prefixes, nat64_prefix)
    if settings.user_agent is not None and not _VALUE.fullmatch(settings.user_agent):
        yield Problem(WRONG_VALUE, "user_agent", "must be printable ASCII.")
    for name, value in settings.request_headers.items():
        lower = name.lower()
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            yield Problem(WRONG_VALUE, "request_headers", "must be header names and values of printable ASCII.")
        elif lower in _OWN or lower.startswith(("content-", "if-")):
            sentence = f"cannot hold {name}: Mage sets it itself, or it would change which bytes come."
            yield Problem(WRONG_VALUE, "request_headers", sentence)


def _unreadable(key: str, texts: tuple[str, ...], parse: Callable[[str], object]) -> Iterator[Problem]:
    for text in texts:
        try:
            parse(text)
        except (BadUrl, WrongNetwork) as error:
            # No text: user information in it would be a secret.
            yield Problem(WRONG_VALUE, key, f"must be {error}.")


def _rules(settings: HttpSettings) -> Iterator[Problem]:
    key = "allowed_sources" if settings.base_url is None else "base_url"
    if settings.request_headers and any(entry.exact is None for entry in settings.sources):
        yield Problem(INCOMPLETE, "request_headers", "would be sent to all hosts that a wildcard admits.")
    if settings.client_key is not None and settings.client_cert is None:
        yield Problem(INCOMPLETE, "client_key", "has no effect without client_cert.")
    for entry in settings.redirects:
        place = key if entry in settings.sources else "allowed_redirects"
        if is_address(entry.host):
            refusal = settings.networks.refusal(ip_address(entry.host))
            if refusal is not None:
                sentence = f"names an address in {refusal.network}, so no connection to it is opened."
                yield Problem(UNREACHABLE_ADDRESS, place, sentence, "Name its network in allowed_networks.")
        if entry.scheme == "http" and not _is_inside(entry, settings):
            sentence = f"reads {entry} without TLS: what is between can replace the pictures."
            yield Problem(PLAIN_HTTP, place, sentence, "Use https, or name the network in allowed_networks.")
    if settings.request_headers and any(origin.scheme == "http" for origin in settings.trusted):
        yield Problem(PLAIN_HTTP, "request_headers", "are sent without TLS.")


def _is_inside(entry: Entry, settings: HttpSettings) -> bool:
    """Whether the host is in an allowed network. That of a name is not known before it is looked up."""
    if not is_address(entry.host):
        return bool(settings.allowed_networks)
    address = ip_address(entry.host)
    return any(address in network_of(text) for text in settings.allowed_networks)
