"""`script/bench --before`: what it takes for an earlier tree, how that is started, and the table of the two."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import servers
from bench.before import BEFORE, THIS, BeforeReport
from bench.processes import UnavailableError
from bench.report import Plan
from bench.servers import PROJECT, Workspace, mage, python_of
from bench.table import Results

PLAN = Plan(rounds=3, seconds=1.0, kinds=frozenset({"hits"}), peers=frozenset(), against={})

# A tree whose server prints how it was started, and answers no request.
MANAGE = """
import json, os, socket, sys

said = {"argv": sys.argv[1:], "cwd": os.getcwd(), "path": sys.path[0], "python": sys.executable}
said["configuration"] = json.load(open(os.environ["STORAGES_CONFIG_PATH"]))
json.dump(said, open("said.json", "w"))
host, _, port = sys.argv[3].rpartition(":")
with socket.create_server((host, int(port))) as listening:
    while True:
        listening.accept()[0].close()
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    (made / "thumbs").mkdir(parents=True)
    (made / "manage.py").write_text(MANAGE)
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "run").mkdir()
    return Workspace(tmp_path, tmp_path / "run", tmp_path / "photos", cores=2)


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--before=no-such-tree"], "no-such-tree is not a checkout of Mage"),
        (["--before=docs"], "docs is not a checkout of Mage"),
        (["--before=."], ". is this tree"),
        (["--before={tree}", "--peers=nginx"], "leave out --peers"),
        (["--before={tree}", "--against=x=http://127.0.0.1:1/{{name}}"], "--against NAME="),
        (["--before={tree}", "--against=http://127.0.0.1:1"], "one --before PATH or one --against URL"),
        (["--against=http://127.0.0.1:1", "--against=http://127.0.0.1:2"], "one --before PATH or one --against URL"),
        (["--against=http://pictures.example:80"], "http://127.0.0.1:PORT"),
        (["--against=http://127.0.0.1"], "http://127.0.0.1:PORT"),
        (["--against=http://127.0.0.1:x"], "http://127.0.0.1:PORT"),
        (["--against=http://127.0.0.1:99999"], "http://127.0.0.1:PORT"),
        (["--against=http://127.0.0.1:1/below"], "http://127.0.0.1:PORT"),
    ],
)
def test_a_wrong_option_is_explained_before_anything_is_started(
    options: list[str], sentence: str, tree: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    done = bench(*(option.format(tree=tree) for option in options), f"--scratch={scratch}")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not scratch.exists()


def test_the_help_says_which_interpreter_the_earlier_tree_gets() -> None:
    usage = " ".join(bench("--help").stdout.split())
    assert "its own .venv/bin/python if there is one, else with this interpreter" in usage


def test_a_tree_that_does_not_start_is_left_out_with_its_last_line(tree: Path, tmp_path: Path) -> None:
    (tree / "manage.py").write_text("import sys; sys.exit('the configuration is wrong')")
    done = bench(f"--before={tree}", "--quick", f"--scratch={tmp_path / 'scratch'}")
    assert done.returncode == 1
    assert "* Left out: before: it ended at once: the configuration is wrong" in done.stdout


def test_an_earlier_tree_runs_in_its_own_directory_with_the_same_storages(tree: Path, workspace: Workspace) -> None:
    with mage(workspace, tree=tree, home="before"):
        said = json.loads((tree / "said.json").read_text())
    assert said["argv"][0] == "run_thumb_server"
    assert said["argv"][1].startswith("--bind")
    assert (said["cwd"], said["path"], said["python"]) == (str(tree), str(tree), sys.executable)
    assert [storage["name"] for storage in said["configuration"]["storages"]] == ["memory", "disk", "cold"]


def test_an_earlier_tree_with_an_environment_of_its_own_runs_in_it(tree: Path) -> None:
    assert python_of(tree) == Path(sys.executable)
    (tree / ".venv" / "bin").mkdir(parents=True)
    (tree / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert python_of(tree) == tree / ".venv" / "bin" / "python"


def test_a_tree_that_never_listens_is_unavailable(tree: Path, workspace: Workspace) -> None:
    (tree / "manage.py").write_text("")
    with pytest.raises(UnavailableError, match="it printed nothing"), mage(workspace, tree=tree):
        pass


def results(before: list[float], this: list[float]) -> Results:
    made = Results(("one URL",))
    for party, rates in ((BEFORE, before), (THIS, this)):
        for rate in rates:
            made.add(party, "one URL", rate)
    return made


def test_the_table_has_median_times_and_their_ratio() -> None:
    boards = {"hits from memory": results([10_000, 50_000, 1], [20_000, 1, 90_000]), "misses": results([100.0], [80.0])}
    report = BeforeReport(PLAN, "2 cores", notes={BEFORE: "there", THIS: "here"}, boards=boards)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in report.markdown().split("\n")
        if line.startswith("| ") and "µs" not in line and "---" not in line
    ]
    assert rows == [
        ["hits from memory, one URL", "100.0", "50.0", "0.500"],
        ["misses, one URL", "10,000.0", "12,500.0", "1.250"],
    ]
    assert "* before: there." in report.markdown()
    assert not report.mage_failed


def test_a_party_that_failed_has_no_ratio_and_fails_the_run() -> None:
    failed = results([10.0], [])
    report = BeforeReport(PLAN, "2 cores", boards={"misses": failed}, left_out={THIS: "answered the status 500"})
    assert "| misses, one URL |  100,000.0 |             – |           – |" in report.markdown()
    assert "* Left out: this tree: answered the status 500" in report.markdown()
    assert report.mage_failed


def test_the_json_has_every_rate_and_the_ratio() -> None:
    report = BeforeReport(PLAN, "2 cores", boards={"misses": results([100.0, 300.0, 200.0], [400.0])})
    (case,) = json.loads(json.dumps(report.json()))["before"]
    assert case["rates"] == {BEFORE: [100.0, 300.0, 200.0], THIS: [400.0]}
    assert case["ratio"] == 0.5


def test_a_running_server_has_the_same_urls() -> None:
    assert servers.mage_template(81).startswith("http://127.0.0.1:81/cold/thumbs/{width}x{height}/")
