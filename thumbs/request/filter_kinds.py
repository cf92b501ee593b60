"""One filter of the table in `filters`, and the kinds of which there are several."""

from collections.abc import Callable
from dataclasses import dataclass

from thumbs.image.transforms import Transform
from thumbs.request import parameters
from thumbs.request.filter_codecs import Fields
from thumbs.request.parameters import Parameter
from thumbs.request.scalars import decimal, decimal_text, signed, yes_or_no

_NOTHING = "no argument"


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    `read` parses the arguments into fields of a transform, or raises ValueError or KeyError; `write` is its inverse.
    `takes` completes the error "{name} takes …". `short` is the filter's second name. `parameters` are its arguments in
    their order, as a form can ask for them: a row without them has one text.
    """

    name: str
    takes: str
    read: Callable[[str], Fields]
    write: Callable[[Transform], str | None]
    short: str | None = None
    parameters: tuple[Parameter, ...] = parameters.ANY_TEXT

    @property
    def takes_nothing(self) -> bool:
        return self.takes == _NOTHING


def switch(name: str, *, short: str | None = None) -> Filter:
    """Set without an argument, absent otherwise."""

    def read(text: str) -> Fields:
        if text:
            raise ValueError("takes nothing")
        return {name: True}

    def write(transform: Transform) -> str | None:
        return "" if getattr(transform, name) else None

    return Filter(name, _NOTHING, read, write, short=short, parameters=())


def choice(name: str, *, short: str | None = None) -> Filter:
    """Yes or no."""

    def write(transform: Transform) -> str | None:
        chosen: bool | None = getattr(transform, name)
        return None if chosen is None else ("yes" if chosen else "no")

    asked = (parameters.choice(("yes", "no")),)
    return Filter(name, "yes or no", lambda text: {name: yes_or_no(text)}, write, short=short, parameters=asked)


def amount(name: str) -> Filter:
    """A whole number from -100 to 100; 0 changes nothing."""

    def write(transform: Transform) -> str | None:
        amount: int = getattr(transform, name)
        return str(amount) if amount else None

    takes = (parameters.number(25, -100, 100),)
    return Filter(name, "a whole number from -100 to 100", lambda text: {name: signed(text)}, write, parameters=takes)


def sigma(name: str, takes: str, asked: Parameter, default: float | None = None) -> Filter:
    """A sigma in output pixels. `default` is that of a filter without an argument."""

    def read(text: str) -> Fields:
        return {name: default if default is not None and not text else decimal(text)}

    def write(transform: Transform) -> str | None:
        sigma: float | None = getattr(transform, name)
        return None if sigma is None else decimal_text(sigma)

    return Filter(name, takes, read, write, parameters=(asked,))
