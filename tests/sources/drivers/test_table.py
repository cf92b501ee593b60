"""The table of storage drivers: a row is all that a driver needs, and a row that is not used loads nothing."""

import ast
import dataclasses
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.files.storage import FileSystemStorage, Storage
from django.test import override_settings

from tests.support.modules import ROOT, trees, within
from thumbs.checks.config import check_thumbs
from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.loading import load
from thumbs.problems import Problem
from thumbs.site.served_paths import served_path
from thumbs.sources.drivers import table
from thumbs.sources.drivers.driver import Driver
from thumbs.sources.served import Served
from thumbs.sources.source import Original, Source, Version
from thumbs.wiring.sources import source

EVERY = (*table.NAMED, table.BY_CLASS)


# ------------------------------------------------------------------------------------- what is in a row


def test_a_name_finds_its_row_and_a_dotted_path_finds_the_row_of_classes() -> None:
    assert [table.driver_of(name).name for name in ("local", "s3", "django")] == ["local", "s3", "django"]
    assert table.driver_of("django.core.files.storage.InMemoryStorage") is table.BY_CLASS
    for name in ("ftp", "", "a class"):
        with pytest.raises(table.UnknownDriver):
            table.driver_of(name)


@pytest.mark.parametrize("driver", EVERY, ids=lambda driver: driver.name)
def test_the_keys_of_a_driver_are_keys_of_a_storage(driver: Driver[object]) -> None:
    assert set(driver.keys) <= {field.name for field in dataclasses.fields(StorageConf)}


def test_two_drivers_share_no_key_but_the_base_of_their_urls() -> None:
    keys = Counter(key for driver in EVERY for key in driver.keys)
    assert [key for key, count in keys.items() if count > 1] == ["base_url"]


@pytest.mark.parametrize("driver", EVERY, ids=lambda driver: driver.name)
def test_a_storage_that_sets_no_key_of_its_driver_has_the_defaults_of_its_settings(driver: Driver[object]) -> None:
    name = driver.name if driver in table.NAMED else "a.Class"
    made = driver.settings_of(read(StorageConf, {"name": "a", "driver": name}, "", []))
    for field in dataclasses.fields(driver.settings):  # type: ignore[arg-type]
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if default is not dataclasses.MISSING:
            assert getattr(made, field.name) == default, field.name
        elif field.name != "driver":
            assert getattr(made, field.name) == ""


def _depends_on_a_name(tree: ast.Module) -> Iterator[int]:
    """Lines that compare an attribute `driver`, or look it up in a dictionary."""
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            parts = node.args
        elif isinstance(node, ast.Match):
            parts = [node.subject]
        for part in parts:
            if isinstance(part, ast.Attribute) and part.attr == "driver":
                yield part.lineno


def test_no_module_depends_on_the_name_of_a_driver() -> None:
    found = {
        f"{name}:{line}"
        for name, tree in trees().items()
        if within(name, "thumbs")
        for line in _depends_on_a_name(tree)
    }
    # Required keys that are absent are None: that is no name.
    assert {place.partition(":")[0] for place in found} <= {"thumbs.conf.loading"}


# ------------------------------------------------------------------------------------- a row that is added


@dataclasses.dataclass(frozen=True)
class _Memo:
    base_url: str


class _MemoSource:
    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, path: str) -> Original:
        return Original(f"{self.text}/{path}".encode(), self.version(path))

    def version(self, path: str) -> Version:
        return Version(path, None)

    def ready(self) -> None:
        pass


def _memo_source(settings: _Memo, max_bytes: int, deadline: float) -> Source:
    return _MemoSource(f"{settings.base_url} {max_bytes} {deadline:g}")


def _memo_served(settings: _Memo, held_by: object) -> Served | None:
    return Served(added=f"{settings.base_url}/") if isinstance(held_by, FileSystemStorage) else None


