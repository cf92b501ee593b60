"""`python -m tests.support.mutants_of_packages KIND COUNT` renders seeded mutants of a JPEG XL or a HEIC."""

import random
import sys

from tests.support.hostile_packages import good
from thumbs.errors import ThumbError
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits

LIMITS = RenderLimits(SourceLimits(pixels=1_000_000, whole_pixels=500_000), seconds=60)


def mutant(kind: str, seed: int) -> bytes:
    data, chance = bytearray(good(kind)), random.Random(seed)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(min(len(data), chance.choice((64, 400, len(data)))))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.choice((0, 1, 127, 128, 255))
            case 2:
                del data[at : at + chance.choice((1, 4, 64))]
            case _:
                data[at:at] = data[at : at + chance.choice((1, 4, 64))] or b"\0"
    return bytes(data)


def outcome(renderer: Renderer, data: bytes) -> str:
    try:
        renderer.render(data, Transform(40, 30, "png"), LIMITS)
    except ThumbError as error:
        return type(error).__name__
    except Exception as error:  # any other is wrong, and is to be seen
        return repr(error)
    return "Picture"


def main(kind: str, count: int) -> None:
    renderer = Renderer(frozenset({"jpeg", kind}))
    for seed in range(count):
        print(seed, outcome(renderer, mutant(kind, seed)), flush=True)  # noqa: T201 - it is the output of a command


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
