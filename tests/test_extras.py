"""The extras: what they install, and what is said where a configuration needs one that is not installed."""

import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.support.documents import bucket, checked, dotted, local, one
from tests.support.missing_extras import need
from thumbs import extras
from thumbs.conf.loading import NotConfigured, load
from thumbs.wiring.build import build

ROOT = Path(__file__).resolve().parents[1]
S3_STORAGE = "storages.backends.s3.S3Storage"
Hide = Callable[..., None]


def project() -> dict[str, Any]:
    read: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return read


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Hide:
    """Makes packages as absent as if they were not installed, and drops what has imported them."""

    def hidden(*packages: str) -> None:
        for name in list(sys.modules):
            if name.partition(".")[0] in (*packages, "storages"):
                monkeypatch.delitem(sys.modules, name)
        for package in packages:
            monkeypatch.setitem(sys.modules, package, None)

    return hidden


def told(setting: object, code: str = "thumbs.E021") -> tuple[str, str]:
    """The text and the hint of the one message, which has the id `code`."""
    found = checked(setting)
    assert [each.id for each in found] == [code]
    return str(found[0].msg), str(found[0].hint)


def test_a_site_with_pictures_on_disk_depends_on_four_packages() -> None:
    assert distributions(project()["dependencies"]) == {"django", "pyvips", "pyvips-binary", "tqdm"}


def test_every_extra_of_the_code_is_one_of_the_project_and_installs_its_packages() -> None:
    names = {"storages": "django-storages", "prometheus_client": "prometheus-client", "pillow_heif": "pillow-heif"}
    names |= {name: name.replace(".", "-") for name in extras.PACKAGES["otel"]}
    optional = project()["optional-dependencies"]
    for extra, packages in extras.PACKAGES.items():
        assert {names.get(package, package) for package in packages} <= distributions(optional[extra])
    assert project()["name"] == extras.DISTRIBUTION


def test_all_is_every_extra_that_installs_without_a_compiler_and_is_under_a_permissive_license() -> None:
    optional = project()["optional-dependencies"]
    together = [name for name in extras.PACKAGES if name not in extras.SEPARATE]
    assert optional["all"] == [f"{extras.DISTRIBUTION}[{','.join(together)}]"]
    assert set(optional) == {*extras.PACKAGES, "all", "fast", "test", "bench"}


def test_the_server_has_its_metrics() -> None:
    optional = project()["optional-dependencies"]
    assert set(optional["metrics"]) <= set(optional["server"])


def test_a_bucket_without_boto3_is_an_error_with_the_command_that_installs_it(hide: Hide) -> None:
    hide("boto3", "botocore")
    text, hint = told(one(bucket()))
    assert text == "storages[photos].driver: driver s3 needs boto3, which is not installed."
    assert hint == 'Run: pip install "mage-thumbs[s3]"'


def test_nothing_is_built_for_a_bucket_without_boto3(hide: Hide) -> None:
    hide("boto3", "botocore")
    with pytest.raises(NotConfigured, match=r'pip install "mage-thumbs\[s3\]"'):
        build(load(one(bucket())))


@pytest.mark.parametrize(
    ("packages", "named"),
    [
        (["storages"], "storages"),
        (["boto3", "botocore"], "s3"),
        (["boto3", "botocore", "storages"], "storages,s3"),
    ],
)
def test_a_class_of_django_storages_is_an_error_with_the_command(hide: Hide, packages: list[str], named: str) -> None:
    hide(*packages)
    aliased = {"name": "photos", "driver": "django", "alias": "bucket", "signature_secret_key": "x" * 9}
    with override_settings(STORAGES={"bucket": {"BACKEND": S3_STORAGE, "OPTIONS": {"bucket_name": "b"}}}):
        for setting in (one(dotted(S3_STORAGE, bucket_name="b")), one(aliased)):
            text, hint = told(setting)
            assert S3_STORAGE in text
            assert hint == f'Run: pip install "mage-thumbs[{named}]"'


