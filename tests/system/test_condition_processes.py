"""Conditions read in a process of its own: in every time zone, and without endless backtracking."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.support.servers import ROOT
from tests.support.waiting import WAIT_SECONDS

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
MOMENT = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110, 5.6.7

# --------------------------------------------------------------------------------------- tags


@pytest.mark.parametrize("field", [" " * 8000 + "x", '"a",' * 2000 + "x", ", " * 4000 + "x", 'W/"' * 2600])
def test_the_longest_invalid_list_is_rejected_in_one_pass(field: str) -> None:
    script = f"from thumbs.http.conditions import opaque_tags; assert not opaque_tags({field!r} * 20)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=WAIT_SECONDS, check=False).returncode == 0


# -------------------------------------------------------------------------------------- dates


DATES = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "XYZ-11"])
def test_every_form_of_a_date_is_utc_wherever_the_server_is(zone: str) -> None:
    script = f"from thumbs.http.conditions import parse_date; print(*[parse_date(date, {NOW}) for date in {DATES}])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "TZ": zone}, capture_output=True, check=True
    )
    assert done.stdout.split() == [str(MOMENT).encode()] * 3
