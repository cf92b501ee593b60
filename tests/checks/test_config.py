"""What is wrong in a configuration is found at start: reported with its key, explained, and without secrets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

import thumbs
from tests.support import check_ids
from tests.support.documents import HUSH, bucket, checked, disk, dotted, keys, local, one
from thumbs.conf.loading import NotConfigured, load
from thumbs.wiring.build import build

ROOT = "(root)"  # stands for the temporary directory of the test
LOCMEM = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "conf"}


@pytest.fixture(autouse=True)
def _a_site() -> Iterator[None]:
    memcached = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"}
    with override_settings(CACHES={"default": LOCMEM, "memcached": memcached}):
        yield


def limited(driver: str) -> dict[str, object]:
    return {"name": "photos", "driver": driver, "allowed_sizes": ["9x9"]}


def django_alias(alias: str) -> dict[str, object]:
    return {"name": "photos", "driver": "django", "alias": alias, "signature_secret_key": HUSH}


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
    ("thumbs.E003", one(local(ROOT, driver="ftp")), "storages[photos].driver", "local, s3, http, django"),
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
    *(
        ("thumbs.E003", one(local(ROOT)) | {"ENVIRON": wrong}, "THUMBS.ENVIRON", 'Set "ENVIRON": True in THUMBS')
        for wrong in (False, None, "os.environ", ["HOME"], 1)
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
        one(dotted("storages.backends.apache_libcloud.LibCloudStorage", provider_name="b")),
        "storages[photos].driver",
        "cannot be imported: Could not load libcloud",
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


def rooted(value: object, root: Path) -> object:
    """`value` with the temporary directory in place of ROOT."""
    if isinstance(value, str):
        return value.replace(ROOT, str(root))
    if isinstance(value, dict):
        return {name: rooted(item, root) for name, item in value.items()}
    return [rooted(item, root) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("code", "setting", "where", "sentence"), CASES)
def test_what_is_wrong_is_reported_with_its_key_and_explained(
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


def test_a_missing_root_hides_no_other_error(tmp_path: Path) -> None:
    cache = {**disk(str(tmp_path / "cache")), "shared": {"alias": "none"}}
    storages = [local(tmp_path / "none", name=name, cache=cache) for name in ("first", "second")]
    found = [message.id for message in checked({"STORAGES": storages}) if message.is_serious()]
    assert sorted(filter(None, found)) == [*["thumbs.E009"] * 2, *["thumbs.E012"] * 2, "thumbs.E015"]


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
