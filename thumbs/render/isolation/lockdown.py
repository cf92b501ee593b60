"""Locks a child process down before it reads its first original, layer by layer, in this order:

1. `restrict_files`: Landlock. It binds the calling thread and those that it starts, so it comes before all others.
2. `import_renderer`: pyvips, Python's modules, and the packages of optional codecs.
3. `restrict_to_fonts`: Landlock again. From here on, and in every thread of libvips, only fonts can be read.
4. `warm_up`: libvips, fontconfig and pango load and start what they need.
5. `restrict_calls`: seccomp, in all threads.

`lock_down` does all five. Importing this module does not import pyvips.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from thumbs.render.isolation.fonts import font_paths
from thumbs.render.isolation.modules import fstat_is_newfstatat, import_paths
from thumbs.render.isolation.sandbox import landlock, seccomp
from thumbs.render.isolation.sandbox.allowed import allowed_calls
from thumbs.render.isolation.sandbox.bpf import compile_filter
from thumbs.render.isolation.sandbox.kernel import LAYER_NAMES, LayerName, MissingLayer, forbid_dumps

# The input format that needs fonts.
_WITH_TEXT = "svg"


@dataclass(frozen=True, slots=True)
class Layers:
    """Which layers there are, or are to be used."""

    landlock: bool = True
    seccomp: bool = True

    @property
    def missing(self) -> tuple[LayerName, ...]:
        return tuple(name for name in LAYER_NAMES if not getattr(self, name))


def missing() -> dict[LayerName, MissingLayer]:
    """The layers that kernel, container or processor do not offer. It changes nothing in this process."""
    found: dict[LayerName, MissingLayer] = {}
    for question in (landlock.abi, seccomp.architecture):
        try:
            question()
        except MissingLayer as error:
            found[error.layer] = error
    return found


def supported() -> Layers:
    """The layers that kernel, container and processor offer. It changes nothing in this process."""
    return Layers(**{name: name not in missing() for name in LAYER_NAMES})


def lock_down(
    inputs: Collection[str], *, concurrency: int = 1, layers: Layers | None = None, outputs: Collection[str] = ()
) -> None:
    """Lock this process down for renders of `inputs`, with `layers`, by default both.

    `outputs` are the optional formats (`Format.extra`) that it writes.

    Call it in the main thread of a process of one thread. Raises `MissingLayer`, and what the steps raise.
    """
    chosen = layers or Layers()
    if chosen.landlock:
        restrict_files(inputs)
    import_renderer({*inputs, *outputs})
    if chosen.landlock:
        restrict_to_fonts(inputs)
    warm_up(inputs, concurrency, outputs)
    if chosen.seccomp:
        restrict_calls(inputs)


def restrict_files(inputs: Collection[str]) -> None:
    """From here on this thread reads only what importing and rendering need, and writes no file.

    Raises `MissingLayer`, and RuntimeError when other threads run already: those would stay free.
    """
    landlock.restrict([*import_paths(), *_fonts(inputs)])


def import_renderer(formats: Collection[str] = ()) -> None:
    """Import pyvips, which loads libvips, and all modules and packages that renders with `formats` use.

    It starts no thread: numpy's OpenBLAS would start one for each core as it is loaded, which Landlock would not bind.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from thumbs.render.isolation.warming import load_packages  # noqa: PLC0415 - not before the files are restricted

    load_packages(formats)


def restrict_to_fonts(inputs: Collection[str]) -> None:
    """From here on this thread, and each that it starts, reads fonts and their configuration; without SVG, nothing.

    Raises as `restrict_files` does.
    """
    landlock.restrict(_fonts(inputs))


def warm_up(inputs: Collection[str], concurrency: int, outputs: Collection[str] = ()) -> None:
    """Set libvips up for `inputs` with `concurrency` threads per render, and render samples. Raises `ThumbError`."""
    from thumbs.render.isolation.warming import render_samples  # noqa: PLC0415 - not before the files are restricted

    render_samples(inputs, concurrency=concurrency, outputs=outputs)


def restrict_calls(inputs: Collection[str]) -> None:
    """From here on every thread makes only the system calls that renders of `inputs` need; others fail with EPERM.

    Python cannot import, start a program, or open a socket any more. Raises `MissingLayer`.
    """
    fonts = _WITH_TEXT in inputs
    calls = allowed_calls(fonts=fonts, fstat_is_newfstatat=fonts and fstat_is_newfstatat())
    program = compile_filter(calls, seccomp.architecture())
    forbid_dumps()
    seccomp.install(program)


def _fonts(inputs: Collection[str]) -> tuple[Path, ...]:
    return font_paths() if _WITH_TEXT in inputs else ()
