"""Layers that are missing, threads that come too early, and how a locked-down child ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT
from tests.support.waiting import WAIT_SECONDS
from thumbs.render.isolation.lockdown import supported
from thumbs.render.isolation.sandbox import landlock

pytestmark = pytest.mark.skipif(bool(supported().missing), reason=f"without {supported().missing} in this kernel")

# A filter like a container's: everything but one call is allowed.
_REFUSING = """
import errno
from thumbs.render.isolation.sandbox import bpf, seccomp
number, code = {number}, errno.{code}
seccomp.install([
    bpf.Instruction(0x20, 0, 0, 0),
    bpf.Instruction(0x15, 0, 1, number),
    bpf.Instruction(0x06, 0, 0, bpf.fail_with(code)),
    bpf.Instruction(0x06, 0, 0, bpf.ALLOW),
])
"""
_REPORT = """
from thumbs.render.isolation import lockdown
print(lockdown.supported(), lockdown.supported().missing)
try:
    lockdown.lock_down(["jpeg"])
except lockdown.MissingLayer as error:
    print(error.layer, error)
"""
# A thread that is bound by an older Landlock than this kernel's: what it may still do.
_OF_AN_ABI = """
import os, socket, sys
from pathlib import Path
from thumbs.render.isolation.sandbox import landlock
landlock.abi = lambda: {version}
landlock.restrict([Path(sys.argv[1], "readable")])
def allowed(attempt):
    try:
        attempt()
    except PermissionError:
        return False
    return True
