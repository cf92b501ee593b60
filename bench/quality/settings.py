"""What settings of the encoders cost and save: bytes at equal score and CPU time, as ratios to the first setting."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import pyvips

from bench.quality.ladders import at_score, climb, middle, saver
from bench.quality.scores import to_pillow
from bench.table import markdown

Options = dict[str, object]
_AIM = 75.0
_ROUNDS = 3


class Kind(NamedTuple):
    """Settings of one format, the first of which is the reference."""

    suffix: str
    qualities: tuple[int, ...]
    settings: dict[str, Options]


_JPEG: Options = {"optimize_coding": True}
_AVIF: Options = {"compression": "av1"}
KINDS: dict[str, Kind] = {
    "JPEG": Kind(
        ".jpg",
        (56, 66, 76, 85, 92),
        {
            "optimize_coding": _JPEG,
            "quant_table 2": _JPEG | {"quant_table": 2},
            "quant_table 2, overshoot_deringing": _JPEG | {"quant_table": 2, "overshoot_deringing": True},
            "quant_table 3, overshoot_deringing": _JPEG | {"quant_table": 3, "overshoot_deringing": True},
            "… 2, progressive": _JPEG | {"quant_table": 2, "overshoot_deringing": True, "interlace": True},
            "… 2, trellis_quant": _JPEG | {"quant_table": 2, "overshoot_deringing": True, "trellis_quant": True},
        },
    ),
    "WebP": Kind(".webp", (50, 64, 76, 85, 92), {f"effort {effort}": {"effort": effort} for effort in (2, 3, 4, 6)}),
    "AVIF": Kind(
        ".avif",
        (35, 48, 58, 68, 78),
        {
            "effort 0": _AVIF | {"effort": 0},
            "effort 1": _AVIF | {"effort": 1},
            "effort 2": _AVIF | {"effort": 2},
            "effort 1, tune ssim": _AVIF | {"effort": 1, "tune": "ssim"},
            "effort 1, 4:4:4": _AVIF | {"effort": 1, "subsample_mode": "off"},
        },
    ),
    "JPEG XL": Kind(
        ".jxl", (55, 64, 72, 80, 88), {f"effort {effort}": {"effort": effort} for effort in (3, 1, 2, 4, 5, 7)}
    ),
}
PNG: dict[str, Options] = {
    "filter none": {"compression": 6, "filter": "none"},
    "filter sub": {"compression": 6, "filter": "sub"},
    "filter paeth": {"compression": 6, "filter": "paeth"},
    "filter all": {"compression": 6, "filter": "all"},
}


def table(name: str, groups: Mapping[str, list[pyvips.Image]]) -> str:
    """The table of a format, over groups of pictures: the median ratio of bytes in each, and of the CPU time in all."""
    kind = KINDS[name]
    sizes: dict[str, dict[str, list[float | None]]] = {}
    times: dict[str, list[float]] = {setting: [] for setting in kind.settings}
    for group, pictures in groups.items():
        for picture in pictures:
            reference = to_pillow(picture)
            for setting, options in kind.settings.items():
                encode = saver(picture, kind.suffix, **options)
                found = at_score(climb(reference, encode, kind.qualities), _AIM)
                sizes.setdefault(group, {}).setdefault(setting, []).append(None if found is None else found[1])
            for setting, seconds in _times(picture, kind).items():
                times[setting].append(seconds)
    return _ratios(name, groups, sizes, times)


def png_table(groups: Mapping[str, list[pyvips.Image]]) -> str:
    """The same for PNG, which has no loss."""
    kind = Kind(".png", (0,), PNG)
    sizes: dict[str, dict[str, list[float | None]]] = {}
    times: dict[str, list[float]] = {setting: [] for setting in PNG}
    for group, pictures in groups.items():
        for picture in pictures:
            for setting, options in PNG.items():
                body = picture.write_to_buffer(".png", keep="none", **options)
                sizes.setdefault(group, {}).setdefault(setting, []).append(float(len(body)))
            for setting, seconds in _times(picture, kind).items():
                times[setting].append(seconds)
    return _ratios("PNG", groups, sizes, times)


def _ratios(
    name: str,
    groups: Mapping[str, list[pyvips.Image]],
    sizes: Mapping[str, Mapping[str, list[float | None]]],
    times: Mapping[str, list[float]],
) -> str:
    first = next(iter(times))
    rows = []
    for setting in times:
        cells = []
        for group in groups:
            pairs = zip(sizes[group][setting], sizes[group][first], strict=True)
            ratio = middle(None if one is None or other is None else one / other for one, other in pairs)
            cells.append("–" if ratio is None else f"{ratio:.2f}")
        ratio = middle(one / other for one, other in zip(times[setting], times[first], strict=True))
        rows.append([setting, *cells, f"{ratio or 0:.1f}"])
    return markdown([name, *groups, "CPU ×"], rows)


def _times(picture: pyvips.Image, kind: Kind) -> dict[str, float]:
    """The least CPU seconds of each setting, in interleaved rounds: other programs run beside this one."""
    least: dict[str, float] = {}
    quality = kind.qualities[len(kind.qualities) // 2]
    for _ in range(_ROUNDS):
        for setting, options in kind.settings.items():
            began = time.process_time()
            if kind.suffix == ".png":
                picture.write_to_buffer(".png", keep="none", **options)
            else:
                saver(picture, kind.suffix, **options)(quality)
            least[setting] = min(least.get(setting, 1e9), time.process_time() - began)
    return least
