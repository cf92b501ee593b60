"""`thumbs.purge`, and the purges after changes of a model's files: only once these are committed."""

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage, default_storage
from django.db import connection, models, transaction
from django.db.models.signals import post_delete, pre_save
from django.test import Client, override_settings
from PIL import Image
from storages.backends.s3 import S3Storage

import thumbs
from tests.support import pictures, servers
from tests.support.commands import disk_cache, local_storage
from tests.support.models import Framed, Note, Photo
from tests.support.waiting import eventually
from thumbs import signals
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.errors import BadPath
from thumbs.site.links import UnknownStorage
from thumbs.site.purging import NotPurged
from thumbs.site.served_paths import served_path
from thumbs.wiring import process

RED = pictures.encoded(Image.new("RGB", (300, 200), pictures.RED), "JPEG")
BLUE = pictures.encoded(Image.new("RGB", (300, 200), pictures.BLUE), "JPEG")


def x_cache(path: str) -> str:
    answer = Client().get(f"/img/{path}")
    assert answer.status_code == 200, answer.content
    return str(answer.headers["X-Cache"])


def is_red(body: bytes) -> bool:
    red, _, blue = pictures.decoded(body).convert("RGB").getpixel((10, 10))  # type: ignore[misc]
    return bool(red > blue)


# ---------------------------------------------------------------------------------------- thumbs.purge


def test_a_purge_drops_the_thumbnails_of_one_original_in_every_layer(storages: object) -> None:
    mine = [f"on-disk/thumbs/{size}/quarters.jpg" for size in ("50x", "x70/filters:format(webp)")]
    others = ["on-disk/thumbs/50x/quarters.png", "in-memory/thumbs/50x/quarters.jpg"]
    assert [x_cache(path) for path in (*mine, *others)] == ["MISS"] * 4
    assert [x_cache(path) for path in (*mine, *others)] == ["HIT"] * 4
    assert thumbs.purge("on-disk", "quarters.jpg") == 4  # two on disk, the same two in memory
    assert [x_cache(path) for path in (*mine, *others)] == ["MISS", "MISS", "HIT", "HIT"]


def test_what_other_sizes_are_made_of_is_purged_as_well(tmp_path: Path) -> None:
    def picture(color: tuple[int, int, int]) -> bytes:
        return pictures.encoded(Image.new("RGB", (3000, 2400), color), "JPEG")

    (tmp_path / "a.jpg").write_bytes(picture(pictures.RED))
    storage = local_storage("photos", tmp_path, memory={"enabled": True, "max_size_mb": 64}, sources=True)
    with override_settings(THUMBS={"STORAGES": [storage], "RUN_DIR": str(tmp_path / "run")}):

        def is_red_at(width: int) -> bool:
            return is_red(Client().get(f"/img/photos/thumbs/{width}x/a.jpg").content)

        assert is_red_at(50)
        (tmp_path / "a.jpg").write_bytes(picture(pictures.BLUE))
        assert is_red_at(60)
        thumbs.purge("photos", "a.jpg")
        assert not is_red_at(70)
        assert not is_red_at(50)


def test_what_is_not_cached_is_purged_at_once(storages: object) -> None:
    assert thumbs.purge("on-disk", "no/such/file.jpg") == 0
    assert thumbs.purge("signed", "quarters.jpg") == 0  # it has no cache


