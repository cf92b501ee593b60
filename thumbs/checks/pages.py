"""A system check of the playground: pages that sign URLs are not for every client of a network."""

from django.core import checks

from thumbs.checks.config import TAG, message
from thumbs.conf.document import SIGNING_PAGES
from thumbs.http.loopback import is_loopback
from thumbs.problems import Problem
from thumbs.wiring.process import configuration

EXPOSED = "thumbs.E038"
_hosts: list[str] = []


def use_host(host: str) -> None:
    """Check `host` from now on, in this process, instead of the one of the configuration."""
    _hosts[:] = [host]


@checks.register(TAG)
def check_playground(**_: object) -> list[checks.CheckMessage]:
    """Whether a playground that signs and lists is for this machine only, or for clients with its token.

    In a site, which has no `host` among its keys, its pages are for staff only.
    """
    document = configuration().document
    host = next(iter(_hosts), document.host)
    if document.playground != SIGNING_PAGES or document.playground_token or document.host is None or host is None:
        return []
    if is_loopback(host):
        return []
    sentence = f"is {SIGNING_PAGES!r}, and the server listens at {host}: any client could sign URLs and list originals."
    hint = 'Set "playground_token" to a long random text, "host" (or --bind) to 127.0.0.1, or "playground" to "on".'
    return [message(Problem(EXPOSED, "playground", sentence, hint))]
