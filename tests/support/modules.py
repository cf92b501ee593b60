"""The modules of `thumbs`, as the tests of the layers read them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What must work without Django: everything below the composition root but the parts that are Django's by nature.
WITHOUT_DJANGO = (
    *("errors", "problems", "http", "image", "request", "render", "pipeline", "conf", "front", "wsgi", "asgi"),
    "sources.drivers",
    *("observability.access_log", "server.janitor", "server.supervisor"),
)


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the two packages, by its dotted name."""
    found: dict[str, ast.Module] = {}
    for package in ("thumbs", "mage_project"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(), str(path))
    return found


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


@cache
def packages() -> set[str]:
    return {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("thumbs", "mage_project")
        for path in (ROOT / package).rglob("__init__.py")
    }
