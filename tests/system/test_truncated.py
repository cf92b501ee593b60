"""The key `truncated`: what a storage answers for an original whose data ends early, and that nothing keeps it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.jpegs import EOI, sample
from tests.support.pictures import decoded, encoded, noise, scene
from tests.support.servers import Answer, Server

MEMORY = {"enabled": True, "max_size_mb": 64}
# Browsers show the part of these that is there, and nothing of the others.
SHOWN, NOT_SHOWN = ("half.jpg", "half-ended.jpg", "half.png", "half.gif"), ("half.webp", "half.avif", "half.tif")


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def write_originals(directory: Path) -> None:
    picture = noise(400, 300)
    files = {f"half.{name}": half(encoded(picture, name.upper())) for name in ("png", "gif", "webp", "avif")}
    files["half.tif"] = half(encoded(picture, "TIFF", compression="tiff_lzw"))
    files["half.jpg"] = half(sample(picture).data)
    files["half-ended.jpg"] = files["half.jpg"] + EOI
    files["large.jpg"] = half(encoded(scene(2600, 1800), "JPEG")) + EOI
    files["whole.jpg"] = sample(picture).data
    directory.mkdir()
    for name, data in files.items():
        (directory / name).write_bytes(data)


def storage(name: str, root: Path, directory: Path, **more: object) -> dict[str, object]:
    disk = {"enabled": True, "dir": str(directory / name), "stale_seconds": 600}
    cache = {"memory": MEMORY, "disk": disk, "sources": True}
    return {"name": name, "driver": "local", "root": str(root), "cache": cache, **more}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("truncated") / "originals"
    write_originals(root)
    return root


@pytest.fixture(scope="module", params=["off", "auto"])
def server(
    request: pytest.FixtureRequest, originals: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    root, directory = originals, tmp_path_factory.mktemp("server")
    document = {
        "storages": [
            storage("strict", root, directory),
            storage("said", root, directory, truncated="refuse"),
            storage("shown", root, directory, truncated="render"),
        ],
        "input_formats": ["jpeg", "png", "gif", "webp", "avif", "tiff"],
        "isolation": request.param,
        "run_dir": str(directory / "run"),
    }
    with servers.standalone(document, directory) as server:
        yield server


def ask(server: Server, storage: str, name: str, *, size: str = "80x60", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return server.get(f"{storage}/thumbs/{size}/filters:format(png)/{name}", headers=named)


@pytest.mark.parametrize("name", [*SHOWN, *NOT_SHOWN])
@pytest.mark.parametrize("storage", ["strict", "said"])
def test_by_default_an_original_that_is_cut_off_is_refused(server: Server, storage: str, name: str) -> None:
    answer = ask(server, storage, name)
    assert (answer.status, answer.headers["cache-control"]) == (422, "no-store")


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_what_browsers_do_not_show_is_refused_in_any_case(server: Server, name: str) -> None:
    assert ask(server, "shown", name).status == 422


@pytest.mark.parametrize("name", [*SHOWN, "large.jpg"])
def test_what_browsers_show_in_part_is_rendered_and_kept_nowhere(server: Server, name: str) -> None:
    since = ask(server, "shown", "whole.jpg").headers["last-modified"]
    for headers in ({}, {}, {"If_None_Match": "*"}, {"If_Modified_Since": since}):
        answer = ask(server, "shown", name, **headers)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-cache"] == "MISS"
        assert not {"etag", "last-modified"} & set(answer.headers)
        assert decoded(answer.body).size[0] in (80, 83, 87)


def test_the_part_that_is_there_is_shown(server: Server) -> None:
    whole = decoded(ask(server, "shown", "whole.jpg").body).convert("RGB")
    for name in SHOWN:
        part = decoded(ask(server, "shown", name).body).convert("RGB")
        above = (0, 0, 80, 15)
        differences = [abs(a - b) for a, b in zip(whole.crop(above).tobytes(), part.crop(above).tobytes(), strict=True)]
        assert sum(differences) / len(differences) < 12, name


def test_a_whole_original_is_kept_as_ever(server: Server) -> None:
    first, second = (ask(server, "shown", "whole.jpg", size="44x33") for _ in range(2))
    assert [answer.headers["x-cache"] for answer in (first, second)] == ["MISS", "HIT"]
    assert first.headers["etag"] == second.headers["etag"]


def test_an_original_that_is_complete_at_last_is_rendered_whole(server: Server, originals: Path) -> None:
    whole = (originals / "whole.jpg").read_bytes()
    (originals / "growing.jpg").write_bytes(half(whole))
    assert ask(server, "shown", "growing.jpg").headers["cache-control"] == "no-store"
    (originals / "growing.jpg").write_bytes(whole)
    assert "etag" in ask(server, "shown", "growing.jpg").headers