def _memo_rules(settings: _Memo) -> Iterator[Problem]:
    if not settings.base_url:
        yield Problem("thumbs.E004", "base_url", "is required with driver memo.")


def _memo_checks(settings: _Memo) -> Iterator[Problem]:
    if settings.base_url == "closed":
        yield Problem("thumbs.E013", "base_url", "is closed.", "Open it.")


@pytest.fixture
def memo(monkeypatch: pytest.MonkeyPatch) -> Driver[_Memo]:
    row = Driver("memo", _Memo, _memo_source, _memo_served, rules=_memo_rules, checks=_memo_checks)
    monkeypatch.setattr(table, "NAMED", (*table.NAMED, row))
    return row


def _storage(**keys: object) -> dict[str, object]:
    return {"name": "photos", "allowed_sizes": ["9x9"], **keys}


def _problems(**keys: object) -> list[str]:
    return [f"{problem.id} {problem}" for problem in load({"STORAGES": [_storage(**keys)]}).problems]


@pytest.mark.usefixtures("memo")
def test_a_row_that_is_added_is_known_to_the_configuration() -> None:
    assert _problems(driver="memo", base_url="here") == []
    assert _problems(driver="memo") == ["thumbs.E004 storages[photos].base_url: is required with driver memo."]
    assert "must be local, s3, http, django, memo, or a dotted path" in _problems(driver="ftp")[0]
    misplaced = "thumbs.E011 storages[photos].root: is a key of driver local, and this storage's driver is memo."
    assert _problems(driver="memo", base_url="here", root="/") == [misplaced]


@pytest.mark.usefixtures("memo")
def test_a_row_that_is_added_gives_the_source_and_the_paths_that_it_serves() -> None:
    conf = read(StorageConf, _storage(driver="memo", base_url="here"), "", [])
    limits = LimitsConf(max_source_mb=1, fetch_seconds=2)
    assert source(conf, limits).read("tom.jpg").data == b"here 1048576 2/tom.jpg"
    assert served_path(conf, FileSystemStorage("/media"), "tom.jpg") == "here/tom.jpg"
    assert served_path(conf, Storage(), "tom.jpg") is None


@pytest.mark.usefixtures("memo")
def test_a_row_that_is_added_has_its_own_system_check() -> None:
    with override_settings(THUMBS={"STORAGES": [_storage(driver="memo", base_url="closed")]}):
        (message,) = check_thumbs()
    assert (message.id, message.msg, message.hint) == (
        "thumbs.E013",
        "storages[photos].base_url: is closed.",
        "Open it.",
    )


# ------------------------------------------------------------------------------------- what is loaded when


_LOOK = """
import sys
from thumbs.conf.loading import load
from thumbs.wiring.sources import source
storage = {storage!r}
read = load({{"STORAGES": [storage]}})
assert not read.problems, read.problems
made = source(read.storages[0], read.document.limits)
{use}
loaded = sorted(name for name in {heavy!r} if name in sys.modules)
if loaded:
    sys.exit(f"loaded: {{loaded}}")
"""


@pytest.mark.system
@pytest.mark.parametrize(
    ("storage", "use", "heavy"),
    [
        (
            {"driver": "local", "root": str(ROOT)},
            'assert made.read("README.md").data',
            ("django", "boto3", "botocore", "storages"),
        ),
        ({"driver": "s3", "bucket": "b"}, "", ("django", "storages")),
        (
            {"driver": "django.core.files.storage.InMemoryStorage"},
            "",
            ("boto3", "botocore", "storages"),
        ),
        ({"driver": "django", "alias": "default"}, "", ("boto3", "botocore", "storages")),
    ],
    ids=["local", "s3", "a class", "django"],
)
def test_a_driver_loads_only_its_own_libraries(storage: dict[str, object], use: str, heavy: tuple[str, ...]) -> None:
    script = _LOOK.format(storage=_storage(**storage), use=use, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
