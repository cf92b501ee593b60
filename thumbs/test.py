"""For the tests of a site: `from thumbs.test import override_thumbs`."""

from thumbs.toolkit.testing import override_thumbs

__all__ = ["override_thumbs"]
