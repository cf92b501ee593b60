"""Which codecs there are, found without importing one, and what the configuration is told where one is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from thumbs import extras
from thumbs.conf import codecs, installation
from thumbs.conf.loading import load
from thumbs.image.formats import FORMATS


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    codecs.forget()
    yield
    codecs.forget()


def install(monkeypatch: pytest.MonkeyPatch, *names: str, own_libvips: bool = False, jxl: bool = False) -> None:
    """Let only these extras be installed, and perhaps a libvips of the system that has libjxl or not."""
    monkeypatch.setattr(extras, "is_installed", lambda extra: extra in names)
    if own_libvips:
        found = installation.Libvips((8, 18, 7), False, "API", "", jxl)
        monkeypatch.setattr(installation, "bundled_version", lambda: None)
        monkeypatch.setattr(installation, "libvips", lambda: found)
    else:
        monkeypatch.setattr(installation, "bundled_version", lambda: "8.18.7")
        monkeypatch.setattr(installation, "libvips", lambda: pytest.fail("no process is needed"))


def test_libvips_reads_and_writes_what_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    found = codecs.codecs()
    assert found.readers == {name: "libvips" for name, row in FORMATS.items() if row.extra is None}
    assert found.writers == dict.fromkeys(("jpeg", "png", "webp", "avif", "gif"), "libvips")
    assert found.optional_writers() == {}


def test_packages_add_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "jxl", "heic")
    found = codecs.codecs()
    assert (found.readers["jxl"], found.readers["heic"]) == ("imagecodecs", "pillow_heif")
    assert found.optional_writers() == {"jxl": "imagecodecs"}
    assert found.described()["jxl"] == {"read": "imagecodecs", "write": "imagecodecs"}
    assert found.described()["heic"] == {"read": "pillow_heif"}
    assert found.described()["svg"] == {"read": "libvips"}


def test_libjpeg_turbo_reads_jpeg_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "turbo")
    found = codecs.codecs()
    assert found.described()["jpeg"] == {"read": "simplejpeg", "write": "libvips"}
    assert found.optional_writers() == {}


@pytest.mark.parametrize("names", [(), ("jxl",)])
def test_a_libvips_with_libjxl_takes_precedence(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    install(monkeypatch, *names, own_libvips=True, jxl=True)
    assert codecs.codecs().optional_writers() == {"jxl": "libvips"}
    assert codecs.codecs().readers["jxl"] == "libvips"


def test_a_libvips_without_libjxl_leaves_it_to_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "jxl", own_libvips=True)
    assert codecs.codecs().optional_writers() == {"jxl": "imagecodecs"}


def test_a_libvips_that_could_not_be_asked_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "jxl", own_libvips=True, jxl=True)
    with monkeypatch.context() as patch:
        unknown = installation.Unknown("no memory", broken=False)
        patch.setattr(installation, "libvips", lambda: unknown)
        assert codecs.codecs().readers["jxl"] == "imagecodecs"
    assert codecs.codecs().readers["jxl"] == "libvips"
    assert codecs.codecs() is codecs.codecs()


def problems(root: Path, **more: object) -> list[tuple[str, str, str]]:
    storage = {"name": "photos", "driver": "local", "root": str(root), "allowed_sizes": ["9x9"], **more}
    thumbs: dict[str, object] = {name: value for name, value in more.items() if name.isupper()}
    thumbs["STORAGES"] = [{name: value for name, value in storage.items() if name.islower()}]
    return [(each.id, each.where, each.hint) for each in load(thumbs).problems]


@pytest.mark.parametrize(
    ("more", "where", "extra"),
    [
        ({"formats": ["jxl", "jpeg"]}, "storages[photos].formats", "jxl"),
        ({"INPUT_FORMATS": ["jpeg", "jxl"]}, "THUMBS.input_formats", "jxl"),
        ({"INPUT_FORMATS": ["jpeg", "heic"]}, "THUMBS.input_formats", "heic"),
        ({"PRESETS": {"card": {"filters": "format(jxl)"}}}, "THUMBS.presets.card", "jxl"),
    ],
)
def test_a_format_that_is_named_and_missing_is_an_error_with_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: dict[str, object], where: str, extra: str
) -> None:
    install(monkeypatch, "jxl", "heic")
    assert problems(tmp_path, **more) == []
    codecs.forget()
    install(monkeypatch)
    assert problems(tmp_path, **more) == [("thumbs.E021", where, f'Run: pip install "mage-thumbs[{extra}]"')]


def test_without_a_word_of_them_nothing_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    assert problems(tmp_path, formats=["jpeg", "webp"], INPUT_FORMATS=["jpeg", "tiff", "svg"]) == []
