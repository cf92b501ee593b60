"""Drawing tools of the demo: gradients, noise, masks, ridges and trees, all computed by libvips.

Coordinates are pixels from the top left. A "line" is an image of one row: a height for each column.
"""

from pyvips import Image

Color = tuple[int, int, int]


def axes(width: int, height: int) -> tuple[Image, Image]:
    """The x and the y of each pixel."""
    x, y = Image.xyz(width, height).bandsplit()
    return x.cast("float"), y.cast("float")


def palette(position: Image, *colors: Color) -> Image:
    """The color at each `position` (0–1, one band) of a gradient through evenly spaced colors."""
    channels = [Image.new_from_list([list(channel)]) for channel in zip(*colors, strict=True)]
    index = position.clamp() * (len(colors) - 1)
    return channels[0].bandjoin(channels[1:]).mapim(index.bandjoin(0), extend="copy")


def mix(under: Image, over: Image | Color, opacity: Image) -> Image:
    """`over` blended over `under` with `opacity` (0–1, one band)."""
    return under + (over - under) * opacity


def noise(width: int, height: int, *, cell: int, octaves: int, seed: int) -> Image:
    """Perlin noise summed over octaves, about −1 to 1; the coarsest cells are `cell` pixels wide."""
    total = Image.perlin(width, height, cell_size=cell, seed=seed)
    for octave in range(1, octaves):
        finer = Image.perlin(width, height, cell_size=max(2, cell >> octave), seed=seed + octave)
        total += finer * 0.5**octave
    return total


def ridge(width: int, *, height: float, cell: int, seed: int) -> Image:
    """The line of a mountain range, about ±`height`."""
    return noise(width, 1, cell=cell, octaves=8, seed=seed) * height


def beneath(line: Image, height: int) -> Image:
    """A mask (0–1) of the pixels below a line, with a soft edge of two pixels."""
    return ((axes(line.width, height)[1] - line.replicate(1, height)) / 2).clamp()


def pines(scene: Image, ground: Image, *, height: float, spacing: int, seed: int, color: Color) -> Image:
    """A forest on the line `ground`: three rows of trees, about `height` pixels tall, `spacing` pixels apart."""
    width, rows = scene.width, scene.height
    x, y = axes(width, rows)
    cells = width // spacing + 2
    for row in range(3):
        start = row * spacing // 3

        def of_tree(values: Image, start: int = start) -> Image:
            return values.zoom(spacing, 1).crop(start, 0, width, 1).replicate(1, rows)

        sizes, moves = (Image.gaussnoise(cells, 1, sigma=1, mean=0, seed=seed + 2 * row + i) for i in range(2))
        size = (sizes * 0.22 + 0.8).clamp(min=0.3, max=1.25) * height
        foot = ground.embed(start, 0, cells * spacing, 1, extend="copy").subsample(spacing, 1)
        side = (((x + start) % spacing) - spacing / 2 - of_tree(moves * 0.08 * spacing)).abs()
        down = (y - of_tree(foot - size)) / of_tree(size) - side / spacing * 0.1
        tier = (down * 11) - (down * 11).floor()
        half_width = down * spacing * 0.42 * (tier * 0.55 + 0.45) + 1
        scene = mix(scene, color, ((half_width - side) / 1.5).clamp() * (down > 0) / 255)
    return scene


def to_pixels(scene: Image, *, grain: float = 0) -> Image:
    """The scene computed into 8-bit sRGB pixels in memory. `grain` is the sigma of noise that hides banding."""
    if grain:
        scene += Image.gaussnoise(scene.width, scene.height, sigma=grain, mean=0, seed=1)
    return scene.cast("uchar").copy(interpretation="srgb").copy_memory()
