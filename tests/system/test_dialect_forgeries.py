"""Of the forgeries of signed URLs none is accepted that the other image server refuses, or asks for anything else."""

from collections.abc import Callable

import pytest

from tests.support import peer_signatures
from tests.support.forged_urls import SIGNED, forged, signed_urls
from tests.support.peer_signatures import Accepts, peer_of
from tests.support.recorded_rows import SIGNED_SETUPS, Row, rows
from thumbs.errors import BadRequest, SignatureRefused
from thumbs.request.dialects.dialect import Asked, Dialect
from thumbs.request.dialects.translating import read

FORGERIES = 20_000
PEERS: dict[str, Callable[[Dialect], Accepts]] = {
    "imgproxy": lambda each: peer_signatures.imgproxy(
        list(zip(each.keys, each.salts, strict=True)), each.signature_size
    ),
    "thumbor": lambda each: peer_signatures.thumbor(each.keys),
    "imagor": lambda each: peer_signatures.imagor(each.keys, each.signer, each.signature_length or None),
    "mage": lambda each: peer_signatures.go_mage(each.keys, each.signer, each.signature_start, each.signature_length),
}
TRUSTED = "/trusted-one/"


def _asked(dialect: Dialect, url: str) -> Asked | BadRequest | None:
    """What is asked for; an error of a verified URL; None for one that is not verified."""
    try:
        return read(url.encode("latin-1"), dialect)
    except SignatureRefused:
        return None
    except BadRequest as error:
        return error


@pytest.mark.parametrize(
    "row",
    [row for name in ("imgproxy", "thumbor", "imagor", "mage") for row in rows(name) if row.setup in SIGNED_SETUPS],
    ids=lambda row: f"{row.dialect}-{row.url[:60]}",
)
def test_the_rules_that_forgeries_are_judged_by_are_those_of_the_real_servers(row: Row) -> None:
    url = row.url.removeprefix("/thumbs").removeprefix("/t/") if row.dialect == "mage" else row.url
    accepted = peer_of(row)("/" + url.lstrip("/"))
    if row.status == 200 and not row.url.startswith(TRUSTED):
        assert accepted
    elif row.status == 403:
        assert not accepted


@pytest.mark.parametrize("name", SIGNED)
def test_a_forgery_is_refused_as_by_the_real_server(name: str) -> None:
    dialect, urls = SIGNED[name], signed_urls(name)
    accepts = PEERS[dialect.name](dialect)
    assert all(map(accepts, urls))
    known = [_asked(dialect, url) for url in urls]
    assert all(isinstance(each, Asked) for each in known)
    accepted = refused = 0
    for seed in range(FORGERIES):
        url = forged(seed, urls)
        found = _asked(dialect, url)
        if isinstance(found, Asked):
            accepted += 1
            assert accepts(url), (seed, url)
            assert found in known, (seed, url)
        refused += found is None
    assert accepted > FORGERIES // 100
    assert refused > FORGERIES // 2
