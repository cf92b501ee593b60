"""The originals, and what a request for each thumbnail must give."""

import http.client
import random
from dataclasses import dataclass
from pathlib import Path

import pyvips

from bench.check import WrongAnswerError, identify
from bench.processes import LOOPBACK

COUNT = 12  # originals
SIZES = ((60, 40), (90, 120))
# By what they have between machines: the last one has a bucket alone, and no disk cache, so that all is read there.
OBJECTS = "objects"
STORAGES = ("memcached", "redis", OBJECTS)
REFERENCE = "reference"
_LEVELS = 6  # how far the mean color of a thumbnail may be from its original's


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail of the original `name`."""

    name: str
    size: tuple[int, int]

    def path(self, storage: str, version: str = "") -> str:
        """The path of its URL. With a `version` no cache has it before the first request."""
        filters = f"filters:version({version})/" if version else ""
        return f"/{storage}/thumbs/{self.size[0]}x{self.size[1]}/{filters}{self.name}"


def draw(directory: Path, seed: int, count: int) -> None:
    """Write `count` originals: each has a color of its own, with noise."""
    chance = random.Random(seed)
    for number in range(count):
        color = [(number * step + chance.randrange(16)) % 200 + 28 for step in (97, 61, 151)]
        noise = pyvips.Image.gaussnoise(600, 400, mean=0, sigma=12, seed=seed + number)
        bands = [noise + level for level in color]
        picture = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
        picture.write_to_file(f"{directory}/picture-{number}.jpg[Q=88]")


def expected(ports: list[int], originals: Path) -> dict[Picture, bytes]:
    """The bytes of each thumbnail, from the storage without a cache; all servers must give the same ones.

    Raises `WrongAnswerError` where one is not the picture that it should be.
    """
    found = {}
    names = sorted(file.name for file in originals.iterdir())
    for picture in (Picture(name, size) for name in names for size in SIZES):
        bodies = {fetched(port, picture.path(REFERENCE)) for port in ports}
        if len(bodies) != 1:
            raise WrongAnswerError(f"servers answer different bytes for {picture}")
        (body,) = bodies
        _, width, height = identify(body)
        if (width, height) != picture.size:
            raise WrongAnswerError(f"answered {width}×{height} pixels for {picture}")
        far = [abs(a - b) for a, b in zip(_mean(body), _mean((originals / picture.name).read_bytes()), strict=True)]
        if max(far) > _LEVELS:
            raise WrongAnswerError(f"answered another picture for {picture}")
        found[picture] = body
    return found


def fetched(port: int, path: str) -> bytes:
    """The body of an answer that must be 200. Raises `WrongAnswerError`."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswerError(f"gave no answer to {path} ({error!r})") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise WrongAnswerError(f"answered {answer.status} to {path}: {body[:200]!r}")
    return body


def _mean(data: bytes) -> list[float]:
    image = pyvips.Image.new_from_buffer(data, "")
    return [band.avg() for band in image.bandsplit()]
