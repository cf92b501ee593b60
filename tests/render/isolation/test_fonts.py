"""Where fontconfig looks for fonts, found in its configuration (fonts-conf(5))."""

from pathlib import Path

import pytest

from thumbs.render.isolation import fonts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, and no variable that leads elsewhere."""
    for name in ("FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def found() -> set[Path]:
    return set(fonts.font_paths.__wrapped__())


def made(path: Path, text: str | None = None) -> Path:
    """A directory, or a file with `text`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    return path


def _no_such_user(user: int) -> None:
    raise KeyError(user)


def config(inside: str) -> str:
    return (
        f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>{inside}</fontconfig>'
    )


def test_the_usual_directories_are_found(home: Path) -> None:
    usual = [made(home / ".fonts"), made(home / ".local/share/fonts"), made(home / ".cache/fontconfig")]
    usual += [made(home / ".config/fontconfig")]
    assert set(usual) <= found()
    assert found() & {Path("/usr/share/fonts"), Path("/usr/local/share/fonts")} == {
        path for path in (Path("/usr/share/fonts"), Path("/usr/local/share/fonts")) if path.exists()
    }


def test_nothing_else_is(home: Path) -> None:
    made(home / "secret", "canary")
    for path in found():
        assert path.is_relative_to(home / ".config") or path.parts[:2] in (("/", "usr"), ("/", "etc"), ("/", "var"))
        assert path not in (Path("/etc"), Path("/usr"), Path("/usr/share"), Path("/var"), Path("/var/cache"), home)


def test_the_variables_of_the_xdg_base_directories_count(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [made(home / "data/fonts"), made(home / "shared/fonts"), made(home / "cache/fontconfig")]
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"{home / 'absent'}:{home / 'shared'}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    assert set(places) <= found()


def test_a_configuration_names_directories_and_further_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (absolute, own, relative, cache, xdg) = (
        made(home.parent / name)
        for name in ("absolute", "home/own", "conf/relative", "cache", "home/.local/share/more-fonts")
    )
    first = made(
        home.parent / "conf/my.conf",
        config(
            f"<dir>{absolute}</dir><dir>~/own</dir><dir prefix='relative'>relative</dir><cachedir>{cache}</cachedir>"
            "<dir prefix='xdg'>more-fonts</dir><dir>/no/such/directory</dir>"
            "<include>conf.d</include><include ignore_missing='yes'>absent.conf</include><include>my.conf</include>"
        ),
    )
    below = made(home.parent / "below")
    made(home.parent / "conf/conf.d/10-below.conf", config(f"<dir>{below}</dir>"))
    linked = made(home.parent / "available/linked.conf", config(f"<dir>{made(home.parent / 'linked')}</dir>"))
    (home.parent / "conf/conf.d/20-linked.conf").symlink_to(linked)
    made(home.parent / "conf/conf.d/README", config(f"<dir>{made(home.parent / 'unread')}</dir>"))
    made(home.parent / "conf/conf.d/30-broken.conf", "<fontconfig><dir>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(first))
    assert {absolute, own, relative, cache, xdg, below, home.parent / "linked", first} <= found()
    assert home.parent / "conf/conf.d/20-linked.conf" in found()
    assert home.parent / "unread" not in found()
    monkeypatch.setenv("FONTCONFIG_FILE", "my.conf")
    monkeypatch.setenv("FONTCONFIG_PATH", str(home.parent / "conf"))
    assert {absolute, below} <= found()


def test_a_font_that_is_a_link_is_found_where_it_lies(home: Path) -> None:
    elsewhere = made(home.parent / "elsewhere/font.ttf", "font")
    folder = made(home.parent / "package")
    fonts_of_user = made(home / ".fonts")
    (fonts_of_user / "font.ttf").symlink_to(elsewhere)
    (fonts_of_user / "package").symlink_to(folder)
    (fonts_of_user / "gone.ttf").symlink_to(home / "gone.ttf")
    (fonts_of_user / "loop").symlink_to(home)
    (fonts_of_user / "root").symlink_to("/")
    assert {elsewhere, folder} <= found()
    assert not {home, Path("/")} & found()


def test_a_user_without_a_home_directory_has_fonts_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made(home / "cwd"))
    made(home / "cwd/~/.fonts")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", _no_such_user)
    assert all(path.is_absolute() and not path.is_relative_to(home) for path in found())


def test_what_may_not_be_read_is_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".fonts").symlink_to(home / ".fonts")  # as unreadable as another user's, for root too
    monkeypatch.setenv("FONTCONFIG_FILE", str(made(home / "folder")))
    made(home / "folder/10-loop.conf", config("<include>10-loop.conf</include>"))
    (home / "folder/20-loop.conf").symlink_to(home / "folder/20-loop.conf")
    assert home / "folder" in found()
    assert home / ".fonts" not in found()
