"""Request targets byte for byte, on raw sockets: the same verdict in every front (SPEC 1)."""

import pytest

from tests.fronts import Fronts

_GOOD = b"@local/thumbs/90x60/quarters.jpg"
_T = b"@local/thumbs/90x60/"
RAW_TARGETS = [
    # (target, status); `@` stands for the prefix
    (_GOOD, 200),
    (_GOOD + b"?", 200),
    (_GOOD + b"?size=1", 200),
    (_GOOD + b"?/../..", 200),
    (_GOOD + b"%3Fsize=1", 404),
    (_GOOD + b"#part", 400),
    (_GOOD + b"#", 400),
    (_GOOD + b"?x#y", 400),
    (b"#" + _GOOD, 400),
    (_GOOD + b"%23part", 404),
    (_GOOD + b";type=a", 404),
    (_GOOD + b"/", 400),
    (_GOOD + b"//", 400),
    (_GOOD + b"/.", 400),
    (_GOOD + b"%00", 400),
    (_GOOD + b"%00.png", 400),
    (_GOOD + b"%0d%0aX-Injected:%201", 400),
    (_GOOD + b"%7f", 400),
    (_GOOD + b"%c2%85", 400),
    (_GOOD + b"%20", 404),
    (_GOOD + b"+", 404),
    (_GOOD + b"%", 404),
    (_GOOD + b"%2", 404),
    (_GOOD + b"%zz", 404),
    (_GOOD + b"%u002e", 404),
    (_T + b"/quarters.jpg", 400),
    (_T + b"./quarters.jpg", 400),
    (_T + b"../quarters.jpg", 400),
    (_T + b"cats/../quarters.jpg", 400),
    (_T + b"cats/%2e%2e/quarters.jpg", 400),
    (_T + b"cats/.%2E/quarters.jpg", 400),
    (_T + b"cats%2f..%2fquarters.jpg", 400),
    (_T + b"cats/..;/quarters.jpg", 404),
    (_T + b".../quarters.jpg", 404),
    (_T + b"%252e%252e/quarters.jpg", 404),
    (_T + b"%25252e/quarters.jpg", 404),
    (_T + b"quarters%252ejpg", 404),
    (_T + b"quarters%2ejpg", 200),
    (_T + b"%71uarters.jpg", 200),
    (_T + b"cats\\tom.jpg", 400),
    (_T + b"cats%5ctom.jpg", 400),
    (_T + b"..%5c..%5cquarters.jpg", 400),
    (_T + b"%ff.jpg", 400),
    (_T + b"%c0%ae%c0%ae/quarters.jpg", 400),
    (_T + b"%e0%80%af", 400),
    (_T + b"%ed%a0%80.jpg", 400),
    (_T + b"%f4%90%80%80.jpg", 400),
    (_T + b"\xff.jpg", 400),
    (_T + "Bücher/été.jpg".encode(), 400),
    (_T + b"a b.jpg", 400),
    (_T + b"a\tb.jpg", 400),
    (_T + b"a\0b.jpg", 400),
    (_T + b"%2fetc%2fpasswd", 400),
    (_T + b"file:///etc/passwd", 400),
    (_T + b"http://localhost/quarters.jpg", 400),
    (_T + b"f%3aquality(50)/quarters.jpg", 200),
    (_T + b"filters%3Aquality%2850%29/quarters.jpg", 200),
    (_T + b"x" * 256, 400),
    (_T + b"x" * 255, 404),
    (_T + b"/".join([b"x" * 200] * 5), 404),
    (_T + b"/".join([b"x" * 200] * 6), 400),
    (_GOOD.replace(b"thumbs", b"%74humbs"), 200),
    (_GOOD.replace(b"/thumbs/", b"%2Fthumbs%2F"), 200),
    (_GOOD.replace(b"local", b"%6cocal"), 200),
    (_GOOD.replace(b"local", b"local%00"), 404),
    (_GOOD.replace(b"local", b"%ff"), 400),
    (_GOOD.replace(b"90x60", b"90%78%360"), 200),
    (_GOOD.replace(b"thumbs/", b"thumbs//"), 403),
    (_GOOD.replace(b"local/", b"local//"), 404),
    (b"/" + _GOOD, 404),
    (b"//localhost" + _GOOD, 404),
    (b"/." + _GOOD, 404),
    (_GOOD[1:], 400),
    (b"", 400),
    (b"*", 400),
    (_T + b"x" * 8190, 414),
    (_T + b"x" * 70_000, 414),
]


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
    # The two sites without a front are asked for a page that they do not have.
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
