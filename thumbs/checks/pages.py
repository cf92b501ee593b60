"""A system check of the playground: pages that sign URLs are not for every client of a network."""

from collections.abc import Sequence

from django.core import checks

from thumbs.checks.config import TAG, message
from thumbs.conf.document import SIGNING_PAGES
from thumbs.http.loopback import is_loopback
from thumbs.problems import Problem
from thumbs.wiring.process import configuration

EXPOSED = "thumbs.E038"
_hosts: list[str] = []


def use_hosts(hosts: Sequence[str]) -> None:
    """Check `hosts` from now on, in this process, instead of the one of the configuration."""
    _hosts[:] = hosts


def most_exposed(hosts: Sequence[str]) -> str:
    """The first of `hosts` that clients of the network reach; the first of all where there is none."""
    return next((host for host in hosts if not is_loopback(host)), hosts[0])


@checks.register(TAG)
def check_playground(**_: object) -> list[checks.CheckMessage]:
    """Whether a playground that signs and lists is for this machine only, or for clients with its token.

    In a site, which has no `host` among its keys, its pages are for staff only.
    """
    document = configuration().document
    if document.playground != SIGNING_PAGES or document.playground_token or document.host is None:
        return []
    host = most_exposed(_hosts or [document.host])
    if is_loopback(host):
        return []
    sentence = f"is {SIGNING_PAGES!r}, and the server listens at {host}: any client could sign URLs and list originals."
    hint = 'Set "playground_token" to a long random text, "host" (or --bind) to 127.0.0.1, or "playground" to "on".'
    return [message(Problem(EXPOSED, "playground", sentence, hint))]
