"""The five pictures of the demo."""

from collections.abc import Callable
from math import cos, pi, sin

from pyvips import GValue, Image

from mage_project.demo.drawing import Color, axes, beneath, mix, noise, palette, pines, ridge, to_pixels


def lake() -> bytes:
    """A mountain lake at dusk: 3000×2000, JPEG."""
    width, shore, height = 3000, 1240, 2000
    sun_x, sun_y = 1975, 925
    x, y = axes(width, shore)
    night, evening = ((24, 24, 62), (46, 40, 92), (98, 62, 122)), ((240, 142, 104), (255, 196, 128), (255, 222, 160))
    sky = palette(y / shore, *night, (186, 92, 118), *evening)
    distance_squared = (x - sun_x) ** 2 + ((y - sun_y) * 1.15) ** 2
    scene = mix(sky, (255, 214, 150), (distance_squared / (-2 * 420**2)).exp() * 0.75)
    clouds = noise(width // 6, shore, cell=120, octaves=5, seed=11).resize(6, vscale=1, kernel="linear")
    clouds = ((clouds - 0.05) * 2.2).clamp() * (1 - ((y - 520) / 430) ** 2).clamp()
    scene = mix(scene, palette((y - 250) / 600, (120, 70, 130), (226, 110, 120), (255, 170, 120)), clouds * 0.75)
    scene = mix(scene, (255, 246, 214), (1 - (distance_squared**0.5 - 62) / 3).clamp())
    ranges: list[tuple[int, int, int, int, Color, Color]] = [
        (900, 330, 900, 3, (168, 96, 128), (236, 150, 126)),
        (1000, 300, 700, 40, (112, 66, 110), (206, 122, 120)),
        (1100, 220, 620, 77, (66, 46, 88), (150, 88, 110)),
        (1185, 120, 520, 101, (34, 30, 62), (84, 56, 86)),
    ]
    for base, rise, cell, seed, top, mist in ranges:
        rock = palette((y - base + rise * 0.8) / (shore - base + rise * 0.8), top, mist)
        scene = mix(scene, rock, beneath(base - ridge(width, height=rise, cell=cell, seed=seed), shore))
    scene = to_pixels(scene)
    bank = shore - 14 - ridge(width, height=26, cell=500, seed=5)
    scene = pines(scene, bank, height=64, spacing=26, seed=9, color=(24, 22, 48))
    scene = to_pixels(mix(scene, (24, 22, 48), beneath(bank - 2, shore)))

    x, y = axes(width, height - shore)
    depth = y / (height - shore)
    near = depth + 0.03
    ripples = noise(1024, 1024, cell=64, octaves=5, seed=8).replicate(2, 2)
    wave = ripples.mapim((((x - width / 2) / near * 0.05 + 512) % 1024).bandjoin((104 / near) % 1024))
    sway = wave * (near * 95 + 4)
    source_x, source_y = (x + sway * 0.25).clamp(min=0, max=width - 1), y * 0.94 + 2 + sway.abs()
    water = scene.flip("vertical").mapim(source_x.bandjoin(source_y))
    water *= palette(depth, (255, 206, 170), (196, 150, 190), (84, 74, 130)) / 265
    beam = (((x - sun_x) / (depth * 260 + 70)) ** 2 * -1).exp() * (1 - depth * 0.75)
    water = mix(water, (255, 226, 170), ((wave - 0.12) * 6).clamp() * beam * 0.9)
    water = mix(water, (255, 200, 150), (y / -5).exp() * 0.5)
    scene = to_pixels(scene.join(water, "vertical"), grain=1.2)

    foreground_top = 1200
    x, _ = axes(width, 1)
    bank = height - foreground_top + 230 - ridge(width, height=45, cell=420, seed=61)
    bank -= (1 - x / 1300).clamp() ** 1.2 * 480 + ((x - 1950) / 1050).clamp() ** 1.3 * 400
    foreground = scene.crop(0, foreground_top, width, height - foreground_top)
    foreground = pines(foreground, bank + 30, height=430, spacing=150, seed=21, color=(10, 10, 26))
    scene = scene.insert(
        to_pixels(mix(foreground, (10, 10, 26), beneath(bank, height - foreground_top))), 0, foreground_top
    )
    return bytes(scene.jpegsave_buffer(Q=86, keep="none"))


def forest() -> bytes:
    """A forest in fog under the moon: upright 1600×2400, JPEG, stored on its side with EXIF orientation 6."""
    width, height = 1600, 2400
    x, y = axes(width, height)
    scene = palette(y / height, (16, 30, 48), (30, 58, 78), (62, 104, 116), (128, 164, 160), (176, 200, 188))
    distance = ((x - 1010) ** 2 + (y - 640) ** 2) ** 0.5
    scene = mix(scene, (214, 232, 214), ((distance - 150) / -210).exp().clamp() * 0.55)
    scene = to_pixels(mix(scene, (246, 248, 230), (1 - (distance - 150) / 3).clamp()))
    rows: list[tuple[int, int, int, Color, Color]] = [
        (1290, 240, 70, (112, 150, 150), (168, 196, 186)),
        (1500, 380, 110, (78, 118, 124), (140, 176, 172)),
        (1760, 560, 160, (48, 84, 94), (98, 138, 140)),
        (2080, 800, 230, (26, 52, 64), (58, 94, 102)),
        (2460, 1150, 340, (10, 24, 34), (10, 24, 34)),
    ]
    for base, tree_height, spacing, color, fog in rows:
        top = max(0, base - int(tree_height * 1.7))
        ground = base - top - ridge(width, height=tree_height * 0.25, cell=700, seed=base)
        part = scene.crop(0, top, width, height - top)
        part = pines(part, ground + tree_height * 0.1, height=tree_height, spacing=spacing, seed=base, color=color)
        ground_color = palette((axes(width, height - top)[1] - (base - top)) / 260, color, fog)
        scene = to_pixels(scene.insert(mix(part, ground_color, beneath(ground, height - top)), 0, top))
    sideways = to_pixels(scene, grain=1.2).rot("d270").copy()
    sideways.set_type(GValue.gint_type, "orientation", 6)
    return bytes(sideways.jpegsave_buffer(Q=86, keep="exif"))


def flower() -> bytes:
    """A dahlia on a transparent background: 1200×1200, PNG; its outer petals are translucent."""
    size, petals, rings = 1200, 16, 9
    x, y = axes(size, size)
    polar = (x - size / 2).complexform(y - size / 2).polar()
    distance, angle = polar.real(), polar.imag()
    scene = Image.black(size, size).linear([1, 1, 1], [246, 92, 150])
    alpha = Image.black(size, size)
    for ring in range(rings):
        inward = ring / rings
        vein = ((angle + ring * 180 / petals) * (petals / 2)).cos().abs()
        edge = (vein**0.6 * 0.32 + 0.68) * (size * 0.48 * (1 - inward) ** 0.8)
        inside = ((edge - distance) / 2).clamp()
        inner_color = (110 + int(90 * inward), 8 + int(60 * inward), 70 - int(50 * inward))
        outer_color = (246, 92 + int(110 * inward), 150 - int(80 * inward))
        scene = mix(scene, palette((distance / edge) ** 2 * (vein * 0.3 + 0.7), inner_color, outer_color), inside)
        fading = (0.7, 0.25, 0.0)[min(ring, 2)]
        alpha += inside * (1 - alpha) * (1 - ((distance / edge - 0.6) / 0.4).clamp() * fading)
    center = palette(distance / 60, (255, 244, 170), (250, 190, 60), (170, 90, 20))
    scene = mix(scene, center, ((60 - distance) / 2).clamp())
    return bytes(to_pixels(scene.bandjoin(alpha * 255)).pngsave_buffer(compression=9, keep="none"))


def aurora() -> bytes:
    """Northern lights over snow: 2400×1600, WebP."""
    width, height = 2400, 1600
    _, y = axes(width, height)
    scene = palette(y / height, (4, 8, 26), (8, 20, 48), (16, 48, 78), (40, 96, 112))
    stars = (Image.gaussnoise(width // 3, height // 3, sigma=1, mean=0, seed=4) > 3.1) / 255
    scene = mix(scene, (236, 240, 255), stars.resize(3, kernel="cubic").clamp() * (1 - y / 1200).clamp())
    for seed, lower_edge, ray_height in ((3, 640, 460), (18, 860, 560), (33, 980, 380)):
        above = (ridge(width, height=300, cell=1400, seed=seed) * 0.8 + lower_edge).replicate(1, height) - y
        rays = noise(width, 1, cell=240, octaves=6, seed=seed + 7).replicate(1, height) * 0.9 + 0.5
        light = (above / -ray_height).exp() * (above / 40).clamp() * rays.clamp() * 0.7
        scene += (
            palette(above / (ray_height * 2.2), (120, 255, 190), (40, 220, 150), (60, 130, 190), (130, 60, 170)) * light
        )
    scene = to_pixels(scene)
    ranges: list[tuple[int, int, int, Color, Color, Color]] = [
        (1150, 330, 52, (104, 164, 174), (34, 78, 104), (62, 124, 136)),
        (1310, 250, 71, (160, 216, 212), (20, 52, 78), (66, 126, 140)),
    ]
    for base, rise, seed, snow, rock, mist in ranges:
        crest = base - ridge(width, height=rise, cell=640, seed=seed)
        snow_line = crest + rise * 0.16 + noise(width, 1, cell=72, octaves=4, seed=seed).abs() * rise * 0.7
        rock_color = palette((y - base + rise * 0.4) / (1440 - base + rise * 0.4), rock, mist)
        scene = mix(scene, snow, beneath(crest, height))
        scene = to_pixels(mix(scene, rock_color, beneath(snow_line, height)))
    field = 1440 - ridge(width, height=50, cell=900, seed=15)
    scene = pines(scene, field + 30, height=210, spacing=64, seed=30, color=(6, 18, 34))
    field_color = palette((y - 1400) / 200, (150, 210, 204), (96, 160, 172), (50, 98, 124))
    scene = mix(scene, field_color, beneath(field, height))
    return bytes(to_pixels(scene, grain=1).webpsave_buffer(Q=84, keep="none"))


def moon() -> bytes:
    """The phases of a moon: 320×320, 24 frames, animated GIF."""
    size, frames, radius = 320, 24, 128
    x, y = ((axis - size / 2 + 0.5) / radius for axis in axes(size, size))
    distance = (x**2 + y**2) ** 0.5
    sphere_z = (1 - distance**2).clamp() ** 0.5
    rims = Image.worley(size, size, cell_size=72, seed=6) - 16
    ground = 0.74 + noise(size, size, cell=120, octaves=6, seed=14) * 0.34
    ground += ((rims / 3) ** 2 * -1).exp() * 0.07 - (rims < 0) / 255 * 0.06
    stars = (Image.gaussnoise(size, size, sigma=1, mean=0, seed=3) > 3.2) / 255 * 200
    disc = ((1 - distance) * radius / 1.5).clamp()
    images = []
    for frame in range(frames):
        phase = 2 * pi * frame / frames
        light = (sphere_z * cos(phase) - x * sin(phase)).clamp() ** 0.6
        face = palette(light * ground, (16, 18, 34), (104, 102, 114), (206, 200, 190), (250, 246, 230))
        images.append(mix(stars.linear([1, 1, 1], [8, 10, 22]), face, disc))
    animation = to_pixels(Image.arrayjoin(images, across=1))
    animation.set_type(GValue.gint_type, "page-height", size)
    animation.set_type(GValue.array_int_type, "delay", [90] * frames)
    animation.set_type(GValue.gint_type, "loop", 0)
    return bytes(animation.gifsave_buffer(dither=0.6, bitdepth=6, keep="none"))


PICTURES: dict[str, Callable[[], bytes]] = {
    "lake.jpg": lake,
    "forest.jpg": forest,
    "flower.png": flower,
    "aurora.webp": aurora,
    "moon.gif": moon,
}
