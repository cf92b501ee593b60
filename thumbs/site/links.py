"""Where thumbnail URLs begin, and how their targets are signed."""

from django.urls import NoReverseMatch, reverse

from thumbs.problems import nearest
from thumbs.request.grammar import Address
from thumbs.request.policy import StoragePolicy
from thumbs.site.private_views import private_mount
from thumbs.wiring.process import current


class UnknownStorage(LookupError):
    """No storage has this name. The message names the nearest one."""


def signed(storage: str, target: str) -> str:
    """`{storage}/thumbs/[{signature}/]{target}`, not yet percent-encoded. Raises `UnknownStorage`."""
    signer = policy_of(storage).signer
    signature = f"{signer.sign(Address(storage, None, target).message)}/" if signer else ""
    return f"{storage}/thumbs/{signature}{target}"


def policy_of(storage: str) -> StoragePolicy:
    """The policy of a storage. Raises `UnknownStorage`."""
    policies = current().policies
    if storage not in policies:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, policies)}")
    return policies[storage]


def mount_of(storage: str) -> str:
    """The start of the URLs of this storage: of a private one, the path of the view that serves it."""
    found = private_mount(storage) if policy_of(storage).private else None
    return mount() if found is None else found


def mount() -> str:
    """The start of every URL, before `{storage}/thumbs/…`: the `url_prefix`, else the path of the include, else `/`."""
    configured = current().read.document.url_prefix
    if configured is not None:
        return configured
    probe = "x/thumbs/x"
    try:
        return reverse("thumbs:thumbnail", kwargs={"path": probe}).removesuffix(probe)
    except NoReverseMatch:  # no include: a wrapper serves the thumbnails
        return "/"
