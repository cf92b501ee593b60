"""Our ThumbHash beside npm's package `thumbhash`, in node: the same hashes, and the same pictures from them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.servers import service
from tests.support.thumbhashes import small_pictures
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS
from thumbs.image.placeholders import thumbhash

_PROGRAM = """
import * as thumbhash from "thumbhash";
import fs from "fs";
const answers = JSON.parse(fs.readFileSync(0)).map(([width, height, rgba]) => {
  const hash = thumbhash.rgbaToThumbHash(width, height, Buffer.from(rgba, "hex"));
  const picture = thumbhash.thumbHashToRGBA(hash);
  const { r, g, b, a } = thumbhash.thumbHashToAverageRGBA(hash);
  return {
    hash: Buffer.from(hash).toString("hex"),
    picture: [picture.w, picture.h, Buffer.from(picture.rgba).toString("hex")],
    color: [r, g, b, a],
    ratio: thumbhash.thumbHashToApproximateAspectRatio(hash),
  };
});
console.log(JSON.stringify(answers));
"""


def test_hashes_and_pictures_are_those_of_the_package(tmp_path: Path) -> None:
    node, npm = service("node"), service("npm")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "program.mjs").write_text(_PROGRAM)
    install = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "thumbhash@0.1.1"]
    installed = subprocess.run(
        install, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS
    )
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install thumbhash: {installed.stderr.strip()[-200:]}")
    drawn = dict(small_pictures())
    cases = json.dumps([(*picture.size, picture.tobytes().hex()) for picture in drawn.values()])
    done = subprocess.run(
        [node, "program.mjs"], check=True, cwd=tmp_path, input=cases, stdout=-1, text=True, timeout=WAIT_SECONDS
    )
    for (name, picture), theirs in zip(drawn.items(), json.loads(done.stdout), strict=True):
        data = thumbhash.encode(*picture.size, picture.tobytes())
        pixels = thumbhash.decode(data)
        assert data.hex() == theirs["hash"], name
        assert [pixels.width, pixels.height, pixels.rgba.hex()] == theirs["picture"], name
        assert list(thumbhash.average_color(data)) == theirs["color"], name
        assert thumbhash.aspect_ratio(data) == theirs["ratio"], name
