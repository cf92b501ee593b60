"""The rules of the architecture: which room may import which, and what an import may not do.

The table of the rooms is the one in `docs/architecture.md`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tests.support.modules import ROOT, WITHOUT_DJANGO, packages, trees, within

# A row of the table: the room, what is in it, and what it may import.
_ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
# Django's own words at the root of the package. They may import every room.
DJANGO = (
    *("admin", "apps", "checks", "fields", "management", "signals", "templatetags", "test", "urls", "views"),
    *("jinja2", "pytest_plugin", "rest_framework", "wagtail"),  # of other packages
)

# Imports inside a function whose callers need Django: `front.wired` gives a front the thumbnailer of Django's settings,
# and a row of the table of drivers opens a storage of Django.
LEAD_TO_DJANGO = {
    ("thumbs.front", "thumbs.wiring.process"),
    ("thumbs.sources.drivers.table", "thumbs.sources.storages.checks"),
    ("thumbs.sources.drivers.table", "thumbs.sources.storages.django_storage"),
    ("thumbs.sources.drivers.table", "thumbs.sources.storages.object_stores"),
    ("thumbs.sources.drivers.table", "thumbs.sources.storages.places"),
    ("thumbs.sources.drivers.table", "thumbs.sources.storages.served_paths"),
}

# Libraries, and the only modules that may import each of them.
OWNERS = {
    "pyvips": ("thumbs.render", "mage_project.demo"),
    "simplejpeg": ("thumbs.render.codecs.turbo",),
    "boto3": ("thumbs.sources",),
    "botocore": ("thumbs.sources",),
    "urllib3": ("thumbs.sources",),
    "idna": ("thumbs.sources.http.url",),
    "storages": ("thumbs.sources",),
    "prometheus_client": (
        *("thumbs.observability.metrics", "thumbs.observability.machine"),
        *("thumbs.observability.shared_counts", "thumbs.wiring.build", "thumbs.server.gauges", "mage_project"),
    ),
    "opentelemetry": ("thumbs.observability.tracing", "thumbs.observability.span_export"),
    "gunicorn": (
        "thumbs.server.worker",
        "thumbs.server.protocol",
        "thumbs.server.json_logger",
        "thumbs.server.options",
    ),
    "PIL": ("thumbs.toolkit.placeholders.upright",),
    "tqdm": ("thumbs.management",),
    "pytest": ("thumbs.pytest_plugin",),
    "jinja2": ("thumbs.jinja2",),
    "rest_framework": ("thumbs.toolkit.integrations.rest",),
    "drf_spectacular": ("thumbs.toolkit.integrations.rest_schema",),
    "django": (
        *(
            "thumbs.apps",
            "thumbs.checks.caches",
            "thumbs.checks.config",
            "thumbs.checks.isolation",
            "thumbs.checks.mounts",
            "thumbs.checks.pages",
            "thumbs.console",
            "thumbs.playground",
            "thumbs.checks.private",
            "thumbs.checks.wrappers",
            "thumbs.site.links",
            "thumbs.site.purge_signal",
            "thumbs.management",
            "thumbs.signals",
            "thumbs.templatetags",
            "thumbs.toolkit",
        ),
        *(
            "thumbs.checks.middleware",
            "thumbs.site.responses",
            "thumbs.site.private_views",
            "thumbs.urls",
            "thumbs.site.served_paths",
        ),
        *(
            "thumbs.views",
            "thumbs.wiring",
            "thumbs.sources",
            "thumbs.cache",
            "mage_project",
        ),
    ),
}
# Django's settings that are read, and where. `THUMBS` is the app's only one, and read in one place.
SETTINGS = {
    "thumbs.playground.access": {"LOGIN_URL"},
    "thumbs.apps": {"STORAGES", "CACHES", "SECRET_KEY", "SECRET_KEY_FALLBACKS"},
    "thumbs.wiring.process": {"THUMBS"},
    "thumbs.toolkit.testing": {"THUMBS"},
    "thumbs.wiring.policies": {"SECRET_KEY", "SECRET_KEY_FALLBACKS"},
    "thumbs.toolkit.urls": {"ROOT_URLCONF"},
    "thumbs.checks.caches": {"CACHES"},
    "thumbs.sources.storages.checks": {"STORAGES", "ROOT_URLCONF"},
    "thumbs.sources.storages.places": {"STORAGES"},
    "thumbs.sources.storages.placement": {"MEDIA_ROOT"},
    "thumbs.cache.disk": {"SECRET_KEY", "SECRET_KEY_FALLBACKS"},
    "thumbs.checks.middleware": {
        *("MIDDLEWARE", "SESSION_SAVE_EVERY_REQUEST", "USE_I18N"),
    },
    "thumbs.checks.wrappers": {"ASGI_APPLICATION", "WSGI_APPLICATION", "ROOT_URLCONF"},
    "thumbs.checks.mounts": {"FORCE_SCRIPT_NAME"},
    "thumbs.management.application": {"ASGI_APPLICATION", "ROOT_URLCONF"},
    # Settings of other packages for thumbnails, which `thumb_migrate` converts.
    "thumbs.toolkit.migration.editing.site": {
        *("THUMBNAIL_ALIASES", "THUMBNAIL_DEFAULT_OPTIONS", "THUMBNAIL_PROCESSORS", "THUMBNAIL_UPSCALE"),
        *("THUMBNAIL_PADDING", "THUMBNAIL_PADDING_COLOR", "THUMBNAIL_COLORSPACE", "THUMBNAIL_BLUR"),
        *("THUMBNAIL_ORIENTATION", "IMAGEKIT_DEFAULT_THUMBNAIL_SRCSET_SCALES", "PICTURES", "TEMPLATES"),
        "INSTALLED_APPS",
        "VERSATILEIMAGEFIELD_RENDITION_KEY_SETS",
    },
}
ENVIRONMENT = {
    "mage_project.settings",
    "thumbs.conf.loading",  # `${NAME}`, where THUMBS["ENVIRON"] is True
    "thumbs.render.isolation.fonts",  # FONTCONFIG_FILE and its kin, as fontconfig does
    "thumbs.render.isolation.process",  # what a child may know of it: where fonts and libraries are
    "thumbs.sources.http.rules",  # proxies, which are not used: a check says so
    "thumbs.sources.s3.client",  # REQUESTS_CA_BUNDLE, as boto3 does, in whose place it opens connections
}


@dataclass(frozen=True)
class Import:
    """`importer` imports the module `imported`, anywhere in its text: in a function, or for a type checker."""

    importer: str
    imported: str


@cache
def imports() -> tuple[Import, ...]:
    return tuple(Import(name, imported) for name, tree in trees().items() for imported in imported_by(tree))


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield dotted if dotted in trees() else node.module


@cache
def rooms() -> dict[str, set[str]]:
    """Each room of the table in docs/architecture.md, with the rooms that it may import."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    return {room: set(re.findall(r"`([a-z0-9_.]+)`", allowed)) for room, allowed in _ROW.findall(text)}


