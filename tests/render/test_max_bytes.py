"""`max_bytes` lowers the quality of everything that a file has, alpha too, until the file fits."""

import pytest
from PIL import Image

from tests.support.pictures import decoded, encoded, noise
from tests.support.pixels import rendered
from thumbs.image.transforms import Transform

SIDE = 96


def translucent() -> bytes:
    """Colors that take few bytes, with an alpha that takes many."""
    picture = Image.new("RGB", (SIDE, SIDE), (200, 100, 50))
    picture.putalpha(noise(SIDE, SIDE).convert("L"))
    return encoded(picture, "PNG")


@pytest.mark.parametrize(("output", "quality"), [("webp", 77), ("webp", 1), ("avif", 55)])
def test_a_noisy_alpha_does_not_keep_a_file_over_the_limit(output: str, quality: int) -> None:
    whole = rendered(translucent(), Transform(format=output, quality=quality)).body
    least = rendered(translucent(), Transform(format=output, quality=quality, max_bytes=1)).body
    assert len(least) < len(whole) / 3 or output == "avif"
    limit = (len(least) + len(whole)) // 2
    made = rendered(translucent(), Transform(format=output, quality=quality, max_bytes=max(limit, len(least))))
    assert len(made.body) <= max(limit, len(least))
    assert decoded(made.body).mode == "RGBA"


def test_alpha_keeps_all_of_its_levels_where_the_file_fits() -> None:
    plain = rendered(translucent(), Transform(format="webp", quality=77)).body
    assert rendered(translucent(), Transform(format="webp", quality=77, max_bytes=len(plain))).body == plain
    alpha = decoded(plain).getchannel("A")
    assert alpha.tobytes() == noise(SIDE, SIDE).convert("L").tobytes()


def test_more_bytes_give_an_alpha_that_is_nearer_to_that_of_the_source() -> None:
    wanted = noise(SIDE, SIDE).convert("L").tobytes()
    sizes, errors = [], []
    for limit in (2000, 4000, 6000, 8000):
        body = rendered(translucent(), Transform(format="webp", quality=77, max_bytes=limit)).body
        found = decoded(body).getchannel("A").tobytes()
        sizes.append(len(body) <= limit)
        errors.append(sum(abs(a - b) for a, b in zip(found, wanted, strict=True)))
    assert sizes[1:] == [True] * 3
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > errors[-1]
