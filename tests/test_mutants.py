"""Mutants of valid files: whatever becomes of the bytes, the renderer gives a picture or one of its own refusals."""

import faulthandler
import multiprocessing
import os
import random
import resource
import struct
import subprocess
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection

from PIL import Image, ImageCms, ImageDraw

from tests.pictures import encoded, noise
from tests.servers import ROOT
from thumbs.errors import RenderTimeout, SizeOverLimit, SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.geometry import OutputLimits
from thumbs.render.header import SourceLimits
from thumbs.render.renderer import Renderer, RenderLimits
from thumbs.transforms import ALL_FRAMES, Attention, Colour, Crop, Fit, Transform, Trim

MUTANTS = int(os.environ.get("MAGE_MUTANTS", "2000"))
PROCESSES = 2
HANG_SECONDS = 60
DIED, HUNG, REDUCED = "died", "hung", "reduced"
# `RenderFailed` is not among them: by the time of the encoder every pixel has been decoded, so that no original can
# make it fail, and a client that sends one must not be told that it was our fault.
RIGHT = ("Picture", REDUCED, *(error.__name__ for error in (SourceUnsupported, SourceBroken, SourceOverLimit)))
RIGHT += (SizeOverLimit.__name__, RenderTimeout.__name__)

_LIMITS = RenderLimits(
    SourceLimits(pixels=1_000_000, whole_pixels=500_000, frames=50),
    OutputLimits(side=600, pixels=250_000),
    avif_pixels=100_000,
    seconds=10,
)
RECIPES = (
    Transform(40, 30, "jpeg", 80),
    Transform(format="png"),
    Transform(30, 50, "webp", 70, gravity=Attention.SMART),
    Transform(48, 48, "gif", fit=Fit.FILL, fill=Colour(255, 255, 0, 128), dpr=1.5, frames=ALL_FRAMES),
    Transform(32, 32, "avif", 50, crop=Crop(10, 10, 90, 90, percent=True)),
    Transform(200, 100, "png", fit=Fit.STRETCH, rotate=90, blur=2),
    Transform(40, 40, "webp", 70, trim=Trim(20), frames=3),
)

# ----------------------------------------------------------------------------------------- the originals


def _picture(mode: str = "RGB") -> Image.Image:
    image = noise(64, 48).convert("RGBA")
    ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill=(200, 30, 60, 90), outline="white")
    return image.convert(mode)


@cache
def originals() -> dict[str, bytes]:
    """Small ones, so that every byte of them counts, with the metadata that real ones carry."""
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [noise(40, 30, seed) for seed in range(4)]
    animated: dict[str, object] = {"save_all": True, "append_images": frames[1:]}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile[:24] + bytes(12) + profile[36:]  # the time when it was made (ICC.1, 7.2.8)
    return {
        "jpeg": encoded(_picture(), "JPEG", quality=85, exif=exif, icc_profile=profile),
        "jpeg-progressive": encoded(_picture("CMYK"), "JPEG", quality=85, progressive=True),
        "png": encoded(_picture("RGBA"), "PNG", exif=exif),
        "png-palette-interlaced": _interlaced_palette(),
        "webp": encoded(_picture("RGBA"), "WEBP", quality=70, exif=exif, icc_profile=profile),
        "webp-animated": encoded(frames[0], "WEBP", **animated),
        "gif": encoded(frames[0], "GIF", **animated),
        "avif": encoded(_picture("RGBA"), "AVIF", quality=70, exif=exif),
    }


def _interlaced_palette() -> bytes:
    """Pillow writes none: seven pictures one after the other (RFC 2083, 2.6)."""
    image = _picture("P")
    pixels = b""
    for x, y, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)):
        pixels += _rows(image, x, y, across, down)
    pixels += _rows(image, 0, 1, 1, 2)
    header = struct.pack(">IIBBBBB", *image.size, 8, 3, 0, 0, 1)
    chunks = (
        *((b"IHDR", header), (b"PLTE", bytes(image.getpalette() or ())), (b"tRNS", bytes(range(0, 256, 8)))),
        *((b"IDAT", zlib.compress(pixels)), (b"IEND", b"")),
    )
    return _PNG + b"".join(struct.pack(">I", len(data)) + kind + data + _crc(kind + data) for kind, data in chunks)


def _rows(image: Image.Image, x: int, y: int, across: int, down: int) -> bytes:
    width, height = image.size
    data = image.tobytes()
    return b"".join(b"\0" + data[row * width + x : (row + 1) * width : across] for row in range(y, height, down))


# ------------------------------------------------------------------------------------------- the mutants

_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 320
# What is at the edges of numbers, and no UTF-8, whichever way round.
_WORDS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFEC328FF)


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8, 32))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_in_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        data[_in_header(data, chance)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def _splice(data: bytearray, chance: random.Random) -> None:
    """From some place on it is another file."""
    other = chance.choice(list(originals().values()))
    data[chance.randrange(len(data)) :] = other[chance.randrange(len(other)) :]


def _insert_foreign(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(list(originals().values()))
    at, start = chance.randrange(len(data)), chance.randrange(len(other))
    data[at:at] = other[start : start + chance.choice((4, 16, 64, 256))]


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _cut_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 2, 4, 16, 64, 256))]


