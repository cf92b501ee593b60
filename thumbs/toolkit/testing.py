"""Overrides of `settings.THUMBS` for the tests of a site, with the cache layers off or in a temporary directory."""

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import TestCase

from django.conf import settings
from django.test import override_settings
from django.test.utils import TestContextDecorator

from thumbs.conf.loading import KEYS
from thumbs.problems import nearest
from thumbs.wiring import process
from thumbs.wiring.overrides import layers_in

C = TypeVar("C", bound=type[TestCase])


class override_thumbs(TestContextDecorator):  # noqa: N801 - named as Django's own
    """`override_thumbs(mode="dummy")`: other keys in `settings.THUMBS`, as a context manager or a decorator.

    Decorates functions, also asynchronous ones, methods, and subclasses of `unittest.TestCase`: there it begins before
    `setUpClass` and ends after `tearDownClass`. Keys are spelled in upper or lower case, and each value replaces the
    whole one of `settings.THUMBS`. With `cache=True`, each storage has a disk layer in a temporary directory that is
    deleted at the end, and the memory layer that it is configured with; else all layers are off. The innermost override
    decides. Raises TypeError for a key that there is not.
    """

    def __init__(self, *, cache: bool = False, **keys: object) -> None:
        for name in keys:
            if name.lower() not in KEYS:
                raise TypeError(f"THUMBS has no key {name!r}. {nearest(name.lower(), KEYS)}")
        self._cache = cache
        self._keys = {name.upper(): value for name, value in keys.items()}
        self._entered: list[ExitStack] = []
        super().__init__()

    def enable(self) -> None:
        with ExitStack() as stack:
            stack.callback(partial(process.reset, close=True))
            directory = None
            if self._cache:
                made = tempfile.TemporaryDirectory(prefix="mage-test-", ignore_cleanup_errors=True)
                directory = Path(stack.enter_context(made))
            stack.enter_context(layers_in(directory))
            override = override_settings(THUMBS=self._merged())
            override.enable()
            stack.callback(override.disable)
            process.reset(close=True)
            self._entered.append(stack.pop_all())

    def disable(self) -> None:
        self._entered.pop().close()

    def decorate_class(self, cls: C) -> C:
        """Set up before the class's own `setUpClass`, so that what that makes belongs to the test too."""
        if not issubclass(cls, TestCase):
            raise TypeError("override_thumbs decorates functions, methods and subclasses of unittest.TestCase.")
        decorated: type[TestCase] = cls
        own = cls.__dict__.get("setUpClass")

        def set_up_class(case: type[TestCase]) -> None:
            self.enable()
            case.addClassCleanup(self.disable)
            if own is None:
                super(decorated, case).setUpClass()  # type: ignore[misc]
            else:
                own.__get__(None, case)()

        cls.setUpClass = classmethod(set_up_class)  # type: ignore[assignment]
        return cls

    def _merged(self) -> dict[str, Any]:
        current = getattr(settings, "THUMBS", {})
        return {name: value for name, value in current.items() if str(name).upper() not in self._keys} | self._keys
