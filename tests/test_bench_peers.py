"""The peers of the table of scores by factor: thumbor's way with Pillow, and ipx where it can be installed."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bench.processes import UnavailableError
from bench.quality import peers
from tests.support import pictures


def photo(size: tuple[int, int]) -> bytes:
    body = io.BytesIO()
    pictures.scene(*size).save(body, "JPEG", quality=92)
    return body.getvalue()


def test_thumbor_decodes_at_the_smallest_scale_and_resizes_by_lanczos(monkeypatch: pytest.MonkeyPatch) -> None:
    scales, original = [], photo((800, 480))
    resize = Image.Image.resize

    def watched(image: Image.Image, size: tuple[int, int], *arguments: object) -> Image.Image:
        scales.append((image.size, arguments))
        return resize(image, size, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", watched)
    made = Image.open(io.BytesIO(peers.thumbor(original, 190, 114)))
    assert (made.size, made.format) == ((190, 114), "JPEG")
    assert scales == [((200, 120), (Image.Resampling.LANCZOS,))]


def test_a_peer_that_cannot_be_installed_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def install(_: Path) -> Path:
        raise UnavailableError("npm cannot reach its registry")

    monkeypatch.setattr("bench.install.ipx", install)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/node")
    assert list(peers.makers(tmp_path / "scratch")) == ["thumbor"]
    assert "left out: ipx: npm cannot reach its registry" in capsys.readouterr().err
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert list(peers.makers(tmp_path / "scratch")) == ["thumbor"]
    assert "left out: ipx: it needs node and npm" in capsys.readouterr().err
