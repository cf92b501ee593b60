"""Mode `dummy` in a standalone server: without the files of its storages, and with renders in child processes."""

from pathlib import Path

import pytest

from tests.support import servers
from tests.support.isolated import layers, render_children
from tests.support.pictures import decoded
from thumbs.image.formats import sniff

STORAGES = [
    {"name": "photos", "driver": "local", "root": "/there/is/none"},
    {
        "name": "bucket",
        "driver": "s3",
        "bucket": "b",
        "base_url": "http://127.0.0.1:9",
        "access_key": "k",
        "secret_key": "s",
    },
]


@pytest.mark.parametrize("isolation", ["off", "auto"])
def test_a_server_without_its_files_answers_with_pictures_of_each_format(isolation: str, tmp_path: Path) -> None:
    document = {"storages": STORAGES, "mode": "dummy", "isolation": isolation, "run_dir": str(tmp_path / "run")}
    with servers.standalone(document, tmp_path) as server:
        for storage in ("photos", "bucket"):
            for name in ("jpeg", "png", "webp", "avif", "gif"):
                answer = server.get(f"{storage}/thumbs/120x90/filters:format({name})/cats/tom.jpg")
                assert (answer.status, sniff(answer.body[:64])) == (200, name)
                assert answer.headers["cache-control"] == "no-store"
            assert decoded(server.get(f"{storage}/thumbs/120x/a.png").body).size == (120, 80)
        assert bool(render_children(server.process.pid)) == (isolation == "auto")
        assert layers(server)["process"] == (isolation == "auto")
        etag = answer.headers["etag"]
        again = server.get("bucket/thumbs/120x90/filters:format(gif)/cats/tom.jpg", headers={"If-None-Match": etag})
        assert again.status == 304
