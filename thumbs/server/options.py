"""What options of gunicorn say, by gunicorn's own parser."""

from collections.abc import Sequence

from gunicorn.config import Config


def name_address(options: Sequence[str]) -> bool:
    """Whether an address to listen at is among `options`, however it is spelled."""
    return bool(Config().parser().parse_known_args(options)[0].bind)