def test_a_sites_own_class_over_django_storages_is_an_error_with_the_command(hide: Hide) -> None:
    hide("storages")
    sys.modules.pop("tests.support.own_s3_storage", None)
    text, hint = told(one(dotted("tests.support.own_s3_storage.OwnS3Storage", bucket_name="b")))
    assert "OwnS3Storage needs storages" in text
    assert hint == 'Run: pip install "mage-thumbs[storages]"'


def test_an_alias_whose_class_is_missing_is_an_error_and_not_a_failed_request() -> None:
    aliased = {"name": "photos", "driver": "django", "alias": "default", "signature_secret_key": "x" * 9}
    with override_settings(STORAGES={"default": {"BACKEND": "no.such.Storage"}}):
        text, _ = told(one(aliased), "thumbs.E013")
    assert text.startswith("storages[photos].alias: no.such.Storage cannot be imported")


@pytest.mark.parametrize(
    ("backend", "package", "extra"),
    [
        ("django.core.cache.backends.memcached.PyMemcacheCache", "pymemcache", "memcached"),
        ("django.core.cache.backends.redis.RedisCache", "redis", "redis"),
    ],
)
@pytest.mark.parametrize("layer", ["memory", "disk", "shared"])
def test_a_cache_alias_without_its_client_is_an_error_with_the_command(
    hide: Hide, tmp_path: Path, backend: str, package: str, extra: str, layer: str
) -> None:
    hide(package)
    options = {"timeout": 1, "connect_timeout": 1, "socket_timeout": 1, "socket_connect_timeout": 1}
    caches = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1", "OPTIONS": options}}
    enabled = {} if layer == "shared" else {"enabled": True}
    with override_settings(CACHES=caches):
        text, hint = told(one(local(tmp_path, cache={layer: {**enabled, "alias": "default"}})))
    assert text.startswith(f"storages[photos].cache.{layer}.alias: the cache 'default' needs {package}")
    assert hint == f'Run: pip install "mage-thumbs[{extra}]"'


def test_metrics_without_the_client_of_prometheus_are_an_error_with_the_command(hide: Hide, tmp_path: Path) -> None:
    hide("prometheus_client")
    text, hint = told({**one(local(tmp_path)), "METRICS": True})
    assert text == "THUMBS.metrics: metrics needs prometheus_client, which is not installed."
    assert hint == 'Run: pip install "mage-thumbs[metrics]"'
    assert checked({**one(local(tmp_path)), "METRICS": False}) == []


@pytest.mark.parametrize("package", ["opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_tracing_without_the_sdk_is_an_error_with_the_command(hide: Hide, tmp_path: Path, package: str) -> None:
    need("otel")  # what is left then, such as the API alone, is not enough
    hide(package)
    text, hint = told({**one(local(tmp_path)), "TRACING": True}, "thumbs.E045")
    assert text.startswith("THUMBS.tracing: tracing needs opentelemetry.")
    assert text.endswith("not installed.")
    assert hint == 'Run: pip install "mage-thumbs[otel]"'
    assert checked({**one(local(tmp_path)), "TRACING": False}) == []


def test_run_thumb_server_without_gunicorn_prints_the_command(hide: Hide, tmp_path: Path) -> None:
    hide("gunicorn")
    with override_settings(THUMBS=one(local(tmp_path))), pytest.raises(CommandError) as raised:
        call_command("run_thumb_server")
    wanted = 'run_thumb_server needs gunicorn, which is not installed. Run: pip install "mage-thumbs[server]"'
    assert str(raised.value) == wanted


def test_what_is_installed_is_not_reported(tmp_path: Path) -> None:
    assert checked(one(bucket())) == []
    assert checked(one(dotted(S3_STORAGE, bucket_name="b"))) == []
    assert checked({**one(local(tmp_path)), "METRICS": True}) == []
    assert checked({**one(local(tmp_path)), "TRACING": True}) == []


def test_another_missing_module_is_not_taken_for_an_extra() -> None:
    error = ModuleNotFoundError("No module named 'elsewhere'", name="elsewhere")
    assert extras.extras_behind(error) == ()
    assert extras.extras_behind(ValueError("boto3")) == ()
