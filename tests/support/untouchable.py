"""A part of a thumbnailer that fails whatever is done with it."""


class Untouchable:
    """A layer that nobody may touch."""

    name = "untouchable"

    def _touched(self, *_args: object, **_options: object) -> None:
        raise AssertionError("a cache was asked before the signature was verified")

    get = get_now = put = delete = delete_group = clear = _touched
