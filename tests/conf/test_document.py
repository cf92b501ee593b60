"""The configuration document: every key of the contract is read, with its default, and secrets are never shown."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.test import override_settings

import thumbs
from tests.support.documents import HUSH, bucket, checked, dotted, keys, local, one
from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.loading import Configuration, caches_of, load, text_of
from thumbs.wiring.build import build


def written(root: Path, text: str) -> dict[str, object]:
    path = root / "storages.json"
    path.write_text(text)
    return {"STORAGES_FILE": str(path)}


# ------------------------------------------------------------------------------ what is right


# The example of the documentation, word for word.
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


DOCUMENTED_KEYS = [
    *("name", "driver", "root", "follow_symlinks", "bucket", "region", "access_key", "secret_key", "base_url"),
    *("alias", "options", "signature_secret_key", "signature_length"),
    *("s3_http_config.max_idle_conns", "s3_http_config.max_idle_conns_per_host", "s3_http_config.max_conns_per_host"),
    *("s3_http_config.idle_conn_timeout_sec", "s3_http_config.connect_timeout_sec"),
    *("s3_http_config.request_timeout_sec", "s3_http_config.response_header_timeout_sec"),
    *("cache.memory.enabled", "cache.memory.max_size_mb", "cache.memory.max_items", "cache.memory.alias"),
    *("cache.disk.enabled", "cache.disk.ttl_seconds", "cache.disk.max_size_mb", "cache.disk.dir"),
    *("cache.disk.clear_on_startup", "cache.disk.stale_seconds", "cache.disk.alias"),
    *("cache.shared", "cache.shared.alias", "cache.sources"),
    *("cache.objects.storage", "cache.objects.prefix", "cache.objects.ttl_seconds", "cache.objects.poll_seconds"),
    "cache.objects.timeout_ms",
    *("cache_control", "headers", "allowed_sizes", "presets_only", "formats", "weight", "limits"),
]


@pytest.mark.parametrize("key", DOCUMENTED_KEYS)
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
    assert (limits.max_animation_megapixels, limits.max_frames) == (200, 1000)
    assert (limits.max_side, limits.max_output_pixels) == (5120, 26_214_400)


@pytest.mark.parametrize(
    ("defaults", "in_file", "over_it", "isolation"),
    [
        ({}, {}, {}, "off"),
        ({"isolation": "auto"}, {}, {}, "auto"),
        ({"isolation": "auto"}, {"isolation": "require"}, {}, "require"),
        ({"isolation": "auto"}, {"isolation": "require"}, {"ISOLATION": "off"}, "off"),
    ],
)
def test_a_default_of_the_server_gives_way_to_the_file_and_that_to_the_environment(
    tmp_path: Path, defaults: object, in_file: dict[str, str], over_it: dict[str, str], isolation: str
) -> None:
    file = tmp_path / "storages.json"
    file.write_text(json.dumps({"storages": [local(tmp_path)], **in_file}))
    found = load({"STORAGES_FILE": str(file), "DEFAULTS": defaults, **over_it})
    assert found.problems == ()
    assert found.document.isolation == isolation


def test_an_isolation_that_there_is_not_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    problems = load(one({}) | {"STORAGES": [local(tmp_path)], "ISOLATION": "required"}).problems
    assert [problem.id for problem in problems] == ["thumbs.E003"]
    assert "require" in str(problems[0])


def test_a_storages_own_limits_replace_the_global_ones(tmp_path: Path) -> None:
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
    assert caches_of(tmp_path / "storages.json", {}) == {"far": {"BACKEND": "a.B", "OPTIONS": {"timeout": 1}}}


def test_names_in_caches_are_replaced_and_stay_where_they_are_not_set(tmp_path: Path) -> None:
    far = {"location": ["redis://:${A}@a", "redis://:${B}@b"], "options": {"password": "${A}"}}
    written(tmp_path, json.dumps({"storages": [], "caches": {"far": far}}))
    found = caches_of(tmp_path / "storages.json", {"A": HUSH})["far"]
    assert found == {"LOCATION": [f"redis://:{HUSH}@a", "redis://:${B}@b"], "OPTIONS": {"password": HUSH}}


def test_a_text_of_a_document_is_expanded_or_empty(tmp_path: Path) -> None:
    written(tmp_path, json.dumps({"storages": [], "log_level": "${LEVEL}"}))
    assert text_of(tmp_path / "storages.json", "log_level", {"LEVEL": "ERROR"}) == "ERROR"
    assert text_of(tmp_path / "storages.json", "log_level", {}) == ""


@pytest.mark.parametrize("text", ["", "[]", '{"caches": []}', "{}"])
def test_a_document_without_caches_names_none(text: str, tmp_path: Path) -> None:
    written(tmp_path, text)
    assert caches_of(tmp_path / "storages.json", {}) == {}
    assert caches_of(tmp_path / "none.json", {}) == {}


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
