"""Configuration: what the contract names is read, what is wrong is found at start, named and explained, never shown."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core import checks
from django.test import override_settings

import thumbs
from tests.support import check_ids
from thumbs.conf.cpus import usable_cores
from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.loading import Configuration, caches_of, load
from thumbs.wiring.build import NotConfigured, build

HUSH = "hush-hush"  # stands in every place of a secret, and may stand nowhere else
ROOT = "(root)"  # stands for the temporary directory of the test
LOCMEM = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "conf"}


def local(place: Path | str, **fields: object) -> dict[str, object]:
    """A storage with which nothing is wrong."""
    return {"name": "photos", "driver": "local", "root": str(place), "signature_secret_key": HUSH, **fields}


def bucket(**fields: object) -> dict[str, object]:
    return {"name": "photos", "driver": "s3", "bucket": "b", "signature_secret_key": HUSH, **fields}


def one(storage: object) -> dict[str, object]:
    return {"STORAGES": [storage]}


def keys() -> dict[str, str]:
    return {"access_key": HUSH, "secret_key": HUSH}


def limited(driver: str) -> dict[str, object]:
    return {"name": "photos", "driver": driver, "allowed_sizes": ["9x9"]}


def django_alias(alias: str) -> dict[str, object]:
    return {"name": "photos", "driver": "django", "alias": alias, "signature_secret_key": HUSH}


def dotted(path: str, **options: object) -> dict[str, object]:
    return {"name": "photos", "driver": path, "options": options, "signature_secret_key": HUSH}


def disk(path: str, **fields: object) -> dict[str, object]:
    return {"disk": {"enabled": True, "dir": path, **fields}}


def written(root: Path, text: str) -> dict[str, object]:
    path = root / "storages.json"
    path.write_text(text)
    return {"STORAGES_FILE": str(path)}


def checked(thumbs_setting: object) -> list[checks.CheckMessage]:
    with override_settings(THUMBS=thumbs_setting):
        return checks.run_checks(tags=["thumbs"])


# ------------------------------------------------------------------------------- what is wrong

FILES = {
    "brace.json": b"{",
    "list.json": b"[]",
    "twice.json": b'{"a": {"name": 1, "name": 2}}',
    "bytes.json": b"\xff",
    "infinite.json": b'{"storages": [], "limits": {"max_source_mb": Infinity}}',
    "foreign/holiday.jpg": b"",
    "file": b"",
}
Case = tuple[str, object, str, str]
CASES: list[Case] = [
    ("thumbs.E001", [], "THUMBS", "must be a dictionary"),
    ("thumbs.E001", {"STORAGES_FILE": f"{ROOT}/none.json"}, "none.json", "does not exist"),
    ("thumbs.E001", {"STORAGES_FILE": ROOT}, "", "cannot be read: Is a directory"),
    ("thumbs.E001", {"STORAGES_FILE": f"{ROOT}/brace.json"}, "brace.json, line 1, column 2", "is not JSON"),
    ("thumbs.E001", {"STORAGES_FILE": f"{ROOT}/list.json"}, "list.json", "must hold an object"),
    (
        "thumbs.E001",
        {"STORAGES_FILE": f"{ROOT}/twice.json"},
        "twice.json",
        "the key 'name' twice",
    ),
    ("thumbs.E001", {"STORAGES_FILE": f"{ROOT}/bytes.json"}, "bytes.json", "cannot be read"),
    ("thumbs.E003", {"STORAGES_FILE": 5}, "THUMBS.STORAGES_FILE", "the path of a file"),
    ("thumbs.E002", one(local(ROOT, rooot="x")), "storages[photos].rooot", "Did you mean 'root'?"),
    ("thumbs.E002", one(local(ROOT, zzz=1)), "storages[photos].zzz", "Known here: access_key"),
    (
        "thumbs.E002",
        one(local(ROOT, cache={"disc": {}})),
        "storages[photos].cache.disc",
        "Did you mean 'disk'?",
    ),
    (
        "thumbs.E002",
        one(local(ROOT, cache={"memory": {"max_size": 1}})),
        "storages[photos].cache.memory.max_size",
        "Did you mean 'max_size_mb'?",
    ),
    ("thumbs.E002", {"STORAGES": [local(ROOT)], "LIMIT": {}}, "THUMBS.limit", "Did you mean 'limits'?"),
    ("thumbs.E003", one(local(ROOT, name="Photos")), "storages[Photos].name", "lower-case letters"),
    ("thumbs.E003", one(local(ROOT, driver="ftp")), "storages[photos].driver", "local, s3, django"),
    ("thumbs.E003", one(local(ROOT, root=3)), "storages[photos].root", "a text that is not empty"),
    ("thumbs.E003", one(local(ROOT, root="")), "storages[photos].root", "a text that is not empty"),
    (
        "thumbs.E003",
        one(bucket(base_url="s3.test", **keys())),
        "storages[photos].base_url",
        "http:// or https://",
    ),
    (
        "thumbs.E003",
        one(local(ROOT, presets_only="yes")),
        "storages[photos].presets_only",
        "true or false",
    ),
    (
        "thumbs.E003",
        one(local(ROOT, signature_length="22")),
        "signature_length",
        "a whole number from 1 to 43",
    ),
    (
        "thumbs.E003",
        one(local(ROOT, signature_length=44)),
        "signature_length",
        "a whole number from 1 to 43",
    ),
    ("thumbs.E003", one(local(ROOT, signature_length=True)), "signature_length", "a whole number"),
    ("thumbs.E003", one(local(ROOT, signature_secret_key=[])), "signature_secret_key", "at least one"),
    ("thumbs.E003", one(local(ROOT, signature_secret_key=[HUSH, 5])), "signature_secret_key", "a text"),
    ("thumbs.E003", one(local(ROOT, signature_secret_key={"a": HUSH})), "signature_secret_key", "a text"),
    ("thumbs.E003", one(local(ROOT, allowed_sizes=["400x300", "0x1"])), "allowed_sizes", "sizes such as"),
    ("thumbs.E003", one(local(ROOT, allowed_sizes="400x300")), "allowed_sizes", "a list"),
    ("thumbs.E003", one(local(ROOT, formats=["tiff"])), "storages[photos].formats", "one of avif, gif"),
    ("thumbs.E003", one(local(ROOT, headers={"X-A": "b\r\nX-C: d"})), "storages[photos].headers", "ASCII"),
    ("thumbs.E003", one(local(ROOT, headers={"X A": "b"})), "storages[photos].headers", "header names"),
    ("thumbs.E003", one(local(ROOT, headers=["X-A"])), "storages[photos].headers", "an object"),
    ("thumbs.E003", one(local(ROOT, cache_control="\n")), "storages[photos].cache_control", "ASCII"),
    ("thumbs.E003", one(local(ROOT, cache="on")), "storages[photos].cache", "an object of keys"),
    ("thumbs.E003", one(local(ROOT, cache=disk(ROOT, ttl_seconds=0))), "cache.disk.ttl_seconds", "from 1"),
    (
        "thumbs.E003",
        one(local(ROOT, limits={"max_side": 0.5})),
        "storages[photos].limits.max_side",
        "whole",
    ),
    ("thumbs.E003", one("photos"), "storages[0]", "an object of keys and values"),
    ("thumbs.E003", {"STORAGES": "photos"}, "THUMBS.storages", "a list"),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "PORT": "eighty"}, "THUMBS.port", "0 to 65535"),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "LOG_LEVEL": "LOUD"}, "THUMBS.log_level", "one of DEBUG"),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "INPUT_FORMATS": ["pdf"]}, "THUMBS.input_formats", "jpeg"),
    (
        "thumbs.E003",
        {"STORAGES": [local(ROOT)], "QUALITY": {"png": 80}},
        "THUMBS.quality",
        "jpeg, webp, avif",
    ),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "QUALITY": {"jpeg": 0}}, "THUMBS.quality", "1 to 100"),
    (
        "thumbs.E003",
        {"STORAGES": [local(ROOT)], "PRESETS": {"card": {"size": "400x300", "filters": "blurr(2)"}}},
        "THUMBS.presets",
        "Unknown filter",
    ),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "PRESETS": {"card": {"width": 400}}}, "THUMBS.presets", '"size"'),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "WATERMARKS": {"Logo": "x"}}, "THUMBS.watermarks", "lower-case"),
    (
        "thumbs.E003",
        {"STORAGES": [local(ROOT)], "WATERMARKS": {"logo": f"{ROOT}/none.png"}},
        "THUMBS.watermarks",
        "'logo' is none",
    ),
    (
        "thumbs.E003",
        {"STORAGES": [local(ROOT)], "ENCODING": {"jpeg_subsampling": "420"}},
        "THUMBS.encoding.jpeg_subsampling",
        "auto, on, off",
    ),
    (
        "thumbs.E002",
        {"STORAGES": [local(ROOT)], "ENCODING": {"jpeg_progresive": True}},
        "THUMBS.encoding.jpeg_progresive",
        "Did you mean 'jpeg_progressive'?",
    ),
    ("thumbs.E003", {"STORAGES": [local(ROOT)], "PRESETS": {"A card": {"size": "9x"}}}, "THUMBS.presets", "lower-case"),
    (
        "thumbs.E003",
        {"STORAGES_FILE": f"{ROOT}/infinite.json"},
        "mb",
        "a number",
    ),
    ("thumbs.E004", {}, "THUMBS.storages", "is required"),
    ("thumbs.E004", {"STORAGES": []}, "THUMBS.storages", "holds no storage"),
    ("thumbs.E004", one({"driver": "local"}), "storages[0].name", "is required"),
    ("thumbs.E004", one({"name": "photos"}), "storages[photos].driver", "is required"),
    (
        "thumbs.E004",
        one(limited("local")),
        "storages[photos].root",
        "is required",
    ),
    (
        "thumbs.E004",
        one(limited("s3")),
        "storages[photos].bucket",
        "is required",
    ),
    (
        "thumbs.E004",
        one(limited("django")),
        "storages[photos].alias",
        "STORAGES",
    ),
    (
        "thumbs.E004",
        one(local(ROOT, cache={"disk": {"enabled": True}})),
        "storages[photos].cache.disk.dir",
        "is required",
    ),
    (
        "thumbs.E005",
        {"STORAGES": [local(ROOT), local(ROOT)]},
        "storages[photos]",
        "name of another storage",
    ),
    (
        "thumbs.E006",
        one(local(ROOT, signature_secret_key="${NOT_SET}")),
        "storages[photos].signature_secret_key",
        "NOT_SET, which is not set",
    ),
    (
        "thumbs.E006",
        one(local(ROOT, headers={"X-A": "${EMPTY}"})) | {"ENVIRON": {"EMPTY": ""}},
        "storages[photos].headers.X-A",
        "EMPTY, which is not set",
    ),
    (
        "thumbs.E008",
        one(local(ROOT, signature_length=15)),
        "storages[photos].signature_length",
        "at least 16",
    ),
    ("thumbs.E009", one(local(f"{ROOT}/none")), "storages[photos].root", "is not a directory"),
    ("thumbs.E010", one(bucket(access_key=HUSH)), "storages[photos].secret_key", "is required"),
    ("thumbs.E010", one(bucket(secret_key=HUSH)), "storages[photos].access_key", "is required"),
    (
        "thumbs.E010",
        one(bucket(base_url="https://s3.test")),
        "storages[photos].access_key",
        "with base_url",
    ),
    (
        "thumbs.E010",
        one(local(ROOT, cache=disk(f"{ROOT}/c", alias="default"))),
        "storages[photos].cache.disk.alias",
        "exclude each other",
    ),
    (
        "thumbs.E010",
        one(local(ROOT, cache={"memory": {"enabled": True, "alias": "default", "max_size_mb": 1}})),
        "storages[photos].cache.memory.alias",
        "exclude each other",
    ),
    (
        "thumbs.E010",
        one(local(ROOT, cache={"disk": {"stale_seconds": 5}})),
        "storages[photos].cache.disk.stale_seconds",
        "without any cache layer",
    ),
    ("thumbs.E011", one(local(ROOT, bucket="b")), "storages[photos].bucket", "is a key of driver s3"),
    ("thumbs.E011", one(bucket(root="/")), "storages[photos].root", "is a key of driver local"),
    ("thumbs.E011", one(local(ROOT, options={"a": HUSH})), "storages[photos].options", "driver a class"),
    ("thumbs.E011", one(local(ROOT, s3_http_config={"max_idle_conns": 1})), "s3_http_config", "driver s3"),
    ("thumbs.E012", one(django_alias("defualt")), "storages[photos].alias", "Did you mean 'default'?"),
    (
        "thumbs.E012",
        one(local(ROOT, cache={"shared": {"alias": "defaul"}})),
        "storages[photos].cache.shared.alias",
        "Did you mean 'default'?",
    ),
    (
        "thumbs.E012",
        one(local(ROOT, cache={"memory": {"enabled": True, "alias": "x"}})),
        "storages[photos].cache.memory.alias",
        "Known here: default",
    ),
    (
        "thumbs.E013",
        one(dotted("tests.no_such_module.Storage")),
        "storages[photos].driver",
        "cannot be imported",
    ),
    (
        "thumbs.E013",
        one(dotted("storages.backends.s3.S3Storage", buket_name="b")),
        "storages[photos].options",
        "does not take them: Invalid setting 'buket_name' for S3Storage. Did you mean 'bucket_name'?",
    ),
    (
        "thumbs.E013",
        one(dotted("django.core.files.storage.FileSystemStorage", locaton="/srv")),
        "storages[photos].options",
        "Did you mean 'location'?",
    ),
    (
        "thumbs.E013",
        one(dotted("storages.backends.gcloud.GoogleCloudStorage", bucket_name="b")),
        "storages[photos].driver",
        "cannot be imported: Could not load Google Cloud Storage bindings",
    ),
    (
        "thumbs.E013",
        one(dotted("decimal.Decimal", a=HUSH)),
        "storages[photos].options",
        "does not take them",
    ),
    (
        "thumbs.E014",
        one(local(ROOT, cache=disk(f"{ROOT}/foreign"))),
        "storages[photos].cache.disk.dir",
        "refused",
    ),
    (
        "thumbs.E014",
        one(local(ROOT, cache=disk(f"{ROOT}/file"))),
        "storages[photos].cache.disk.dir",
        "not a directory",
    ),
    (
        "thumbs.E015",
        {
            "STORAGES": [
                local(ROOT, name="first", cache=disk(f"{ROOT}/cache")),
                local(ROOT, name="second", cache=disk(f"{ROOT}/./other/../cache")),
            ]
        },
        "storages[second].cache.disk.dir",
        "storage 'first' too",
    ),
    (
        "thumbs.E016",
        one(local(ROOT, signature_secret_key="django")),
        "signature_secret_key",
        "which is empty",
    ),
    (
        "thumbs.E019",
        one(local(ROOT, cache={"memory": {"enabled": True, "max_size_mb": 1}})) | {"RUN_DIR": f"{ROOT}/file"},
        "run_dir",
        "cannot be used",
    ),
    (
        "thumbs.E019",
        one(local(ROOT, cache=disk(f"{ROOT}/open"))),
        "storages[photos].cache.disk.dir",
        "chmod go-w",
    ),
    (
        "thumbs.W001",
        one({"name": "photos", "driver": "local", "root": ROOT}),
        "storages[photos]",
        "neither signed",
    ),
    (
        "thumbs.W002",
        one(local(ROOT, cache={"shared": {"alias": "memcached"}})),
        "storages[photos].cache.shared.alias",
        "has no timeout",
    ),
]


@pytest.fixture(autouse=True)
def _a_site() -> Iterator[None]:
    memcached = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"}
    with override_settings(CACHES={"default": LOCMEM, "memcached": memcached}):
        yield


def rooted(value: object, root: Path) -> object:
    """`value` with the temporary directory in place of ROOT."""
    if isinstance(value, str):
        return value.replace(ROOT, str(root))
    if isinstance(value, dict):
        return {name: rooted(item, root) for name, item in value.items()}
    return [rooted(item, root) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("code", "setting", "where", "sentence"), CASES)
def test_what_is_wrong_is_named_with_its_place_and_explained(
    code: str, setting: object, where: str, sentence: str, tmp_path: Path
) -> None:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    wrong = rooted(setting, tmp_path)
    with override_settings(SECRET_KEY="" if code == "thumbs.E016" else "set"):
        messages = checked(wrong)
    assert [message.id for message in messages] == [code]
    message = messages[0]
    place, _, text = str(message.msg).partition(": ")
    assert where in place
    assert sentence in f"{text} {message.hint}"
    assert message.is_serious() == code.startswith("thumbs.E")
    assert HUSH not in repr(messages)
    assert HUSH not in repr(load(wrong))


def test_every_id_in_the_code_is_shown_by_a_case() -> None:
    package = Path(thumbs.__file__).parent
    known = {code for file in package.rglob("*.py") for code in re.findall(r"thumbs\.[EW]\d{3}", file.read_text())}
    of_the_installation = {"thumbs.E017", "thumbs.E018", "thumbs.W003"}  # tests/system/test_installation.py
    assert {code for code, *_ in CASES} | check_ids.IDS | of_the_installation == known


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    thumbs_setting = {"STORAGES": [local(tmp_path, rooot=1, formats="png"), bucket(name="b", region=1)], "PORT": -1}
    assert sorted(message.id or "" for message in checked(thumbs_setting)) == ["thumbs.E002", *["thumbs.E003"] * 3]


def test_a_server_does_not_start_with_an_error_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match=r"storages\[photos\]\.rooot: is not a known key\. Did you mean 'root'\?"):
        build(load(one(local(tmp_path, rooot=1))))


def test_a_server_starts_with_a_warning(tmp_path: Path) -> None:
    unlimited = one({"name": "photos", "driver": "local", "root": str(tmp_path)})
    assert [message.id for message in checked(unlimited)] == ["thumbs.W001"]
    assert list(build(load(unlimited)).storages) == ["photos"]


@pytest.mark.parametrize("limit", [{"allowed_sizes": ["400x300"]}, {"signature_secret_key": "s"}])
def test_a_storage_that_is_signed_or_limited_is_not_warned_about(limit: dict[str, object], tmp_path: Path) -> None:
    assert checked(one({"name": "photos", "driver": "local", "root": str(tmp_path), **limit})) == []


def test_a_memcached_with_timeouts_is_not_warned_about(tmp_path: Path) -> None:
    memcached = {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": "127.0.0.1:1",
        "OPTIONS": {"connect_timeout": 0.05, "timeout": 0.05},
    }
    with override_settings(CACHES={"default": LOCMEM, "memcached": memcached}):
        assert checked(one(local(tmp_path, cache={"shared": {"alias": "memcached"}}))) == []


# ------------------------------------------------------------------------------ what is right

# SPEC 5, word for word.
EXAMPLE = """
{"storages": [
  {"name": "uploads", "driver": "local", "root": "/var/www/uploads",
   "signature_secret_key": "${UPLOADS_SECRET}",
   "cache": {"memory": {"enabled": true, "max_size_mb": 512, "max_items": 1000},
             "disk": {"enabled": true, "ttl_seconds": 300, "max_size_mb": 5120,
                      "dir": "/var/cache/mage/uploads", "clear_on_startup": false}}},
  {"name": "s3-images", "driver": "s3", "bucket": "my-images", "region": "us-west-1",
   "access_key": "…", "secret_key": "…", "base_url": "https://s3.example.com",
   "s3_http_config": {"max_idle_conns": 100, "max_idle_conns_per_host": 100, "max_conns_per_host": 0,
                      "idle_conn_timeout_sec": 90, "connect_timeout_sec": 10, "request_timeout_sec": 30,
                      "response_header_timeout_sec": 10},
   "cache": {"memory": {"enabled": false}, "disk": {"enabled": false}}}
]}
"""
EXAMPLE_FILE = Path(thumbs.__file__).parents[1] / "storages.example.json"


def moved(text: str, root: Path) -> str:
    """`text` with the directories that it names below `root`, and there."""
    (root / "var/www/uploads").mkdir(parents=True)
    return text.replace('"/var/', f'"{root}/var/')


def loaded(root: Path, text: str, environ: Mapping[str, str]) -> Configuration:
    return load(written(root, text) | {"ENVIRON": environ})


def test_the_contracts_example_is_read_without_an_error(tmp_path: Path) -> None:
    text = moved(EXAMPLE, tmp_path)
    environ = {"UPLOADS_SECRET": HUSH}
    messages = checked(written(tmp_path, text) | {"ENVIRON": environ})
    assert [(message.id, str(message.msg).partition(":")[0]) for message in messages] == [
        ("thumbs.W001", "storages[s3-images]")
    ]
    uploads, images = loaded(tmp_path, text, environ).storages
    assert uploads.signature_secret_key == (HUSH,)
    assert (uploads.cache.memory.max_size_mb, uploads.cache.memory.max_items) == (512, 1000)
    assert (uploads.cache.disk.ttl_seconds, uploads.cache.disk.max_size_mb) == (300, 5120)
    assert (images.bucket, images.region, images.base_url) == ("my-images", "us-west-1", "https://s3.example.com")
    assert not images.cache.memory.enabled


def test_the_example_file_is_read_without_a_problem(tmp_path: Path) -> None:
    text = moved(EXAMPLE_FILE.read_text(), tmp_path)
    names = re.findall(r"\$\{(\w+)\}", text)
    assert checked(written(tmp_path, text) | {"ENVIRON": dict.fromkeys(names, HUSH)}) == []


KEYS_OF_SPEC_5 = [
    *("name", "driver", "root", "follow_symlinks", "bucket", "region", "access_key", "secret_key", "base_url"),
    *("alias", "options", "signature_secret_key", "signature_length"),
    *("s3_http_config.max_idle_conns", "s3_http_config.max_idle_conns_per_host", "s3_http_config.max_conns_per_host"),
    *("s3_http_config.idle_conn_timeout_sec", "s3_http_config.connect_timeout_sec"),
    *("s3_http_config.request_timeout_sec", "s3_http_config.response_header_timeout_sec"),
    *("cache.memory.enabled", "cache.memory.max_size_mb", "cache.memory.max_items", "cache.memory.alias"),
    *("cache.disk.enabled", "cache.disk.ttl_seconds", "cache.disk.max_size_mb", "cache.disk.dir"),
    *("cache.disk.clear_on_startup", "cache.disk.stale_seconds", "cache.disk.alias"),
    *("cache.shared", "cache.shared.alias", "cache.sources"),
    *("cache_control", "headers", "allowed_sizes", "presets_only", "formats", "limits"),
]


@pytest.mark.parametrize("key", KEYS_OF_SPEC_5)
def test_every_key_of_the_contract_is_known(key: str) -> None:
    value: object = None
    for name in reversed(key.split(".")):
        value = {name: value}
    problems = load(one(value)).problems
    assert "thumbs.E002" not in {problem.id for problem in problems}


def test_the_defaults_are_those_of_the_contract() -> None:
    storage = read(StorageConf, {"name": "a", "driver": "s3"}, "", [])
    assert storage.region == "us-east-1"
    http = storage.s3_http_config
    assert (http.max_idle_conns, http.max_idle_conns_per_host, http.max_conns_per_host) == (100, 100, 0)
    assert (http.idle_conn_timeout_sec, http.connect_timeout_sec) == (90, 10)
    assert (http.request_timeout_sec, http.response_header_timeout_sec) == (30, 10)
    disk_cache, memory = storage.cache.disk, storage.cache.memory
    assert (bool(disk_cache.enabled), disk_cache.ttl_seconds, disk_cache.max_size_mb) == (False, 300, 0)
    assert (disk_cache.clear_on_startup, disk_cache.stale_seconds, bool(memory.enabled)) == (False, 0, False)
    assert (storage.signature_length, storage.follow_symlinks, storage.cache.sources) == (22, False, False)
    limits = LimitsConf()
    assert (limits.max_source_mb, limits.max_source_megapixels, limits.max_whole_megapixels) == (64, 50, 25)
    assert (limits.max_side, limits.max_output_pixels) == (5120, 26_214_400)


def test_a_storages_own_limits_stand_in_the_place_of_the_global_ones(tmp_path: Path) -> None:
    found = load({"STORAGES": [local(tmp_path, limits={"max_side": 100})], "LIMITS": {"max_side": 7, "renders": 3}})
    narrowed = found.document.limits.narrowed(found.storages[0].limits)
    assert (narrowed.max_side, narrowed.renders, narrowed.max_source_mb) == (100, 3, 64)


def test_keys_that_start_with_an_underscore_are_comments(tmp_path: Path) -> None:
    commented = {"_why": "${NOT_SET}", **local(tmp_path), "cache": {"_": [1], "disk": {"_a": {}}}}
    assert checked({"_comment": 1, "STORAGES": [commented]}) == []


def test_a_site_gives_the_same_structure_as_python(tmp_path: Path) -> None:
    text = moved(EXAMPLE, tmp_path)
    environ = {"UPLOADS_SECRET": HUSH}
    as_python = load({"STORAGES": json.loads(text)["storages"], "ENVIRON": environ})
    assert as_python.storages == loaded(tmp_path, text, environ).storages


def test_names_in_any_text_are_read_from_the_environment(tmp_path: Path) -> None:
    storage = local(tmp_path, root="${BASE}/${NAME}", headers={"X-A": "${NAME}$NAME{}"})
    found = load({"STORAGES": [storage], "ENVIRON": {"BASE": str(tmp_path.parent), "NAME": tmp_path.name}})
    assert found.problems == ()
    assert found.storages[0].root == str(tmp_path)
    assert found.storages[0].headers == {"X-A": f"{tmp_path.name}$NAME{{}}"}


def test_what_the_environment_holds_is_not_expanded_again(tmp_path: Path) -> None:
    found = load({"STORAGES": [local(tmp_path, cache_control="${A}")], "ENVIRON": {"A": "${B}", "B": "c"}})
    assert found.storages[0].cache_control == "${B}"


def test_a_document_names_caches_as_django_wants_them(tmp_path: Path) -> None:
    written(
        tmp_path, json.dumps({"storages": [], "caches": {"far": {"backend": "a.B", "options": {"timeout": 1}}, "x": 1}})
    )
    assert caches_of(tmp_path / "storages.json") == {"far": {"BACKEND": "a.B", "OPTIONS": {"timeout": 1}}}


@pytest.mark.parametrize("text", ["", "[]", '{"caches": []}', "{}"])
def test_a_document_without_caches_names_none(text: str, tmp_path: Path) -> None:
    written(tmp_path, text)
    assert caches_of(tmp_path / "storages.json") == {}
    assert caches_of(tmp_path / "none.json") == {}


# ------------------------------------------------------------------------------------- secrets


def test_no_secret_is_shown_by_anything_that_was_read_or_built(tmp_path: Path) -> None:
    thumbs_setting = {
        "STORAGES": [
            local(tmp_path, name="one", signature_secret_key=[HUSH, "${SECRET}"]),
            bucket(name="two", **keys()),
            dotted("django.core.files.storage.FileSystemStorage", location=str(tmp_path), base_url=HUSH)
            | {"name": "c"},
        ],
        "CACHES": {"far": {"backend": "a.B", "location": f"redis://:{HUSH}@cache.test"}},
        "ENVIRON": {"SECRET": HUSH},
    }
    found = load(thumbs_setting)
    assert found.problems == ()
    assert HUSH not in repr(found)
    assert "two" in repr(found)
    made = build(found)
    assert HUSH not in repr([(storage.policy, storage.source, storage.layers) for storage in made.storages.values()])


def test_the_sites_own_key_signs_for_each_storage_apart(tmp_path: Path) -> None:
    storages = [local(tmp_path, name=name, signature_secret_key="django") for name in ("one", "two")]
    signatures = set()
    for secret_key in ("old", "new"):
        with override_settings(SECRET_KEY=secret_key):
            made = build(load({"STORAGES": storages}))
        signers = [storage.policy.signer for storage in made.storages.values()]
        signatures |= {signer.sign("/a") for signer in signers if signer is not None}
    assert len(signatures) == 4


def test_urls_that_a_fallback_key_signed_are_still_accepted(tmp_path: Path) -> None:
    thumbs_setting = one(local(tmp_path, signature_secret_key="django"))
    with override_settings(SECRET_KEY="old"):
        old = build(load(thumbs_setting)).storages["photos"].policy.signer
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        new = build(load(thumbs_setting)).storages["photos"].policy.signer
    assert old is not None
    assert new is not None
    new.verify("/a", old.sign("/a"))


# --------------------------------------------------------------------------------------- cores


def test_a_container_may_use_no_more_cores_than_its_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("thumbs.conf.cpus._CGROUP_QUOTA", quota)
    everything = usable_cores()
    assert everything >= 1
    for text, cores in (
        ("max 100000", everything),
        ("50000 100000", 1),
        ("100001 100000", min(2, everything)),
        ("x", everything),
    ):
        quota.write_text(text)
        assert usable_cores() == cores