def test_a_purge_reaches_every_running_worker_within_a_second(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jpg").write_bytes(RED)
    memory = {"enabled": True, "max_size_mb": 4}
    document = {"storages": [local_storage("photos", root, memory=memory)], "run_dir": str(tmp_path / "run")}
    with servers.standalone(document, tmp_path, workers=2) as server:
        url = server.url("photos/thumbs/20x20/a.jpg")
        # Each worker has a memory of its own, and misses once. One may answer hundreds before the other is there.
        missed: list[bool] = []

        def both_have_missed() -> bool:
            answer = servers.fetch(url)
            assert is_red(answer.body)
            missed.append(answer.headers["x-cache"] == "MISS")
            return sum(missed) == 2

        eventually(both_have_missed)
        (root / "a.jpg").write_bytes(BLUE)
        assert all(is_red(servers.fetch(url).body) for _ in range(20))
        with override_settings(THUMBS={name.upper(): value for name, value in document.items()}):
            thumbs.purge("photos", "a.jpg")
        time.sleep(1)  # as documented: a worker reads the journal within a second
        assert not any(is_red(servers.fetch(url).body) for _ in range(20))


def test_a_purge_refuses_what_is_no_storage_and_no_path(storages: object) -> None:
    with pytest.raises(UnknownStorage, match=r"No storage is called 'on-dsk'. Did you mean 'on-disk'\?"):
        thumbs.purge("on-dsk", "a.jpg")
    for path in ("", "/a.jpg", "../a.jpg"):
        with pytest.raises(BadPath):
            thumbs.purge("on-disk", path)


def test_a_layer_that_does_not_do_it_is_an_error(originals: Path, tmp_path: Path) -> None:
    caches = {
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": f"127.0.0.1:{servers.free_port()}",
            "OPTIONS": {"connect_timeout": 0.05, "timeout": 0.05},
        }
    }
    between = local_storage("between", originals, shared={"alias": "default"})
    with (
        override_settings(THUMBS={"STORAGES": [between], "RUN_DIR": str(tmp_path)}, CACHES=caches),
        pytest.raises(NotPurged, match="The layer shared of between fails"),
    ):
        thumbs.purge("between", "quarters.jpg")


def test_the_package_is_imported_without_django() -> None:
    script = "import sys, thumbs; sys.exit(' '.join(n for n in ('django', 'pyvips') if n in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", script], cwd=servers.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(AttributeError, match="module 'thumbs' has no attribute 'purges'"):
        getattr(thumbs, "purges")  # noqa: B009 - a type checker would see it


# --------------------------------------------------------------------------------------- model changes


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """MEDIA_ROOT of a site whose uploads are served with a cache, and whose models are watched."""
    root = tmp_path / "media"
    root.mkdir()
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    with connection.schema_editor() as editor:
        for model in (Photo, Framed, Note):
            editor.create_model(model)
    try:
        with override_settings(
            MEDIA_ROOT=str(root),
            THUMBS={"STORAGES": [{**uploads, "cache": {"disk": disk_cache(tmp_path / "cache", ttl_seconds=86400)}}]},
        ):
            signals.connect()
            yield root
    finally:
        signals.disconnect()
        with connection.schema_editor() as editor:
            for model in (Note, Framed, Photo):
                editor.delete_model(model)


def upload(data: bytes = RED, name: str = "a.jpg") -> "ContentFile[bytes]":
    return ContentFile(data, name)


def thumbnail(name: str) -> str:
    return x_cache(f"uploads/thumbs/20x20/{name}")


