"""System check of `isolation`: whether this machine offers every layer of the sandbox."""

from collections.abc import Iterator

from django.core import checks

from thumbs.checks.config import TAG, message
from thumbs.conf.document import OFF, REQUIRE
from thumbs.problems import Problem
from thumbs.render.isolation import lockdown
from thumbs.wiring.process import configuration

REQUIRED = "thumbs.E020"
WEAKER = "thumbs.W007"


@checks.register(TAG)
def check_isolation(**_: object) -> list[checks.CheckMessage]:
    """Which layers are missing where renders run in child processes."""
    return [message(problem) for problem in _problems(configuration().document.isolation)]


def _problems(isolation: str) -> Iterator[Problem]:
    if isolation == OFF:
        return
    missing = lockdown.missing()
    if not missing:
        return
    reasons = " ".join(str(error) for error in missing.values())
    if isolation == REQUIRE:
        hint = 'See docs/deployment.md, "Isolation". "auto" renders with the layers that there are.'
        yield Problem(REQUIRED, "isolation", f"requires every layer. {reasons}", hint)
    else:
        hint = 'See docs/deployment.md, "Isolation". "require" refuses to start instead; "off" renders in threads.'
        yield Problem(WEAKER, "isolation", f"is weaker than it could be. {reasons}", hint)
