"""Request targets byte for byte, on raw sockets: the same verdict in every front."""

import pytest

from tests.support.fronts import Fronts
from tests.support.targets import _GOOD, RAW_TARGETS


@pytest.mark.parametrize(("target", "status"), RAW_TARGETS, ids=[repr(row[0][:60])[2:-1] for row in RAW_TARGETS])
def test_a_target_has_the_same_verdict_in_every_front(fronts: Fronts, target: bytes, status: int) -> None:
    found = {front.name: front.raw(target.replace(b"@", front.prefix.encode(), 1)).status for front in fronts.servers}
    assert found == dict.fromkeys(found, status)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://localhost@local/thumbs/90x60/quarters.jpg", 200),
        (b"http://elsewhere.example:99@local/thumbs/90x60/quarters.jpg?x", 200),
        (b"HTTPS://localhost@local/thumbs/90x60/absent.jpg", 404),
        (b"http://localhost@local/thumbs/90x60/%2e%2e/quarters.jpg", 400),
        (b"http://[::1]:80@local/thumbs/90x60/quarters.jpg", 200),
        (b"http://user@host@local/thumbs/90x60/quarters.jpg", 400),
        (b"http://user:secret@host@local/thumbs/90x60/quarters.jpg", 400),
        (b"http://localhost@local/thumbs/90x60/quarters.jpg#part", 400),
        (b"http://localhost:port@local/thumbs/90x60/quarters.jpg", 400),
        (b"http://@host@local/thumbs/90x60/quarters.jpg", 400),
        (b"http://@local/thumbs/90x60/quarters.jpg", 400),
        (b"ftp://localhost@local/thumbs/90x60/quarters.jpg", 400),
    ],
)
def test_a_target_in_absolute_form_is_read_as_its_path(fronts: Fronts, target: bytes, status: int) -> None:
    # Gunicorn's asgi worker gives the whole target to Django as the path, so that no view of any site is found.
    able = [front for front in fronts.servers if front.name != "site-asgi"]
    targets = [(front, target.replace(b"@local", front.prefix.encode() + b"local")) for front in able]
    found = {front.name: front.raw(asked).status for front, asked in targets}
    assert found == dict.fromkeys(found, status)


@pytest.mark.parametrize(
    "target",
    [b"http://localhost?@local/thumbs/90x60/quarters.jpg", b"http://localhost#@local/thumbs/90x60/quarters.jpg"],
)
def test_what_some_would_read_as_a_thumbnail_is_refused_by_every_front_that_sees_it(
    fronts: Fronts, target: bytes
) -> None:
    found = {front.name: front.raw(target.replace(b"@", front.prefix.encode(), 1)).status for front in fronts.servers}
    # The two sites without a front get a request for a page that they do not have.
    assert found == {name: 404 if name.startswith("site") else 400 for name in found}


def test_what_may_be_no_thumbnail_is_the_sites(fronts: Fronts) -> None:
    for target in (b"http://localhost", b"/blog#part", b"/blog?next=/img/local/thumbs/90x60/quarters.jpg#part"):
        found = {front.name: front.raw(target).status for front in fronts.servers}
        assert found == {name: 400 if name.startswith("standalone") else 404 for name in found}


@pytest.mark.parametrize(("length", "status"), [(2047, 200), (2048, 200), (2049, 414)])
@pytest.mark.parametrize("filler", [b"?x", b"?%ff"])
def test_a_target_may_have_2048_bytes(fronts: Fronts, length: int, status: int, filler: bytes) -> None:
    for front in fronts.servers:
        target = _GOOD.replace(b"@", front.prefix.encode()) + filler
        assert front.raw(target + b"y" * (length - len(target))).status == status, front.name


def test_options_for_the_whole_server_is_not_ours(fronts: Fronts) -> None:
    assert {front.raw(b"*", method=b"OPTIONS").status for front in fronts.servers} == {404}
