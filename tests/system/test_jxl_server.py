"""JPEG XL from a server with sandboxed children: negotiated, cached, read, and told in /ready and in the metrics."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support import servers
from tests.support.jxl_files import ENUM, Bits, codestream, scene
from tests.support.missing_extras import need
from tests.support.processes import children
from tests.support.servers import Server
from thumbs.image.formats import sniff
from thumbs.render.codecs import jxl

NEWEST = "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLDER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    need("jxl")
    directory = tmp_path_factory.mktemp("jxl")
    root = directory / "originals"
    root.mkdir()
    scene(300, 200).save(root / "photo.jpg", quality=95)
    codec, numpy = jxl.load()
    (root / "photo.jxl").write_bytes(codec.jpegxl_encode(numpy.asarray(scene(300, 200)), distance=0.5))
    bits = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True).put(0, 2)
    profile = codestream(bits.flags(True, False, True).choice(0, ENUM).flags(True)) + bytes(200)
    (root / "profile.jxl").write_bytes(profile)
    cache = {"memory": {"enabled": True, "max_size_mb": 16}}
    document = {
        "storages": [
            {"name": "photos", "driver": "local", "root": str(root), "cache": cache},
            {"name": "plain", "driver": "local", "root": str(root), "cache": cache, "formats": ["jpeg", "webp"]},
        ],
        "input_formats": ["jpeg", "jxl"],
        "isolation": "auto",
        "metrics": True,
        "run_dir": str(directory / "run"),
    }
    with servers.standalone(document, directory) as server:
        yield server


def test_a_client_that_names_it_gets_it_and_the_next_one_the_same(server: Server) -> None:
    target = "photos/thumbs/90x60/filters:format(auto)/photo.jpg"
    tags = set()
    for layer in ("MISS", "HIT"):
        answer = server.get(target, headers={"Accept": NEWEST})
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jxl")
        assert (answer.headers["x-cache"], answer.headers["vary"]) == (layer, "Accept")
        assert sniff(answer.body) == "jxl"
        tags.add(answer.headers["etag"])
    assert len(tags) == 1
    codec, _ = jxl.load()
    assert codec.jpegxl_decode(answer.body).shape == (60, 90, 3)
    older = server.get(target, headers={"Accept": OLDER})
    assert (older.headers["content-type"], older.headers["x-cache"]) == ("image/avif", "MISS")
    assert older.headers["etag"] not in tags


def test_a_storage_that_does_not_offer_it_gives_the_next_best(server: Server) -> None:
    answer = server.get("plain/thumbs/90x60/filters:format(auto)/photo.jpg", headers={"Accept": NEWEST})
    assert answer.headers["content-type"] == "image/webp"
    assert server.get("plain/thumbs/90x60/filters:format(jxl)/photo.jpg").status == 400


def test_an_original_is_read(server: Server) -> None:
    answer = server.get("photos/thumbs/90x60/filters:format(png)/photo.jxl")
    assert answer.status == 200, answer.body
    assert Image.open(io.BytesIO(answer.body)).size == (90, 60)
    assert server.get("photos/thumbs/90x60/photo.jxl").headers["content-type"] == "image/jxl"


def test_an_embedded_profile_is_415_with_the_reason_in_the_answer_and_in_the_log(server: Server) -> None:
    answer = server.get("photos/thumbs/90x60/filters:format(png)/profile.jxl")
    assert answer.status == 415
    sentence = "The original is a JPEG XL with an ICC profile, which this server cannot read."
    assert json.loads(answer.body)["detail"] == sentence

    def line() -> str:
        return next((line for line in server.log.read_text().splitlines() if "key profile.jxl," in line), "")

    servers.eventually(lambda: line() != "")
    assert f"storage photos: {sentence}" in line()


def test_what_is_there_is_told(server: Server) -> None:
    told = json.loads(server.get("ready").body)["codecs"]
    assert told["jxl"] == {"read": "imagecodecs", "write": "imagecodecs"}
    assert told["jpeg"]["write"] == "libvips"
    text = server.get("metrics").body.decode()
    assert 'mage_codec{direction="write",format="jxl",package="imagecodecs"} 1.0' in text


def test_the_server_never_imports_numpy(server: Server) -> None:
    """It is mapped into the children only."""
    server.get("photos/thumbs/91x60/filters:format(jxl)/photo.jpg")
    for pid in (server.process.pid, *children(server.process.pid)):
        assert "numpy" not in Path(f"/proc/{pid}/maps").read_text()
