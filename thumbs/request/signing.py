"""Signatures of thumbnail URLs. The signed string is exactly the string that is parsed afterwards."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from thumbs.errors import SignatureRefused

DEFAULT_LENGTH = 22  # characters of base64url, 132 bits: RFC 2104 recommends at least half of SHA-256's
MINIMUM_LENGTH = 16  # 96 bits
MAXIMUM_LENGTH = 43  # all of SHA-256


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first secret and verifies with all of them, so that secrets can be rotated.

    A message is the decoded path from `/{storage}/thumbs/` on, without the signature segment. `length` is the number of
    characters of a signature.
    """

    secrets: Sequence[bytes] = field(repr=False)
    length: int = DEFAULT_LENGTH

    def sign(self, message: str) -> str:
        return _signature(self.secrets[0], message)[: self.length]

    def verify(self, message: str, signature: str) -> None:
        """Raise `SignatureRefused` unless `signature` was made with one of the secrets; compares in constant time."""
        given = signature.encode()
        matches = False
        for secret in self.secrets:  # no early exit: the time must not depend on which secret matches
            matches |= hmac.compare_digest(_signature(secret, message)[: self.length].encode(), given)
        if not matches:
            raise SignatureRefused


def _signature(secret: bytes, message: str) -> str:
    digest = hmac.digest(secret, message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
