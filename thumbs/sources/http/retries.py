"""How long a failure stands for later requests: five seconds, or what the origin asks for, up to a minute."""

import re
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime

SECONDS, _MOST_SECONDS = 5.0, 60.0
_DELAY = re.compile(r"[0-9]{1,9}")


def pause_of(retry_after: str) -> float:
    """The seconds of a `Retry-After`, in both of its forms (RFC 9110, 10.2.3)."""
    asked = 0.0
    if _DELAY.fullmatch(retry_after):
        asked = float(retry_after)
    elif retry_after:
        with suppress(ValueError, TypeError, OverflowError):
            asked = parsedate_to_datetime(retry_after).timestamp() - time.time()
    return min(_MOST_SECONDS, max(SECONDS, asked))
