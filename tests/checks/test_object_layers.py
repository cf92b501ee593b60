"""Checks of `cache.objects`: which storage it may name, and what it may be without."""

import copy
import json
import re
from collections.abc import Mapping

import pytest
from django.core import checks
from django.test import override_settings

from tests.support.modules import ROOT
from thumbs.conf.document import ObjectCacheConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.loading import load

_BUCKET: Mapping[str, object] = {"name": "bucket", "driver": "s3", "bucket": "cache", "allowed_sizes": ["1x1"]}
_CLASSES: Mapping[str, object] = {
    "storages.backends.s3.S3Storage": {"bucket_name": "cache"},
    "storages.backends.s3boto3.S3Boto3Storage": {"bucket_name": "cache"},
}


def document(objects: object, *others: Mapping[str, object]) -> dict[str, object]:
    photos = {"name": "photos", "driver": "local", "root": "/", "allowed_sizes": ["1x1"]}
    return {"STORAGES": [{**photos, "cache": {"objects": objects}}, *others]}


def reported(thumbs: dict[str, object]) -> list[tuple[str, str]]:
    with override_settings(THUMBS=copy.deepcopy(thumbs)):
        found = checks.run_checks(tags=["thumbs"])
    return [(str(each.id), each.msg.partition(": ")[0]) for each in found]


def test_the_defaults_are_those_of_the_contract() -> None:
    conf = read(StorageConf, {"name": "a", "driver": "s3", "cache": {"objects": {"storage": "b"}}}, "", [])
    objects = conf.cache.objects
    assert (objects.prefix, objects.ttl_seconds) == ("mage/", 2_592_000)
    assert (objects.poll_seconds, objects.timeout_ms) == (30, 200)
    assert ObjectCacheConf().storage is None


def test_a_bucket_of_the_same_document_is_a_layer_and_needs_no_cache_of_its_own() -> None:
    assert reported(document({"storage": "bucket"}, _BUCKET)) == []


def test_a_bucket_may_keep_the_thumbnails_of_its_own_originals() -> None:
    own = {**_BUCKET, "cache": {"objects": {"storage": "bucket"}}}
    assert reported({"STORAGES": [own]}) == []


def test_a_storage_that_is_not_in_the_document_is_an_error_with_the_nearest_name() -> None:
    loaded = load(document({"storage": "buckt"}, _BUCKET))
    (problem,) = loaded.errors
    assert (problem.id, problem.where) == ("thumbs.E042", "storages[photos].cache.objects.storage")
    assert "Did you mean 'bucket'?" in problem.hint
    assert loaded.unusable


@pytest.mark.parametrize(
    "other",
    [
        {"driver": "local", "root": "/"},
        {"driver": "http", "base_url": "https://img.example.com/"},
        {"driver": "django", "alias": "default"},
        {"driver": "django.core.files.storage.InMemoryStorage"},
        {"driver": "django.core.files.storage.FileSystemStorage", "options": {"location": "/"}},
    ],
    ids=lambda other: str(other["driver"]),
)
def test_a_storage_that_is_no_object_store_is_an_error(other: dict[str, object]) -> None:
    conf = {"name": "other", "allowed_sizes": ["1x1"], **other}
    assert ("thumbs.E043", "storages[photos].cache.objects.storage") in reported(document({"storage": "other"}, conf))


@pytest.mark.parametrize("dotted", _CLASSES)
def test_the_classes_of_django_storages_for_s3_are_object_stores(dotted: str) -> None:
    conf = {"name": "other", "driver": dotted, "options": _CLASSES[dotted], "allowed_sizes": ["1x1"]}
    assert reported(document({"storage": "other"}, conf)) == []


def test_an_s3_storage_with_a_client_of_its_own_is_no_object_store() -> None:
    options = {"bucket_name": "cache", "verify": "/etc/ssl/own.pem"}
    conf = {"name": "other", "driver": "storages.backends.s3.S3Storage", "options": options, "allowed_sizes": ["1x1"]}
    assert "thumbs.E043" in dict(reported(document({"storage": "other"}, conf)))


@pytest.mark.parametrize("objects", [{"prefix": "cache/"}, {"ttl_seconds": 60}, {"timeout_ms": 20}])
def test_keys_of_the_layer_without_a_storage_are_an_error(objects: dict[str, object]) -> None:
    assert reported(document(objects, _BUCKET))[:1] == [("thumbs.E004", "storages[photos].cache.objects.storage")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("prefix", value)
            for value in ("mage", "/mage/", "a//b/", "../", "a/./b/", "a b/", "a/\n", 1, "x" * 300 + "/")
        ),
        *(("ttl_seconds", value) for value in (0, -1, "1", True)),
        *(("poll_seconds", value) for value in (0, 0.5, None)),
        *(("timeout_ms", value) for value in (0, 0.5, "200")),
        *(("storage", value) for value in ("", "Bucket", 1, ["bucket"])),
    ],
)
def test_a_wrong_value_is_an_error_at_its_key(key: str, value: object) -> None:
    found = reported(document({"storage": "bucket", key: value}, _BUCKET))
    assert ("thumbs.E003", f"storages[photos].cache.objects.{key}") in found


@pytest.mark.parametrize("prefix", ["", "mage/", "a/b-1/c_2/", "..a/", "a../"])
def test_a_prefix_is_empty_or_a_path(prefix: str) -> None:
    assert reported(document({"storage": "bucket", "prefix": prefix}, _BUCKET)) == []


def test_a_misspelled_key_is_an_error_with_the_nearest() -> None:
    found = load(document({"storage": "bucket", "time_out_ms": 100}, _BUCKET)).errors
    assert [(each.id, each.where) for each in found] == [("thumbs.E002", "storages[photos].cache.objects.time_out_ms")]
    assert "timeout_ms" in found[0].hint


def test_the_documented_example_has_no_problem() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    (example,) = [block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if '"objects"' in block]
    environ = {"THUMBNAILS_SECRET": "a secret of the tests"}
    storages = json.loads(example)["storages"]
    assert reported({"STORAGES": storages, "ENVIRON": environ}) == []


def test_the_documented_lifecycle_rule_is_that_of_the_defaults() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    (example,) = [block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if '"Rules"' in block]
    (rule,) = json.loads(example)["Rules"]
    assert rule["Filter"]["Prefix"] == ObjectCacheConf().prefix
    assert rule["Expiration"]["Days"] * 86_400 == ObjectCacheConf().ttl_seconds