def test_the_thumbnails_of_a_replaced_file_are_purged(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    other = Photo.objects.create(image=upload(name="other.jpg"))
    assert [thumbnail(name) for name in ("a.jpg", "other.jpg")] == ["MISS", "MISS"]
    photo.image = upload(BLUE, "b.jpg")
    photo.save()
    assert [thumbnail(name) for name in ("a.jpg", "other.jpg")] == ["MISS", "HIT"]
    assert other.image.name == "other.jpg"


def test_the_thumbnails_of_a_file_replaced_under_its_own_name_are_purged(media: Path) -> None:
    photo = Photo.objects.create(cover=upload())
    before = Client().get("/img/uploads/thumbs/20x20/a.jpg").content
    photo.cover = upload(BLUE)
    photo.save()
    assert photo.cover.name == "a.jpg"
    after = Client().get("/img/uploads/thumbs/20x20/a.jpg").content
    assert (is_red(before), is_red(after)) == (True, False)


def test_a_new_file_is_not_shown_as_an_older_one_of_its_name(media: Path) -> None:
    (media / "a.jpg").write_bytes(RED)
    assert thumbnail("a.jpg") == "MISS"
    (media / "a.jpg").unlink()
    Photo.objects.create(image=upload(BLUE))
    assert not is_red(Client().get("/img/uploads/thumbs/20x20/a.jpg").content)


def test_the_thumbnails_of_a_deleted_or_cleared_file_are_purged(media: Path) -> None:
    deleted = Photo.objects.create(image=upload(name="deleted.jpg"))
    cleared = Photo.objects.create(image=upload(name="cleared.jpg"))
    Photo.objects.create(image=upload(name="with-a-query.jpg"))
    names = ["deleted.jpg", "cleared.jpg", "with-a-query.jpg"]
    assert [thumbnail(name) for name in names] == ["MISS"] * 3
    assert [thumbnail(name) for name in names] == ["HIT"] * 3
    deleted.delete()
    cleared.image = ""
    cleared.save()
    Photo.objects.filter(image="with-a-query.jpg").delete()
    assert [thumbnail(name) for name in names] == ["MISS"] * 3


def test_a_save_that_leaves_the_file_alone_purges_nothing(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    photo.title = "Another title"
    photo.save()
    photo.image = "elsewhere.jpg"
    photo.save(update_fields=["title"])
    Photo.objects.defer("image").get().save()
    Photo.objects.only("title").get().delete()  # here it is deferred, and a name that is not loaded is unknown
    assert thumbnail("a.jpg") == "HIT"


def test_a_file_of_a_parent_model_counts_too(media: Path) -> None:
    framed = Framed.objects.create(image=upload(), frame=upload(name="gold.jpg"))
    names = ["a.jpg", "frames/gold.jpg"]
    assert [thumbnail(name) for name in names] == ["MISS", "MISS"]
    framed.image, framed.frame = upload(BLUE, "b.jpg"), upload(BLUE, "silver.jpg")
    framed.save()
    assert [thumbnail(name) for name in names] == ["MISS", "MISS"]


def test_nothing_is_purged_before_the_change_is_committed(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    with transaction.atomic():
        photo.delete()
        assert thumbnail("a.jpg") == "HIT"
    assert thumbnail("a.jpg") == "MISS"


def test_a_change_that_is_rolled_back_purges_nothing(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    with transaction.atomic():
        photo.image = upload(name="b.jpg")
        photo.save()
        transaction.set_rollback(True)
    assert thumbnail("a.jpg") == "HIT"


def test_a_purge_that_fails_is_logged_and_the_site_goes_on(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo = Photo.objects.create(image=upload())
    broken = {"name": "broken", "driver": "tests.nowhere.Storage"}
    local = local_storage("photos", media, disk=disk_cache(media.parent / "other-cache"))
    with override_settings(THUMBS={"STORAGES": [broken, local]}), caplog.at_level(logging.ERROR, "thumbs"):
        process.reset()
        assert x_cache("photos/thumbs/20x20/a.jpg") == "MISS"
        photo.delete()
        assert x_cache("photos/thumbs/20x20/a.jpg") == "MISS"
    assert [record.getMessage() for record in caplog.records] == ["the thumbnails of a.jpg in broken are not purged"]
    assert not Photo.objects.exists()


def test_a_name_that_no_url_can_hold_is_passed_over(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    Photo.objects.create(image="a\\b.jpg").delete()
    assert caplog.records == []


def test_only_models_with_files_are_watched(media: Path) -> None:
    assert pre_save.has_listeners(Photo)
    assert post_delete.has_listeners(Framed)
    assert not pre_save.has_listeners(Note)
    assert not post_delete.has_listeners(Note)  # else Django would load every row that it deletes


def test_models_are_watched_only_where_that_is_configured() -> None:
    script = (
        "import sys, django\n"
        "from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=['thumbs', 'tests'], THUMBS={{'STORAGES': [], **{}}})\n"
        "django.setup()\n"
        "from django.db.models.signals import pre_save\n"
        "from tests.support.models import Photo\n"
        "sys.exit(7 if pre_save.has_listeners(Photo) else 0)\n"
    )
    for asked, status in (({}, 0), ({"PURGE_ON_MODEL_CHANGES": True}, 7)):
        command = [sys.executable, "-c", script.format(asked)]
        done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (status, "")


# --------------------------------------------------------------------------- which storage serves a file


def conf(**keys: object) -> StorageConf:
    return read(StorageConf, {"name": "s", **keys}, "", [])


def bucket(name: str = "b", **options: object) -> Storage:
    made: Storage = S3Storage(bucket_name=name, access_key="k", secret_key="s", **options)
    return made


S3_CLASS = "storages.backends.s3.S3Storage"
FILES = "django.core.files.storage.FileSystemStorage"
MEMORY = "django.core.files.storage.InMemoryStorage"


@pytest.mark.parametrize(
    ("keys", "held_by", "path"),
    [
        ({"driver": "django", "alias": "default"}, default_storage, "cats/tom.jpg"),
        ({"driver": "django", "alias": "default"}, FileSystemStorage("/elsewhere"), None),
        ({"driver": "local", "root": "/media"}, FileSystemStorage("/media"), "cats/tom.jpg"),
        ({"driver": "local", "root": "/media/cats"}, FileSystemStorage("/media"), "tom.jpg"),
        ({"driver": "local", "root": "/"}, FileSystemStorage("/media"), "media/cats/tom.jpg"),
        ({"driver": "local", "root": "/media/dogs"}, FileSystemStorage("/media"), None),
        ({"driver": "local", "root": "/media"}, InMemoryStorage(location="/media"), None),
        ({"driver": FILES, "options": {"location": "/media"}}, FileSystemStorage("/media"), "cats/tom.jpg"),
        ({"driver": FILES, "options": {"location": "/media"}}, FileSystemStorage("/other"), None),
        ({"driver": MEMORY, "options": {"location": "/m"}}, InMemoryStorage(location="/m"), "cats/tom.jpg"),
        ({"driver": MEMORY, "options": {"location": "/m"}}, InMemoryStorage(location="/n"), None),
        ({"driver": "s3", "bucket": "b"}, bucket(), "cats/tom.jpg"),
        ({"driver": "s3", "bucket": "b"}, bucket(location="media"), "media/cats/tom.jpg"),
        ({"driver": "s3", "bucket": "other"}, bucket(), None),
        ({"driver": "s3", "bucket": "b"}, bucket(endpoint_url="https://s3.example.com"), None),
        (
            {"driver": "s3", "bucket": "b", "base_url": "https://s3.example.com/"},
            bucket(endpoint_url="https://s3.example.com"),
            "cats/tom.jpg",
        ),
        ({"driver": "s3", "bucket": "b"}, FileSystemStorage("/media"), None),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b"}}, bucket(location="media"), "media/cats/tom.jpg"),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b", "location": "cats"}}, bucket(), "tom.jpg"),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b", "location": "dogs"}}, bucket(), None),
        ({"driver": S3_CLASS, "options": {"bucket_name": "c"}}, bucket(), None),
        ({"driver": MEMORY, "options": {}}, FileSystemStorage("/media"), None),
    ],
)
def test_a_file_is_found_in_the_storages_that_serve_it(
    keys: dict[str, object], held_by: Storage, path: str | None
) -> None:
    assert served_path(conf(**keys), held_by, "cats/tom.jpg") == path


def test_a_file_is_found_through_links_between_directories(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert (
        served_path(conf(driver="local", root=str(tmp_path / "link")), FileSystemStorage(tmp_path / "real"), "a") == "a"
    )


def test_the_default_storage_of_a_field_is_its_own_object() -> None:
    field = Photo._meta.get_field("image")
    assert isinstance(field, models.FileField)
    assert served_path(conf(driver="django", alias="default"), field.storage, "a.jpg") == "a.jpg"
