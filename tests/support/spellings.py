"""Other spellings of one request: percent-encodings of the same path."""

import itertools


def spellings() -> list[str]:
    """One request in every order of its filters, long and short, with equal arguments spelled differently."""
    long = ("format(jpeg)", "quality(70)", "gravity(north)", "dpr(2)")
    short = ("fmt(jpg)", "q(70)", "g(north)", "dpr(2.0)")
    orders = list(itertools.permutations(range(4)))
    segments = ["filters:" + ";".join(long[place] for place in order) for order in orders]
    segments += ["f:" + ";".join(short[place] for place in order) for order in orders]
    segments += ["f:" + ";".join(long) + ";fit(cover)", "filters:" + ";".join(short) + ";fit(cover)"]
    return [f"400x300/{segment}/cats/tom.jpg" for segment in segments]
