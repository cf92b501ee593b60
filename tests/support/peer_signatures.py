"""Which URLs other image servers take for signed: the rules of their sources, written anew without our code.

Each function says whether the server accepts a target, given as characters U+0000 to U+00FF, from its first slash on.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from tests.support.recorded_rows import Row, setup_of

Accepts = Callable[[str], bool]
_HASH = re.compile(r"/*(?:(?P<unsafe>unsafe/)|(?P<hash>[A-Za-z0-9\-_=]{8,})/)?(?P<path>.+)?")
_MERGED = re.compile(r"/plain/(\S+):/([^/])")


def imgproxy(pairs: Iterable[tuple[bytes, bytes]], size: int = 32) -> Accepts:
    """`pairs` of a key and a salt. It compares decoded bytes, so that unused bits of the last character may differ."""

    def accepts(target: str) -> bool:
        path = target.split("?", maxsplit=1)[0]
        path = path[1:] if path.startswith("//") else path
        signature, _, rest = path[1:].partition("/")
        before, plain, source = f"/{rest}".partition("/plain/")
        rest = before.replace("%3A", ":") + plain + source
        for scheme, after in _MERGED.findall(rest):
            merged = f"/plain/{scheme}:/{after}"
            whole = f"/plain/{scheme}:///{after}" if scheme == "local" else f"/plain/{scheme}://{after}"
            rest = rest.replace(merged, whole, 1)
        if not re.fullmatch(r"[A-Za-z0-9_\-]+", signature) or len(signature) % 4 == 1:
            return False
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        message = rest.encode("latin-1")
        return any(hmac.new(key, salt + message, hashlib.sha256).digest()[:size] == given for key, salt in pairs)

    return accepts


def thumbor(keys: Iterable[bytes]) -> Accepts:
    def accepts(target: str) -> bool:
        signature, _, message = target.split("?", maxsplit=1)[0][1:].partition("/")
        given = unquote_to_bytes(signature)
        digests = (hmac.new(key, message.encode("latin-1"), hashlib.sha1).digest() for key in keys)
        return any(base64.urlsafe_b64encode(digest) == given for digest in digests)

    return accepts


def imagor(keys: Iterable[bytes], algorithm: str = "sha1", length: int | None = None) -> Accepts:
    """It reads the raw path, and where that is refused the one that is decoded as a query is."""

    def is_signed(path: bytes) -> bool:
        match = _HASH.match(path.decode("latin-1"))
        assert match is not None
        message = (match["path"] or "").encode("latin-1")
        signatures = (base64.urlsafe_b64encode(hmac.new(key, message, algorithm).digest())[:length] for key in keys)
        return match["hash"] is not None and match["hash"].encode() in signatures

    def accepts(target: str) -> bool:
        path = target.split("?", maxsplit=1)[0]
        if re.search("%(?![0-9A-Fa-f]{2})", path):
            return False
        raw = path.encode("latin-1")
        return is_signed(raw) or is_signed(unquote_to_bytes(raw.replace(b"+", b" ")))

    return accepts


def go_mage(keys: Iterable[bytes], algorithm: str = "sha256", start: int = 0, length: int = 16) -> Accepts:
    def accepts(target: str) -> bool:
        path = target.split("?", maxsplit=1)[0]
        if re.search("%(?![0-9A-Fa-f]{2})", path):
            return False
        signature, _, rest = unquote_to_bytes(path.encode("latin-1"))[1:].partition(b"/")
        texts = (base64.urlsafe_b64encode(hmac.new(key, b"/" + rest, algorithm).digest()) for key in keys)
        return signature in {text[start : start + length] for text in texts}

    return accepts


def peer_of(row: Row) -> Accepts:
    """The server that answered a recorded row, with the keys that it had."""
    (conf, *_), name = setup_of(row), row.dialect
    if name == "imgproxy":
        keys, salts = ([each] if isinstance(each, str) else each for each in (conf["key"], conf["salt"]))
        pairs = [(bytes.fromhex(key), bytes.fromhex(salt)) for key, salt in zip(keys, salts, strict=True)]
        return imgproxy(pairs, conf.get("signature_size", 32))
    secrets = [conf["key"].encode()]
    if name == "mage":
        options = (conf.get("signer", "sha256"), conf.get("signature_start", 0), conf.get("signature_length", 16))
        return go_mage(secrets, *options)
    if row.setup == "imagor-sha256":
        return imagor(secrets, "sha256", 40)
    return imagor(secrets) if name == "imagor" else thumbor(secrets)
