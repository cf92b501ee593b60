"""The errors of the toolkit: mistakes in a site's code. Wrong data raises only with `THUMBS["STRICT"]`."""


class WrongSpec(ValueError):
    """A size, preset, filter or option that no URL can have, or that the storage does not offer."""


class NoThumbnail(ValueError):
    """With `THUMBS["STRICT"]`: the data names no picture, or one that no URL can name."""
