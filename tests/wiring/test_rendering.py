"""Where renders run, and what is said of it."""

import pytest

from thumbs.render.isolation import lockdown
from thumbs.render.isolation.sandbox.kernel import MissingLayer
from thumbs.wiring.rendering import Isolation, description


@pytest.mark.parametrize(
    ("isolation", "missing", "sentence"),
    [
        ("off", ["landlock"], "renders run in threads of the server"),
        ("auto", [], "renders run in child processes, locked down by landlock and seccomp"),
        ("require", ["landlock"], "renders run in child processes, locked down by seccomp"),
        ("auto", ["landlock", "seccomp"], "renders run in child processes, not locked down"),
    ],
)
def test_the_log_names_the_layers(
    monkeypatch: pytest.MonkeyPatch, isolation: str, missing: list[str], sentence: str
) -> None:
    monkeypatch.setattr(lockdown, "missing", lambda: dict.fromkeys(missing, MissingLayer("landlock", "it is absent")))
    assert description(isolation) == sentence


def test_threads_are_no_isolation_and_always_available() -> None:
    isolation = Isolation(None)
    assert isolation.layers == {"process": False, "landlock": False, "seccomp": False}
    assert isolation.unavailable_seconds == 0.0
