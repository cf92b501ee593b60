"""The original of the benchmark: generates a photo, and gives it a new name for every request."""

import os
import shutil
import threading
from functools import reduce
from pathlib import Path

from pyvips import Image

WIDTH, HEIGHT = 3000, 2000  # 6 megapixels
_FILE_QUALITY = 86  # about 0.9 MB
_LINKS_PER_FILE = 20_000  # ext4 allows 65,000 links to one file


def draw_photo(file: Path) -> None:
    """Write a JPEG that is as expensive to decode and encode as a photo: sky, hills, pebbles, sensor noise.

    As with photos, the file has 1.2 bits per pixel, and its thumbnail of 500×300 about 25 KB (JPEG, quality 80).
    """
    down = Image.xyz(WIDTH, HEIGHT)[1] / HEIGHT
    rock = _fractal(300, seed=400, roughness=0.8)
    pebbles = _cells(110, seed=500) * 130 + _cells(40, seed=600) * 90
    sky = _lit(_fractal(900, seed=300) * 70 + 135 - down * 40, (0.70, 0.90, 1.20))
    hills = _lit(rock * 60 + 85, (0.72, 0.95, 0.70))
    shore = _lit((pebbles + rock * 35 - 20) * down * 1.2, (1.10, 0.95, 0.75))
    above_shore = down > _fractal(500, seed=200) * 0.10 + 0.62
    above_hills = down > _fractal(800, seed=100) * 0.16 + 0.38
    scene = above_shore.ifthenelse(shore, above_hills.ifthenelse(hills, sky))
    grain = Image.gaussnoise(WIDTH, HEIGHT, sigma=3.5, mean=0, seed=9)
    picture = (scene + grain).cast("uchar").copy(interpretation="srgb")
    picture.write_to_file(f"{file}[Q={_FILE_QUALITY}]")


def _fractal(largest: int, *, seed: int, roughness: float = 0.6) -> Image:
    """Eight octaves of Perlin noise; `largest` is the size in pixels of the coarsest cell."""
    octaves = (
        Image.perlin(WIDTH, HEIGHT, cell_size=max(largest >> octave, 3), seed=seed + octave) * roughness**octave
        for octave in range(8)
    )
    return reduce(lambda total, octave: total + octave, octaves)


def _cells(size: int, *, seed: int) -> Image:
    """Worley noise, about 0 to 1: pebbles of `size` pixels with sharp edges."""
    return Image.worley(WIDTH, HEIGHT, cell_size=size, seed=seed) / size


def _lit(tone: Image, color: tuple[float, float, float]) -> Image:
    red, green, blue = (tone * share for share in color)
    return red.bandjoin([green, blue])


class Originals:
    """Hard links to one photo in `directory`. Each name is used once, so that no server has it in a cache."""

    def __init__(self, directory: Path, photo: Path) -> None:
        self.directory = directory
        self.photo = photo
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> str:
        """Link the photo to a new name and return that."""
        with self._lock:
            number = self._taken
            self._taken += 1
            if number % _LINKS_PER_FILE == 0:
                self._file = self.directory / f"original-{number}{self.photo.suffix}"
                shutil.copyfile(self.photo, self._file)
            name = f"p{number:07d}{self.photo.suffix}"
            os.link(self._file, self.directory / name)
            return name
