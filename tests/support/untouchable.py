"""A cache layer that fails on every use."""


class Untouchable:
    """Raises AssertionError on every use: for requests that must be refused before a cache lookup."""

    name = "untouchable"

    def _touched(self, *_args: object, **_options: object) -> None:
        raise AssertionError("a cache was asked before the signature was verified")

    get = get_now = put = delete = delete_group = clear = _touched