def room_of(module: str) -> str | None:
    """The room of one of our modules: its folder, or itself at the root. None for Django's words and other packages."""
    parts = module.split(".")
    if parts[0] != "thumbs" or len(parts) == 1 or parts[1] in DJANGO:
        return None
    folder = parts[1:] if len(parts) == 2 or module in packages() else parts[1:-1]
    return ".".join(folder)


def as_lines(found: Iterator[Import]) -> list[str]:
    return sorted(f"{each.importer} imports {each.imported}" for each in found)


# ----------------------------------------------------------------------------------- directions


def test_every_room_is_in_the_table_and_every_row_is_a_room() -> None:
    ours = {room for name in trees() if (room := room_of(name)) is not None}
    assert sorted(ours) == sorted(rooms())


def test_a_room_imports_only_the_rooms_that_its_row_names() -> None:
    others = (
        each
        for each in imports()
        if (room := room_of(each.importer)) is not None
        and each.imported in trees()
        and each.imported != "thumbs"
        and room_of(each.imported) not in {room, *rooms()[room]}
    )
    assert as_lines(others) == []


def test_every_import_that_the_table_allows_is_there() -> None:
    seen = {(room_of(each.importer), room_of(each.imported)) for each in imports() if each.imported in trees()}
    unused = {(room, allowed) for room, row in rooms().items() for allowed in row} - seen
    assert sorted(unused) == []


