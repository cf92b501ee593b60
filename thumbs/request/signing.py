"""Signatures of thumbnail URLs: the string that is signed is the string that is parsed."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from thumbs.errors import SignatureRefused

DEFAULT_LENGTH = 22  # characters of base64url: 132 bits, of which HMAC-SHA256 gives 128 and more
MINIMUM_LENGTH = 16  # 96 bits
MAXIMUM_LENGTH = 43  # all of SHA-256


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first secret, verifies with all of them, so that a secret can be rotated out.

    A message is the decoded path from `/{storage}/thumbs/` on, without its signature segment (SPEC 3).
    """

    secrets: Sequence[bytes] = field(repr=False)
    length: int = DEFAULT_LENGTH

    def sign(self, message: str) -> str:
        return _signature(self.secrets[0], message)[: self.length]

    def verify(self, message: str, signature: str) -> None:
        """Raise `SignatureRefused` unless one of the secrets gives `signature`, compared in constant time."""
        given = signature.encode()
        good = False
        for secret in self.secrets:  # all of them, so that time does not tell which one fits
            good |= hmac.compare_digest(_signature(secret, message)[: self.length].encode(), given)
        if not good:
            raise SignatureRefused


def _signature(secret: bytes, message: str) -> str:
    digest = hmac.digest(secret, message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