folder = Path(sys.argv[1])
os.chdir(folder)
print(allowed(lambda: os.listdir("readable")), allowed(lambda: Path("readable/file").read_text()))
print(allowed(lambda: os.listdir(".")), allowed(lambda: Path("file").read_text()), allowed(Path("new").mkdir))
print(allowed(lambda: os.truncate("file", 1)))
print(allowed(lambda: socket.socket().bind(("127.0.0.1", 0))))
print(allowed(lambda: os.kill(os.getppid(), 0)))
"""
_SECCOMP = "__import__('thumbs.render.isolation.sandbox.syscalls', fromlist=['']).this_architecture().seccomp"


def child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, cwd=ROOT, timeout=WAIT_SECONDS)


def output_of(code: str, *arguments: str) -> str:
    done = child(code, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", ["ENOSYS", "EPERM", "EOPNOTSUPP"])
@pytest.mark.parametrize("number", [444, 446], ids=["landlock_create_ruleset", "landlock_restrict_self"])
def test_a_container_without_landlock_lacks_a_layer(code: str, number: int) -> None:
    said = output_of(_REFUSING.format(number=number, code=code) + _REPORT)
    if number == 444:
        assert "Layers(landlock=False, seccomp=True) ('landlock',)\n" in said
    sentence = f"The isolation layer landlock is missing: the kernel or the container refuses it ({code})."
    assert f"landlock {sentence}\n" in said.replace("ENOTSUP)", "EOPNOTSUPP)")


@pytest.mark.parametrize("code", ["ENOSYS", "EPERM"])
def test_a_container_without_seccomp_lacks_a_layer(code: str) -> None:
    said = output_of(_REFUSING.format(number=_SECCOMP, code=code) + _REPORT)
    assert "Layers(landlock=True, seccomp=False) ('seccomp',)\n" in said
    assert f"seccomp The isolation layer seccomp is missing: the kernel or the container refuses it ({code}).\n" in said


def test_a_processor_without_a_table_lacks_seccomp() -> None:
    said = output_of(
        "import os\nreal = os.uname()\n"
        "os.uname = lambda: os.uname_result((*real[:4], 'riscv64'))\n"
        + _REPORT.replace("lock_down(", "restrict_calls(")
    )
    assert "Layers(landlock=True, seccomp=False) ('seccomp',)\n" in said
    assert "seccomp The isolation layer seccomp is missing: it is made for x86-64 and arm64 only.\n" in said


def test_asking_for_the_layers_changes_nothing() -> None:
    said = output_of(
        "import sys\nfrom thumbs.render.isolation import lockdown\n"
        "assert lockdown.supported() == lockdown.Layers()\n"
        "assert lockdown.supported().missing == ()\n"
        "status = open('/proc/self/status').read()\n"
        "assert 'Seccomp:\\t0\\n' in status and 'NoNewPrivs:\\t0\\n' in status\n"
        "print('pyvips' in sys.modules)\n"
    )
    assert said == "False\n"


def test_importing_the_renderer_starts_no_thread() -> None:
    assert (
        output_of(
            "from thumbs.render.isolation import lockdown\n"
            "from thumbs.render.isolation.sandbox import landlock\n"
            "lockdown.import_renderer()\nprint(landlock.threads())\n"
        )
        == "1\n"
    )


def test_files_are_not_restricted_after_another_thread_has_started() -> None:
    done = child(
        "import threading, time\nfrom thumbs.render.isolation import lockdown\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nlockdown.restrict_files(['jpeg'])\n"
    )
    assert done.returncode == 1
    assert "RuntimeError: Landlock binds the calling thread only" in done.stderr


@pytest.mark.parametrize("inputs", [["jpeg"], ["jpeg", "svg"]], ids=["without svg", "with svg"])
def test_a_locked_down_child_keeps_its_deadline(inputs: list[str]) -> None:
    done = child(
        f"import signal\nfrom thumbs.render.isolation import lockdown\nlockdown.lock_down({inputs})\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01)\nwhile True: pass\n"
    )
    assert done.returncode == -signal.SIGALRM


def test_a_locked_down_child_ends_by_itself_and_by_abort() -> None:
    start = "import os\nfrom thumbs.render.isolation import lockdown\nlockdown.lock_down(['jpeg', 'svg'])\n"
    assert child(start).returncode == 0
    assert child(f"{start}raise SystemExit(3)").returncode == 3
    assert child(f"{start}os.abort()").returncode < 0


def test_an_error_in_a_locked_down_child_has_its_traceback() -> None:
    done = child("from thumbs.render.isolation import lockdown\nlockdown.lock_down(['jpeg', 'svg'])\n1 / 0\n")
    assert done.returncode == 1
    assert "ZeroDivisionError: division by zero" in done.stderr


def test_a_missing_configuration_of_fonts_is_no_error() -> None:
    code = "import os\nos.environ.update(HOME='/nonexistent', FONTCONFIG_FILE='/nonexistent/fonts.conf')\n"
    assert child(f"{code}from thumbs.render.isolation import lockdown\nlockdown.lock_down(['svg'])\n").returncode == 0


def test_access_says_nothing_about_a_file() -> None:
    paths = "'/etc/shadow', '/no/such/file'"
    code = "import os\nfrom thumbs.render.isolation import lockdown\nlockdown.lock_down([{}])\n"
    code += f"print([os.access(path, os.R_OK) for path in ({paths})])"
    assert output_of(code.format("'jpeg', 'svg'")) == "[True, True]\n"
    assert output_of(code.format("'jpeg'")) == "[False, False]\n"


@pytest.mark.parametrize("version", range(1, 8))
def test_each_abi_of_landlock_refuses_what_it_knows(version: int, tmp_path: Path) -> None:
    if landlock.abi() < version:
        pytest.skip(f"this kernel has ABI {landlock.abi()} of Landlock")
    (tmp_path / "readable").mkdir()
    for name in ("file", "readable/file"):
        (tmp_path / name).write_text("canary")
    said = output_of(_OF_AN_ABI.format(version=version), str(tmp_path))
    assert said.splitlines() == [
        "True True",
        "False False False",
        str(version < 3),  # truncate
        str(version < 4),  # bind
        str(version < 6),  # signal
    ]