def _duplicate(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    piece = data[at : at + chance.choice((4, 16, 64, 256, 1024))]
    data[at:at] = piece * chance.choice((1, 1, 2, 16))


def _insert_run(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    run = bytes([chance.choice((0, 255, chance.randrange(256)))]) * chance.choice((1, 3, 4, 17, 256, 5000))
    data[at:at] = run


def _swap_words(data: bytearray, chance: random.Random) -> None:
    one, other = (_in_header(data, chance) for _ in range(2))
    first, second = data[one : one + 4], data[other : other + 4]
    data[one : one + 4], data[other : other + 4] = second, first


def _set_word(data: bytearray, chance: random.Random) -> None:
    at = _in_header(data, chance)
    data[at : at + 4] = struct.pack(chance.choice(("<I", ">I")), chance.choice(_WORDS))


def _in_header(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), _HEADER_BYTES))


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip_in_header, _splice, _insert_foreign, _truncate, _cut_out),
    *(_duplicate, _insert_run, _swap_words, _set_word),
)


def mutant(seed: int) -> tuple[str, bytes, Transform | None]:
    """The mutant of that number: of which file it is, its bytes, and what is to be made of it.

    None stands for what is kept of an original where its thumbnails are made of a reduced one.
    """
    chance = random.Random(seed)
    name = list(originals())[seed % len(originals())]
    data = bytearray(originals()[name])
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_MUTATIONS)(data, chance)
        data = data or bytearray(b"\0")
    if chance.random() < 0.7:
        _correct_sums(data)
    return name, bytes(data), chance.choice((*RECIPES, None))


def _correct_sums(data: bytearray) -> None:
    """Give the chunks of a PNG sums that fit, or nothing that is wrong in them would ever be looked at."""
    at = len(_PNG)
    while data.startswith(_PNG) and at + 12 <= len(data):
        end = at + 8 + int(struct.unpack(">I", data[at : at + 4])[0])
        if end + 4 > len(data):
            return
        data[end : end + 4] = _crc(bytes(data[at + 4 : end]))
        at = end + 4


# -------------------------------------------------------------------------- the processes that render them


def _render_all(first: int, count: int, step: int, results: Connection) -> None:
    """In a child: tell of every mutant what became of it, and at the end how many kilobytes were held at most."""
    faulthandler.enable()
    for seed in range(first, count, step):
        results.send(_outcome(seed))
    results.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _outcome(seed: int) -> str:
    _, data, transform = mutant(seed)
    try:
        if transform is None:
            Renderer().reduce(data, _LIMITS)
            return REDUCED
        return type(Renderer().render(data, transform, _LIMITS)).__name__
    except Exception as error:  # whatever it is, it is to be told
        name = type(error).__name__
        return name if name in RIGHT else f"{name}: {error}"


@dataclass
class Findings:
    """What became of mutants; `wrong` are the seeds of those of which nothing right became."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)
    peak_kilobytes: int = 0

    def note(self, seed: int, outcome: str) -> None:
        self.outcomes[outcome.partition(":")[0]] += 1
        if outcome not in RIGHT:
            self.wrong[seed] = outcome


def _lane(start: int, findings: Findings, lock: threading.Lock) -> None:
    """Every `PROCESSES`th mutant from `start` on, in one child after the other."""
    following = start
    while following < MUTANTS:
        for outcome in _child(following):
            with lock:
                if isinstance(outcome, int):
                    findings.peak_kilobytes = max(findings.peak_kilobytes, outcome)
                else:
                    findings.note(following, outcome)
                    following += PROCESSES


def _child(first: int) -> Iterator[str | int]:
    """What one child tells, and `DIED` or `HUNG` for the mutant of which it tells no more."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_render_all, args=(first, MUTANTS, PROCESSES, theirs))
    process.start()
    theirs.close()
    try:
        outcome: str | int = RIGHT[0]
        while outcome in RIGHT:  # what went wrong may have spoilt the process
            if not ours.poll(HANG_SECONDS):
                yield HUNG
                return
            outcome = ours.recv()
            yield outcome
    except EOFError:
        process.join()
        yield f"{DIED}: exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
        ours.close()


def test_no_mutant_of_a_valid_file_brings_the_renderer_down() -> None:
    findings, lock = Findings(), threading.Lock()
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(lambda start: _lane(start, findings, lock), range(PROCESSES)))
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"\n{MUTANTS} mutants: {dict(findings.outcomes.most_common())}; "
        f"at most {findings.peak_kilobytes // 1024} MiB in a process"
    )
    told = "\n".join(f"{seed}: {outcome}" for seed, outcome in sorted(findings.wrong.items())[:20])
    assert not findings.wrong, f"seeds of tests.test_mutants.mutant, and what they did:\n{told}"
    assert findings.outcomes.total() == MUTANTS
    # Else the mutants are too wild, or too tame, to tell anything.
    assert {"Picture", "SourceBroken"} <= set(findings.outcomes)


def test_the_originals_of_the_mutants_are_valid() -> None:
    for data in originals().values():
        for transform in RECIPES:
            assert Renderer().render(data, transform, _LIMITS).body


def test_a_seed_is_the_same_mutant_in_another_process() -> None:
    sums = [zlib.crc32(mutant(seed)[1]) for seed in range(64)]
    assert len(set(sums)) == 64
    script = "import zlib; from tests.test_mutants import mutant; print([zlib.crc32(mutant(n)[1]) for n in range(64)])"
    told = subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.strip() == str(sums)
