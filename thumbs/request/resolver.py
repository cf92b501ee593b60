"""Resolves the requests of all fronts: those of our own grammar, and those that are translated into it."""

from collections.abc import Callable, Mapping

from thumbs.errors import BadRequest
from thumbs.request.grammar import Target
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve, thumb_of

# Reads a URL of another image server: from the path of a dialect and the rest of the target, as it was received, to the
# name of a storage and a target. Raises as `resolve` does.
Translate = Callable[[str, bytes, Mapping[str, StoragePolicy]], tuple[str, Target]]
Resolver = Callable[[bytes, tuple[str, ...], str], ThumbRequest]


def resolver(policies: Mapping[str, StoragePolicy], translate: Translate | None) -> Resolver:
    """The function that resolves a path, the formats for `auto`, and the path of a dialect, empty for our own grammar.

    It is pure, and raises as `resolve` does.
    """

    def find(path: bytes, accepted: tuple[str, ...], dialect: str) -> ThumbRequest:
        if not dialect:
            return resolve(path, accepted, policies)
        if translate is None:
            raise BadRequest
        name, target = translate(dialect, path, policies)
        return thumb_of(target, accepted, policies[name])

    return find
