"""SVG, where it is opted in: drawn sharp at the requested size, and without loading anything else."""

from collections.abc import Iterator

import pytest
from PIL import Image

from tests.support import servers
from tests.support.pictures import decoded
from tests.support.pixels import near
from tests.support.servers import Server

CANARY = (255, 0, 255)
# Black right of the middle of a hundred units, on white.
HALVES = '<rect width="100" height="100" fill="white"/><rect x="50" width="50" height="100" fill="black"/>'


def svg(inside: str, size: str = 'width="100" height="100"', before: str = "") -> str:
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{before}<svg {links} {size} viewBox="0 0 100 100">{inside}</svg>'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("svg")
    root = place / "root"
    root.mkdir()
    secret = place / "secret.png"
    Image.new("RGB", (10, 10), CANARY).save(secret)
    Image.new("RGB", (10, 10), CANARY).save(root / "beside.png")
    white = '<rect width="100" height="100" fill="white"/>'
    drawings = {
        "halves": svg(HALVES),
        "file": svg(f'{white}<image width="100" height="100" xlink:href="file://{secret}"/>'),
        "beside": svg(f'{white}<image width="100" height="100" href="beside.png"/>'),
        "above": svg(f'{white}<image width="100" height="100" href="../secret.png"/>'),
        "include": svg(f'{white}<use href="file://{root}/magenta.svg#a"/>'),
        "magenta": svg('<rect id="a" width="100" height="100" fill="magenta"/>'),
        "entity": svg(
            f"{white}<text>&secret;</text>", before=f'<!DOCTYPE svg [<!ENTITY secret SYSTEM "file://{secret}">]>'
        ),
        "style": svg(white, before=f'<?xml-stylesheet type="text/css" href="file://{root}/style.css"?>'),
        "huge": svg(HALVES, size='width="30000" height="30000"'),
    }
    (root / "style.css").write_text("rect { fill: magenta !important }")
    for name, drawing in drawings.items():
        (root / f"{name}.svg").write_text(drawing)
    document = {
        "storages": [{"name": "svg", "driver": "local", "root": str(root)}],
        "input_formats": ["jpeg", "png", "webp", "gif", "avif", "svg"],
    }
    with servers.standalone(document, place, worker=servers.OUR_WORKER) as running:
        yield running


def picture(server: Server, name: str, size: str = "200x200", filters: str = "format(png)") -> Image.Image:
    answer = server.get(f"svg/thumbs/{size}/filters:{filters}/{name}.svg")
    assert answer.status == 200, answer.body
    return decoded(answer.body)


@pytest.mark.parametrize(
    ("size", "filters", "edge"),
    [
        ("1000x1000", "format(png)", 500),
        ("1000x1000", "format(png);crop(40,40,60,60)", 500),
        ("1000x250", "format(png);gravity(north)", 500),
        ("400x400", "format(png);dpr(4)", 800),
    ],
)
def test_a_drawing_is_sharp_at_any_size(server: Server, size: str, filters: str, edge: int) -> None:
    """Enlarged pixels would make the edge as many pixels wide as it is enlarged."""
    made = picture(server, "halves", size, filters).convert("L")
    row = [made.getpixel((x, made.height // 2)) for x in range(made.width)]
    between = [x for x, level in enumerate(row) if isinstance(level, int) and 8 < level < 247]
    assert len(between) <= 2
    assert row[edge - 3] == 255
    assert row[edge + 3] == 0


@pytest.mark.parametrize("name", ["file", "beside", "above", "include", "style"])
def test_nothing_outside_the_drawing_is_ever_shown(server: Server, name: str) -> None:
    made = picture(server, name).convert("RGB")
    assert near(made.getpixel((100, 100)), (255, 255, 255), by=0)
    assert CANARY not in {color for _, color in made.getcolors(2**16) or []}


def test_an_entity_is_not_read_from_a_file(server: Server) -> None:
    answer = server.get("svg/thumbs/200x200/filters:format(png)/entity.svg")
    assert answer.status in (200, 422)
    assert b"secret" not in answer.body


def test_a_drawing_of_too_many_pixels_is_refused(server: Server) -> None:
    assert server.get("svg/thumbs/10x10/filters:format(png)/huge.svg").status == 422
