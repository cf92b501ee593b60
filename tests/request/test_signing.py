"""Signatures agree with an independent HMAC, and every edited URL is refused."""

import base64
import hashlib
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import strategies
from thumbs.errors import SignatureRefused, ThumbError
from thumbs.image.geometry import OutputLimits
from thumbs.request.grammar import Address, address, split
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import resolve
from thumbs.request.signing import DEFAULT_LENGTH, MAXIMUM_LENGTH, Signer

SECRET = b"only for tests"
MESSAGE = "/photos/thumbs/400x300/filters:format(webp)/cats/tom.jpg"


def hmac_by_hand(secret: bytes, message: bytes) -> bytes:
    """RFC 2104, section 2, with SHA-256 (block size 64)."""
    key = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def signature_by_hand(secret: bytes, message: str, length: int) -> str:
    text = base64.b64encode(hmac_by_hand(secret, message.encode())).decode()
    return text.replace("+", "-").replace("/", "_").replace("=", "")[:length]


def policy(*secrets: bytes) -> dict[str, StoragePolicy]:
    signed = {"photos": Signer(secrets), "others": Signer(secrets)}
    return {name: StoragePolicy(name, {}, OutputLimits(), signer) for name, signer in signed.items()}


# ------------------------------------------------------------------------------ one signature


@given(
    st.binary(min_size=1, max_size=200),
    strategies.texts,
    st.integers(16, MAXIMUM_LENGTH),
)
def test_a_signature_is_what_the_rfc_says(secret: bytes, message: str, length: int) -> None:
    assert Signer((secret,), length).sign(message) == signature_by_hand(secret, message, length)


def test_the_hand_made_hmac_agrees_with_rfc_4231() -> None:
    assert hmac_by_hand(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_signature_has_128_bits_unless_the_storage_says_otherwise() -> None:
    signature = Signer((SECRET,)).sign(MESSAGE)
    assert len(signature) == DEFAULT_LENGTH == 22
    assert Signer((SECRET,), MAXIMUM_LENGTH).sign(MESSAGE).startswith(signature)


def test_a_signature_of_its_own_verifies() -> None:
    signer = Signer((SECRET,))
    signer.verify(MESSAGE, signer.sign(MESSAGE))


SIGNATURE = signature_by_hand(SECRET, MESSAGE, DEFAULT_LENGTH)


@pytest.mark.parametrize(
    "wrong",
    [
        *("", SIGNATURE[:-1], SIGNATURE[1:], SIGNATURE + "A", SIGNATURE + "=", SIGNATURE + " ", SIGNATURE.swapcase()),
        *(SIGNATURE[:-1] + "é", " " + SIGNATURE, SIGNATURE[::-1]),
    ],
)
def test_a_signature_that_is_longer_shorter_or_of_other_text_is_refused(wrong: str) -> None:
    with pytest.raises(SignatureRefused):
        Signer((SECRET,)).verify(MESSAGE, wrong)


def test_more_characters_than_the_configured_length_are_refused() -> None:
    with pytest.raises(SignatureRefused):
        Signer((SECRET,)).verify(MESSAGE, signature_by_hand(SECRET, MESSAGE, MAXIMUM_LENGTH))


# ------------------------------------------------------------------------------------ rotation


def test_the_first_secret_signs_and_all_of_them_verify() -> None:
    old, both, new = Signer((b"old",)), Signer((b"new", b"old")), Signer((b"new",))
    assert both.sign(MESSAGE) == new.sign(MESSAGE) != old.sign(MESSAGE)
    both.verify(MESSAGE, old.sign(MESSAGE))
    both.verify(MESSAGE, new.sign(MESSAGE))


def test_a_secret_that_was_rotated_out_signs_nothing_any_more() -> None:
    with pytest.raises(SignatureRefused):
        Signer((b"new",)).verify(MESSAGE, Signer((b"old",)).sign(MESSAGE))


def test_secrets_are_not_shown() -> None:
    assert "only for tests" not in repr(Signer((SECRET,)))


# ---------------------------------------------------------------------------------------- URLs


def signed_path(target: str, storage: str = "photos") -> bytes:
    signature = signature_by_hand(SECRET, f"/{storage}/thumbs/{target}", DEFAULT_LENGTH)
    return f"/{storage}/thumbs/{signature}/{target}".encode()


TARGET = "400x300/filters:format(webp);quality(70);expires(1900000000)/cats/Tom & Jerry? 100%/été.jpg/as/tom.webp"


def test_a_signed_url_is_accepted_by_its_storage_only() -> None:
    path = signed_path(TARGET)
    assert resolve(path, (), policy(SECRET)).path == "cats/Tom & Jerry? 100%/été.jpg"
    with pytest.raises(SignatureRefused):
        resolve(path.replace(b"/photos/", b"/others/"), (), policy(SECRET))


def test_a_signature_is_verified_before_the_target_is_parsed() -> None:
    with pytest.raises(SignatureRefused):
        resolve(b"/photos/thumbs/AAAAAAAAAAAAAAAAAAAAAA/nonsense", (), policy(SECRET))
    with pytest.raises(ThumbError) as caught:
        resolve(signed_path("nonsense"), (), policy(SECRET))
    assert caught.value.status == 400


def mutants(path: bytes, count: int, seed: int) -> Iterator[bytes]:
    """`count` different paths that are one edit away: a byte replaced, removed, inserted, doubled or swapped."""
    seen = {path}
    chance = random.Random(seed)
    while len(seen) <= count:
        place, byte = chance.randrange(len(path)), bytes([chance.randrange(256)])
        before, here, after = path[:place], path[place : place + 1], path[place + 1 :]
        edit = chance.choice(
            [before + byte + after, before + after, before + byte + here + after, before + after[:1] + here + after[1:]]
        )
        if edit not in seen:
            seen.add(edit)
            yield edit


def accepted(path: bytes, count: int) -> list[bytes]:
    known = policy(SECRET)
    taken = []
    for mutant in mutants(path, count, seed=4):
        try:
            resolve(mutant, (), known)
        except ThumbError:
            continue
        taken.append(mutant)
    return taken


def test_no_single_edit_of_a_signed_url_is_accepted() -> None:
    assert accepted(signed_path(TARGET), 20_000) == []


@pytest.mark.slow
def test_none_of_a_hundred_thousand_single_edits_is_accepted() -> None:
    assert accepted(signed_path(TARGET + "x" * 40 + ".webp"), 60_000) == []
    assert accepted(signed_path("x/" + "Ünïcode/" * 20 + "a.jpg"), 40_000) == []


def random_path(chance: random.Random) -> str:
    """A request of pieces that are ambiguous when joined without separators."""
    pieces = [
        "a",
        "b",
        "x",
        "/",
        "//",
        "thumbs",
        "/thumbs/",
        "photos",
        "1x1",
        ":",
        ";",
        "filters:",
        "as",
        "-",
        "_",
        "%2F",
    ]
    rest = "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 12)))
    return f"/{chance.choice(['a', 'b', 'ab', 'photos'])}/thumbs/{rest}"


@pytest.mark.slow
def test_a_hundred_thousand_requests_have_a_hundred_thousand_messages() -> None:
    chance = random.Random(100_000)
    requests: set[tuple[str, str]] = set()
    messages: set[str] = set()
    while len(requests) < 100_000:
        storage, rest = split(random_path(chance))
        found = address(storage, f"SIGNATURE-TAKEN-OUT/{rest}", signed=True)
        assert found == Address(storage, "SIGNATURE-TAKEN-OUT", rest)
        requests.add((found.storage, found.target))
        messages.add(found.message)
    assert len(messages) == len(requests)
