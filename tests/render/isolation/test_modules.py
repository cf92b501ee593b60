"""The files that importing the renderer needs, and whether its libraries call newfstatat for fstat."""

import ctypes
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import pytest

from thumbs.render.isolation import modules

PACKAGE = "/packages/pyvips"


@pytest.fixture
def specs(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleSpec]:
    """What is installed, by name."""
    found: dict[str, ModuleSpec] = {}
    monkeypatch.setattr(importlib.util, "find_spec", found.get)
    return found


def test_the_standard_library_this_package_and_the_system_libraries_are_there(specs: dict[str, ModuleSpec]) -> None:
    paths = list(modules.import_paths())
    assert paths[0] == Path(sysconfig.get_path("stdlib"))
    assert paths[1] == Path(sysconfig.get_path("platstdlib"))
    assert paths[2] == Path(modules.__file__).parents[2]
    assert (paths[2] / "render").is_dir()
    assert Path("/usr/lib") in paths[3:]
    assert Path("/etc/ld.so.cache") in paths[3:]


def test_a_package_is_there_with_the_libraries_of_its_wheel_and_not_its_parent(specs: dict[str, ModuleSpec]) -> None:
    specs["pyvips"] = ModuleSpec("pyvips", None, is_package=True)
    specs["pyvips"].submodule_search_locations = [PACKAGE]
    paths = list(modules.import_paths())
    assert {Path(PACKAGE), Path("/packages/pyvips_binary.libs"), Path("/packages/cffi.libs")} <= set(paths)
    assert Path("/packages") not in paths


def test_a_module_of_one_file_is_that_file(specs: dict[str, ModuleSpec]) -> None:
    specs["_cffi_backend"] = ModuleSpec("_cffi_backend", None, origin="/packages/_cffi_backend.so")
    paths = list(modules.import_paths())
    assert {Path("/packages/_cffi_backend.so"), Path("/packages/cffi.libs")} <= set(paths)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("glibc 2.32", False),
        ("glibc 2.33", True),
        ("glibc 2.36", True),
        ("glibc 2.38", True),
        ("glibc 2.39", False),
        ("glibc 2.38.9000", True),
        ("glibc 1.34", False),
        ("glibc 3.34", False),
        ("musl 2.36", False),
        ("", False),
        (None, False),
    ],
)
def test_fstat_is_newfstatat_in_some_versions_of_glibc(
    monkeypatch: pytest.MonkeyPatch, version: str | None, expected: bool
) -> None:
    monkeypatch.setattr(os, "confstr", {"CS_GNU_LIBC_VERSION": version}.__getitem__)
    monkeypatch.setattr(modules, "_is_bundled", lambda: False)
    assert modules.fstat_is_newfstatat() is expected


def test_fstat_is_never_newfstatat_in_the_libraries_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.36")
    monkeypatch.setattr(modules, "_is_bundled", lambda: True)
    assert modules.fstat_is_newfstatat() is False


Load = Callable[..., None]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads an extension module whose libvips is in the file `library`; dladdr(3) returns `status`."""

    def put(library: bytes | None, *, status: int = 1) -> None:
        def dladdr(_function: object, found: object) -> int:
            found._obj.file = library  # type: ignore[attr-defined]
            return status

        version = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 8)
        libraries = {
            "/packages/_libvips.so": SimpleNamespace(vips_version=version),
            None: SimpleNamespace(dladdr=dladdr),
        }
        monkeypatch.setitem(sys.modules, "_libvips", SimpleNamespace(__file__="/packages/_libvips.so"))
        monkeypatch.setattr(ctypes, "CDLL", libraries.__getitem__)

    return put


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        (b"/packages/pyvips_binary.libs/libvips.so.42", True),
        (b"/usr/lib/libvips.so.42", False),
        (b"/packages/pyvips_binary.libs/below/libvips.so.42", False),
        (b"", False),
        (None, False),
    ],
)
def test_libvips_is_the_wheels_by_the_file_that_has_its_functions(
    load: Load, library: bytes | None, expected: bool
) -> None:
    load(library)
    assert modules._is_bundled() is expected


def test_libvips_whose_file_is_unknown_is_the_systems(load: Load) -> None:
    load(b"/packages/pyvips_binary.libs/libvips.so.42", status=0)
    assert modules._is_bundled() is False


@pytest.mark.parametrize("extension", [None, SimpleNamespace(__file__=None)])
def test_libvips_that_is_not_loaded_as_an_extension_is_the_systems(
    load: Load, monkeypatch: pytest.MonkeyPatch, extension: object
) -> None:
    load(b"/packages/pyvips_binary.libs/libvips.so.42")
    monkeypatch.setitem(sys.modules, "_libvips", extension)
    assert modules._is_bundled() is False