def test_the_rows_of_the_table_point_upwards_only() -> None:
    above: set[str] = set()
    for room, allowed in rooms().items():
        assert allowed <= above, f"{room} may import {sorted(allowed - above)}, which stands below it"
        above.add(room)


def test_the_app_imports_nothing_of_the_standalone_project() -> None:
    assert (
        as_lines(
            each for each in imports() if within(each.importer, "thumbs") and within(each.imported, "mage_project")
        )
        == []
    )
    assert as_lines(each for each in imports() if within(each.imported, "tests")) == []


def test_nothing_imports_in_a_circle() -> None:
    below: dict[str, set[str]] = {name: set() for name in trees()}
    for each in imports():
        if each.imported in below:
            below[each.importer].add(each.imported)
    while ground := [name for name, lower in below.items() if not lower]:
        for name in ground:
            del below[name]
        for lower in below.values():
            lower.difference_update(ground)
    assert below == {}


# ------------------------------------------------------------------------------ other libraries


# Clients that look up names, and redirect, by themselves: originals are read only where addresses are judged.
CLIENTS: dict[str, set[str]] = {
    "http.client": {"thumbs.sources.s3.connections"},
    "urllib.request": {"thumbs.sources.s3.transport"},  # the environment's proxies, for boto3's requests
    **{name: set() for name in ("requests", "httpx", "aiohttp", "httpcore", "ftplib", "smtplib")},
}


@pytest.mark.parametrize("client", CLIENTS)
def test_no_other_module_opens_connections_by_a_client_of_its_own(client: str) -> None:
    found = {each.importer for each in imports() if within(each.imported, client) and within(each.importer, "thumbs")}
    assert found == CLIENTS[client]


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_only_by_its_owners(library: str) -> None:
    elsewhere = (
        each
        for each in imports()
        if within(each.imported, library) and not any(within(each.importer, owner) for owner in OWNERS[library])
    )
    assert as_lines(elsewhere) == []


def test_there_is_no_library_without_an_owner() -> None:
    libraries = {each.imported.split(".")[0] for each in imports()} - set(sys.stdlib_module_names)
    assert libraries - {"thumbs", "mage_project", "asgiref", "_typeshed"} == set(OWNERS)


def test_the_core_and_the_fronts_reach_django_by_no_way_but_those_listed() -> None:
    below: dict[str, set[str]] = {}
    for each in imports():
        if (each.importer, each.imported) not in LEAD_TO_DJANGO:
            below.setdefault(each.importer, set()).add(each.imported)
    reached = [name for name in trees() if any(within(name, f"thumbs.{free}") for free in WITHOUT_DJANGO)]
    for name in reached:  # it grows while it is gone through
        reached.extend(sorted(below.get(name, set()) - set(reached)))
    assert [name for name in reached if within(name, "django")] == []
    assert "thumbs.cache.layers" in reached


# -------------------------------------------------------------------- settings and environment


def settings_read(tree: ast.Module) -> set[str]:
    """The names that are read of an object called `settings` that comes from `django.conf`."""
    if not any(isinstance(node, ast.ImportFrom) and node.module == "django.conf" for node in ast.walk(tree)):
        return set()
    read = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
            read.add(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            target, name = node.args[:2]
            if isinstance(target, ast.Name) and target.id == "settings" and isinstance(name, ast.Constant):
                read.add(str(name.value))
    return read


def test_each_setting_is_read_where_the_table_says() -> None:
    read = {name: settings_read(tree) for name, tree in trees().items() if within(name, "thumbs")}
    assert {name: names for name, names in read.items() if names} == SETTINGS


def environment_readers() -> Iterator[str]:
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
                parent = next((up for up in ast.walk(tree) if isinstance(up, ast.Attribute) and up.value is node), None)
                # To name the settings module for Django is to write.
                if parent is None or parent.attr != "setdefault":
                    yield name
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                assert not {alias.name for alias in node.names} & {"environ", "environb", "getenv"}


def test_the_environment_is_read_in_the_standalone_settings() -> None:
    assert set(environment_readers()) == ENVIRONMENT
