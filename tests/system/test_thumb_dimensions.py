"""`thumb_dimensions` as a process: its status, and that Ctrl-C says where to go on."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.support import pictures
from tests.support.gallery import Gallery, make_gallery
from tests.support.servers import ROOT
from tests.support.waiting import WAIT_SECONDS, eventually

_ROWS = """
import sys
from tests.gallery.models import Photo
Photo.objects.bulk_create([Photo(image=name, width=60, height=40) for name in {names}])
"""
_SIZES = "from tests.gallery.models import Photo; print(list(Photo.objects.values_list('width', flat=True)))"


def gallery_of(directory: Path, *names: str) -> Gallery:
    """A gallery with a row for each file; each file that exists shows 40 by 60 pixels."""
    gallery = make_gallery(directory)
    (gallery.media / "turned.jpg").write_bytes(pictures.stored_turned(pictures.quarters(40, 60), 6))
    gallery.python(_ROWS.format(names=list(names)))
    return gallery


def begun(gallery: Gallery, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "django", "thumb_dimensions", *arguments]
    # A shell that starts the tests in the background makes all of its children ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=gallery.environ,
        stdout=-1,
        stderr=-1,
        text=True,
        preexec_fn=heed,  # noqa: PLW1509 - this process has one thread
    )


def test_a_missing_file_makes_the_status_1_and_the_others_are_corrected(tmp_path: Path) -> None:
    gallery = gallery_of(tmp_path, "missing.jpg", "turned.jpg")
    process = begun(gallery, "gallery.Photo")
    out, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert out.startswith("gallery.Photo: 1 read, 1 corrected, 1 missing or broken")
    assert err.splitlines() == [
        "gallery.Photo 1 image 'missing.jpg': is missing",
        "CommandError: 1 file could not be read: the lines above name them.",
    ]
    assert gallery.python(_SIZES) == "[60, 40]\n"


def test_ctrl_c_prints_the_command_that_goes_on(tmp_path: Path) -> None:
    gallery = gallery_of(tmp_path, "turned.jpg", "pipe.jpg", "turned.jpg")
    os.mkfifo(gallery.media / "pipe.jpg")  # opening it waits for a writer
    process = begun(gallery, "gallery.Photo")
    try:
        eventually(lambda: gallery.python(_SIZES) == "[40, 60, 60]\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 1
    assert out.startswith("gallery.Photo: 1 read, 1 corrected, 0 missing or broken")
    assert err == "CommandError: Stopped. To go on, run: thumb_dimensions gallery.Photo.image --after 1\n"
    (gallery.media / "pipe.jpg").unlink()
    (gallery.media / "pipe.jpg").write_bytes((gallery.media / "turned.jpg").read_bytes())
    process = begun(gallery, "gallery.Photo.image", "--after", "1")
    process.communicate(timeout=WAIT_SECONDS)
    assert gallery.python(_SIZES) == "[40, 40, 40]\n"
