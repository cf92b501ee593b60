"""The ASGI application of a site: what can be served, with a remark where it could be faster, and what is refused."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.core.management.base import CommandError
from django.test import override_settings

from thumbs.management.application import asgi_application

DJANGOS = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
WRAPPED = f"import thumbs.asgi\n{DJANGOS}application = thumbs.asgi.ThumbsASGI(application, prefix='/img/')\n"
AROUND = f"""{DJANGOS}
inner = application
async def application(scope, receive, send):
    await inner(scope, receive, send)
"""
HINT = 'application = thumbs.asgi.ThumbsASGI(get_asgi_application(), prefix="/img/")'


class _WithoutInclude:
    urlpatterns: ClassVar[list[object]] = []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package `asite` of a site whose URLconf includes nothing; its `asgi.py` is written by the test."""
    package = tmp_path / "asite"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "settings.py").write_text("BASE_DIR = 'x'\n")
    (package / "wsgi.py").write_text("def application(environ, start_response):\n    return []\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with override_settings(ASGI_APPLICATION="asite.asgi.application", ROOT_URLCONF=_WithoutInclude):
            yield package
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "asite"]:
            del sys.modules[name]


def refusal(dotted: object = "asite.asgi.application") -> str:
    with override_settings(ASGI_APPLICATION=dotted), pytest.raises(CommandError) as raised:
        asgi_application()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_wrapped_application_is_served_without_a_remark(site: Path) -> None:
    (site / "asgi.py").write_text(WRAPPED)
    assert asgi_application() == ("asite.asgi:application", "")


def test_an_include_alone_is_served_with_a_remark_on_the_wrapper(site: Path) -> None:
    (site / "asgi.py").write_text(DJANGOS)
    with override_settings(ROOT_URLCONF="tests.support.site"):
        assert asgi_application() == (
            "asite.asgi:application",
            f"Thumbnails pass through Django and its middleware. Faster, in asite.asgi: {HINT}",
        )


def test_an_application_around_ours_is_served_with_a_remark(site: Path) -> None:
    (site / "asgi.py").write_text(AROUND)
    remark = "The application of asite.asgi is not a ThumbsASGI, and the URLconf does not include thumbs.urls:"
    assert asgi_application() == ("asite.asgi:application", f"{remark} thumbnails may not be served.")


def test_a_site_without_wrapper_and_include_is_refused_with_both(site: Path) -> None:
    (site / "asgi.py").write_text(DJANGOS)
    assert refusal() == (
        f"Nothing in this site serves thumbnails. In asite.asgi: {HINT}, "
        'or in the URLconf: path("img/", include("thumbs.urls")).'
    )


@pytest.mark.parametrize(
    ("urlconf", "guess"), [("asite.urls", "asite.asgi.application"), ("urls", "mysite.asgi.application")]
)
def test_a_site_without_the_setting_is_shown_it(urlconf: str, guess: str) -> None:
    with override_settings(ROOT_URLCONF=urlconf):
        for unset in (None, ""):
            assert refusal(unset) == f"Set ASGI_APPLICATION in settings.py: ASGI_APPLICATION = {guess!r}."


@pytest.mark.parametrize("dotted", ["application", "asite.asgi:application", ".application", 3])
def test_what_is_no_dotted_path_is_refused(dotted: object) -> None:
    with override_settings(ROOT_URLCONF="asite.urls"):
        example = "'asite.asgi.application'"
        assert refusal(dotted) == (
            f"ASGI_APPLICATION takes a module and a name in it, as in {example}, not {dotted!r}."
        )


@pytest.mark.parametrize(
    ("dotted", "sentence"),
    [
        ("asite.agsi.application", "asite.agsi fails: ModuleNotFoundError: No module named 'asite.agsi'."),
        ("nosite.asgi.application", "nosite.asgi fails: ModuleNotFoundError: No module named 'nosite'."),
        (".asgi.application", ".asgi fails: TypeError: "),
        ("asite.asgi.app", "asite.asgi has no 'app'."),
    ],
)
def test_a_path_that_leads_nowhere_is_named(site: Path, dotted: str, sentence: str) -> None:
    (site / "asgi.py").write_text(WRAPPED)
    assert refusal(dotted).startswith(f"ASGI_APPLICATION is {dotted!r}, but {sentence}")


@pytest.mark.parametrize("dotted", ["asite.wsgi.application", "asite.settings.BASE_DIR"])
def test_what_is_no_asgi_application_is_refused(site: Path, dotted: str) -> None:
    with override_settings(ROOT_URLCONF="asite.urls"):
        sentence = f"ASGI_APPLICATION is {dotted!r}, which is no ASGI application."
        assert refusal(dotted) == f"{sentence} Name one such as 'asite.asgi.application'."


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ("\n1 / 0", "ZeroDivisionError: division by zero ({file}, line 2)."),
        ("raise RuntimeError('two\\n  lines')", "RuntimeError: two lines ({file}, line 1)."),
        ("import sys; sys.exit('no')", "SystemExit: no ({file}, line 1)."),
        ("raise ValueError('password=hunter22')", "ValueError: password=[hidden] ({file}, line 1)."),
        (
            "import thumbs.asgi\nthumbs.asgi.ThumbsASGI(None, prefix='img')",
            "ValueError: a prefix begins and ends with a slash, as in '/img/' ({file}, line 2).",
        ),
    ],
)
def test_a_module_that_fails_is_named_with_the_line_of_the_site(site: Path, mistake: str, sentence: str) -> None:
    file = site / "asgi.py"
    file.write_text(mistake)
    wanted = sentence.format(file=file)
    assert refusal() == f"ASGI_APPLICATION is 'asite.asgi.application', but asite.asgi fails: {wanted}"
