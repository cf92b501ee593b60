"""The system calls that `deploy/mage.service` leaves: enough to lock children down, and all that those need."""

import re
import shutil
import subprocess
from functools import cache

import pytest

from tests.support.deployed import DEPLOY
from tests.support.waiting import WAIT_SECONDS
from thumbs.render.isolation.sandbox.allowed import allowed_calls
from thumbs.render.isolation.sandbox.bpf import ALLOW

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="without systemd-analyze")

# What a child does before it is locked down: its layers, its priority, its limits, its deadline.
LOCKING_DOWN = {
    *("seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prctl"),
    *("setpriority", "sched_setattr", "setrlimit", "prlimit64", "setitimer"),
}
# Those that systemd's group of resources has besides, which nothing here needs.
STILL_REFUSED = {"mbind", "migrate_pages", "move_pages", "sched_setscheduler", "ioprio_set"}


@cache
def members(group: str) -> frozenset[str]:
    """The system calls of a group, as the installed systemd expands it."""
    command = ["systemd-analyze", "syscall-filter", "--no-pager", group]
    listing = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT_SECONDS).stdout
    lines = (line.strip() for line in listing.splitlines()[1:])
    return frozenset().union(*(expanded(line) for line in lines if line and not line.startswith("#")))


def expanded(word: str) -> frozenset[str]:
    return members(word) if word.startswith("@") else frozenset({word})


def left_by(unit: str) -> set[str]:
    """The calls that `SystemCallFilter=` leaves (systemd.exec(5)): its lines add calls, or with ~ remove some."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = frozenset().union(*(expanded(word) for word in line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


@pytest.fixture(scope="module")
def unit() -> str:
    return (DEPLOY / "mage.service").read_text()


def test_the_unit_lets_children_lock_themselves_down(unit: str) -> None:
    assert sorted(LOCKING_DOWN - left_by(unit)) == []


def test_the_unit_leaves_all_that_a_locked_down_child_may_call(unit: str) -> None:
    needed = {call.name for call in allowed_calls(fonts=True, fstat_is_newfstatat=True) if call.answer == ALLOW}
    assert sorted(needed - left_by(unit)) == []


def test_the_unit_takes_the_rest_of_its_groups_away(unit: str) -> None:
    left = left_by(unit)
    assert sorted(STILL_REFUSED & left) == []
    assert sorted({"mount", "ptrace", "bpf", "chroot", "reboot", "init_module", "setuid"} & left) == []


def test_systemd_knows_each_call_that_the_unit_names(unit: str) -> None:
    lines = re.findall(r"^SystemCallFilter=~?(.*)$", unit, re.MULTILINE)
    words = {word for line in lines for word in line.split()}
    assert {word for word in words if word.startswith("@") and not members(word)} == set()
    known = members("@known")
    assert sorted(word for word in words if not word.startswith("@") and word not in known) == []
