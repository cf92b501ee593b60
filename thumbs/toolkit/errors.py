"""The errors of the toolkit: mistakes in a site's code. Wrong data raises only with `THUMBS["STRICT"]`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thumbs.request.mistakes.located import Mistake


class WrongSpec(ValueError):
    """A size, preset, filter or option that no URL can have, or that the storage does not offer.

    `mistakes` are all that were found, each with its offset in `request.mistakes.spec_text`, as far as they have one.
    """

    def __init__(self, message: str, mistakes: "tuple[Mistake, ...]" = ()) -> None:
        super().__init__(message)
        self.mistakes = mistakes


class NoThumbnail(ValueError):
    """With `THUMBS["STRICT"]`: the data names no picture, or one that no URL can name."""
