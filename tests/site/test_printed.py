"""A URL as it is printed: each part of its decoded path has a place in it, and signatures are left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import mistaken
from thumbs.http.messages import quoted_path
from thumbs.http.targets import decoded_path
from thumbs.request.mistakes.located import Mistake
from thumbs.site.printed import printed, target_of

_URLS = st.text("/:%#?2Fé\udcffaB\n\u202e猫", max_size=30) | st.builds(
    "{}{}".format, st.sampled_from(["", "https://example.com", "x://[", "/a", "%2F"]), mistaken.paths()
)


@given(_URLS)
def test_the_path_is_the_one_that_a_client_asks_for(url: str) -> None:
    shown = printed(url)
    assert shown.path.encode(errors="surrogateescape") == decoded_path(target_of(url))
    assert len(shown.places) == len(shown.path) + 1
    assert list(shown.places) == sorted(shown.places)
    assert shown.text.isprintable()


@given(_URLS)
def test_a_printed_url_names_the_same_path(url: str) -> None:
    assert printed(printed(url).text).path == printed(url).path


@given(mistaken.paths())
def test_each_character_of_a_path_is_found_in_the_encoded_url(path: str) -> None:
    path = f"/{path}"
    shown = printed("https://example.com" + quoted_path(path) + "?x=1#y")
    assert shown.path == path
    for offset, char in enumerate(path):
        located = shown.located(Mistake(offset, char, "It is wrong."))
        assert located.text == quoted_path(char)
        assert shown.text[located.offset : located.end] == located.text


def test_what_a_terminal_would_not_print_is_percent_encoded() -> None:
    shown = printed("/a\x1b[31m\n\udcff\u202e/é")
    assert shown.text == "/a%1B[31m%0A%FF%E2%80%AE/é"
    assert shown.located(Mistake(shown.path.index("é"), "é", "It is wrong.")).text == "é"


def test_a_password_is_left_out() -> None:
    shown = printed("https://user:secret@example.com/a/b@c")
    assert shown.text == "https://example.com/a/b@c"
    assert shown.located(Mistake(1, "a", "It is wrong.")) == Mistake(20, "a", "It is wrong.")


def test_a_nearest_part_is_encoded_as_a_url_is() -> None:
    assert printed("/a/b").located(Mistake(1, "a", "It is wrong.", "é x")).nearest == "%C3%A9%20x"


@pytest.mark.parametrize("signature", ["AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA", "%41AAAAAAAAAAAAAAAAAAAAA=="])
@pytest.mark.parametrize("storage", ["signed", "open", "sigend"])
def test_a_signature_is_left_out_and_what_follows_keeps_its_place(signature: str, storage: str) -> None:
    shown = printed(f"https://example.com/img/{storage}/thumbs/{signature}/50x/f:q(0)/a.jpg").without_signature(
        {"open"}
    )
    assert shown.text == f"https://example.com/img/{storage}/thumbs/[signature]/50x/f:q(0)/a.jpg"
    assert list(shown.places) == sorted(shown.places)
    start = shown.path.index("A")
    stop = shown.path.index("/50x")
    assert shown.located(Mistake(start, shown.path[start:stop], "It is wrong.")).text == "[signature]"
    assert shown.located(Mistake(shown.path.index("q(0)"), "q(0)", "It is wrong.")).text == "q(0)"


@pytest.mark.parametrize(
    "path",
    [
        *("/signed/thumb/{}/50x/a", "/signed/Thumbs/{}/50y/a", "/signed/{}/50x/a", "/{}/50x/a", "/img/thumbs/{}/50x/a"),
        *("/sigend/thumbs/{}/50y/a", "/open/thumbs/{}/50x/a", "/signed/thumbs/{}", "/signed/thumbs/{}/a"),
        *("/signed/thumbs/x/{}/50x/a", "/signed/thumbs//{}/50x/a"),
    ],
)
def test_a_signature_is_left_out_of_a_url_with_other_mistakes_too(path: str) -> None:
    signature = "vP5dXcSfQoAaBbCcDdEeFf"
    shown = printed(path.format(signature)).without_signature({"open"})
    assert shown.text == path.format("[signature]")
    located = shown.located(Mistake(shown.path.index(signature), signature, "It is wrong.", f"x/{signature}"))
    assert (located.text, located.nearest) == ("[signature]", "")


@pytest.mark.parametrize(
    ("rest", "is_hidden"), [("50y/a", False), ("averylongdirectoryname/a", False), ("x/a", True), ("50x", True)]
)
def test_a_directory_of_an_unsigned_storage_is_no_signature(rest: str, is_hidden: bool) -> None:
    shown = printed(f"/open/thumbs/2024-Summer-Holidays/{rest}")
    assert ("[signature]" in shown.without_signature({"open"}).text) is is_hidden
    assert "[signature]" not in printed("/signed/thumbs/averylongdirectoryname/a").without_signature().text
