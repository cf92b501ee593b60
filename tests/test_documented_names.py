"""What README.md and docs/ name can be used as it stands: imports, files, and links with their headings."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from thumbs.observability.redaction import OUR_LOGGERS

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]

# What sites write into their code and settings.
IMPORTED_BY_SITES = (
    *("thumbs.asgi.ThumbsASGI", "thumbs.wsgi.ThumbsWSGI", "thumbs.urls"),
    *("thumbs.cache.memory.MemoryCache", "thumbs.cache.disk.DiskCache"),
    *("thumbs.fields.ThumbImageField", "thumbs.fields.FocalPointField", "thumbs.fields.ThumbDescriptor"),
    *("thumbs.fields.FocalPointFormField", "thumbs.fields.focus_of"),
    *("thumbs.purge", "thumbs.thumb_url", "thumbs.ThumbError", "thumbs.UnknownStorage", "thumbs.NotPurged"),
)
# Named beside imports, and not imported.
NOT_IMPORTED = {*OUR_LOGGERS}

_CODE = re.compile(r"^```.*?^```|(`+)(?!`).+?(?<!`)\1(?!`)", re.MULTILINE | re.DOTALL)
_DOTTED = re.compile(r"(?<![\w./{-])thumbs(?:\.[A-Za-z_]\w*)+(?![\w/])")
_FROM_IMPORT = re.compile(r"from (thumbs[\w.]*) import (\w+(?:, *\w+)*)")
_PATH = re.compile(r"(?<![\w./-])(?:\.ci|bench|deploy|docs|mage_project|script|tests|thumbs)/[\w./-]*\w")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_CHECK_ID = re.compile(r"thumbs\.[EW]\d{3}")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def code_of(page: str) -> str:
    """The code spans and code blocks of a page, a line each."""
    return "\n".join(found[0] for found in _CODE.finditer(text_of(page)))


def dotted_names(page: str) -> Iterator[str]:
    code = code_of(page)
    yield from (name for name in _DOTTED.findall(code) if name not in NOT_IMPORTED and not _CHECK_ID.fullmatch(name))
    for module, names in _FROM_IMPORT.findall(code):
        yield from (f"{module}.{name.strip()}" for name in names.split(","))


def resolve(dotted: str) -> object:
    """The module or attribute of this name. Raises ImportError or AttributeError where there is none."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise ImportError(dotted)


def headings(page: str) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_a_page_gives_for_an_import_can_be_imported(page: str) -> None:
    for dotted in dotted_names(page):
        resolve(dotted)


def test_names_are_found_in_code_spans_blocks_and_imports() -> None:
    assert {"thumbs.purge", "thumbs.asgi.ThumbsASGI", "thumbs.urls", "thumbs.conf.installation"} <= set(
        dotted_names("README.md")
    )
    with pytest.raises(ImportError):
        resolve("thumbz.urls")
    with pytest.raises(AttributeError):
        resolve("thumbs.site.links.no_such_function")


@pytest.mark.parametrize("dotted", IMPORTED_BY_SITES)
def test_what_sites_import_is_there_and_documented(dotted: str) -> None:
    resolve(dotted)
    assert any(dotted in dotted_names(page) for page in PAGES), dotted


def test_every_module_class_and_function_that_the_architecture_names_is_there() -> None:
    tops = "|".join(sorted({path.stem for path in (ROOT / "thumbs").iterdir() if not path.stem.startswith("_")}))
    named = re.findall(rf"`((?:{tops})(?:\.\w+)+)`", text_of("docs/architecture.md"))
    assert "request.resolve.resolve" in named
    for dotted in named:
        resolve(f"thumbs.{dotted}")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    absent = [path for path in _PATH.findall(code_of(page)) if not (ROOT / path).exists()]
    if not (ROOT / ".ci").exists():  # the sdist has none
        absent = [path for path in absent if not path.startswith(".ci/")]
    assert absent == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_a_heading(page: str) -> None:
    for target, anchor in _LINK.findall(text_of(page)):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in headings(path.resolve().relative_to(ROOT).as_posix()), f"{target}#{anchor}"


_LAZY = """
import sys
import thumbs
assert "django" not in sys.modules
assert {"purge", "thumb_url", "NotPurged", "UnknownStorage", "ThumbError"} <= set(dir(thumbs))
from thumbs import ThumbError
assert "django" not in sys.modules
from thumbs import thumb_url, purge, UnknownStorage, NotPurged
import thumbs.toolkit.links, thumbs.site.purging
assert thumb_url is thumbs.toolkit.links.thumb_url and NotPurged is thumbs.site.purging.NotPurged
"""


@pytest.mark.system
def test_the_package_imports_django_only_when_a_name_needs_it() -> None:
    done = subprocess.run([sys.executable, "-c", _LAZY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
