"""The benchmark: how it computes and judges results, what it refuses, and which processes it leaves running."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips
from PIL import Image

from bench import misses
from bench.check import Wanted, WrongAnswerError, check, decode, is_progressive, jpeg_quality
from bench.cpu import cpu_seconds
from bench.load import Answer, Template, summarized
from bench.pictures import Originals
from bench.processes import UnavailableError, free_port, running
from bench.report import Plan, Report
from bench.rounds import compare
from bench.table import Results, beside_table, hits_table, markdown, misses_table
from tests.support.waiting import eventually

WANTED = Wanted(60, 40, "jpeg", 80)


def encoded(*, width: int = 60, height: int = 40, suffix: str = ".jpg", quality: int = 80, **options: bool) -> bytes:
    noise = pyvips.Image.gaussnoise(width, height, sigma=40, mean=128, seed=1).cast("uchar")
    body: bytes = (
        noise.bandjoin([noise, noise]).copy(interpretation="srgb").write_to_buffer(suffix, Q=quality, **options)
    )
    return body


class TestResults:
    def test_a_rate_is_the_median_of_its_rounds(self) -> None:
        results = Results(("a",))
        for rate in (10.0, 1000.0, 30.0):
            results.add("Mage", "a", rate)
        assert results.rate("Mage", "a") == 30.0

    def test_a_ratio_divides_medians(self) -> None:
        results = Results(("a",))
        for mine, theirs in ((10.0, 40.0), (30.0, 60.0), (20.0, 5.0)):
            results.add("Mage", "a", mine)
            results.add("nginx", "a", theirs)
        assert results.ratio("Mage", "nginx", "a") == 0.5

    def test_there_is_no_ratio_to_a_party_that_was_not_measured(self) -> None:
        results = Results(("a",))
        results.add("Mage", "a", 10.0)
        assert results.ratio("Mage", "nginx", "a") is None

    def test_what_a_party_did_before_it_failed_does_not_count(self) -> None:
        results = Results(("a", "b"))
        results.add("ipx", "a", 10.0)
        results.add("thumbor", "b", 20.0)
        results.leave_out("ipx", "answered the status 500")
        assert results.parties == ["thumbor"]
        assert results.left_out == {"ipx": "answered the status 500"}


class TestTables:
    def test_hits_are_given_as_shares_of_the_reference(self) -> None:
        results = Results(("one URL",))
        results.add("nginx", "one URL", 60_000.0)
        results.add("Mage, memory", "one URL", 30_000.0)
        lines = hits_table(results, "nginx").split("\n")
        assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["nginx", "60,000", "1.00 ×"]
        assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == ["Mage, memory", "30,000", "0.50 ×"]

    def test_misses_are_given_as_what_mage_is_of_each(self) -> None:
        results = Results(("JPEG",))
        results.add("Mage", "JPEG", 90.0)
        results.add("thumbor", "JPEG", 20.0)
        last = misses_table(results, {("thumbor", "JPEG"): 24_049}).split("\n")[-1]
        assert [cell.strip() for cell in last.split("|")[1:-1]] == ["thumbor", "20.0", "4.50 ×", "24.0"]

    def test_misses_have_the_cpu_time_of_one_picture_where_that_was_measured(self) -> None:
        results, cpu = Results(("JPEG",)), Results(("JPEG",))
        for party in ("Mage", "imgproxy"):
            results.add(party, "JPEG", 60.0)
        for seconds in (0.0205, 0.5, 0.018):
            cpu.add("Mage", "JPEG", seconds)
        lines = misses_table(results, {}, None, cpu).split("\n")
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        assert rows[0] == ["Misses", "JPEG, pictures/s", "Mage is", "CPU ms", "KB"]
        assert rows[2:] == [["Mage", "60.0", "1.00 ×", "20.5", "–"], ["imgproxy", "60.0", "1.00 ×", "–", "–"]]

    def test_each_mage_is_compared_with_bare_libvips(self) -> None:
        results, cpu = Results(("JPEG",)), Results(("JPEG",))
        for party, rate, seconds in (("Mage", 66.0, 0.016), ("Mage, isolation off", 69.0, 0.015), ("pyvips", 60, 0.02)):
            results.add(party, "JPEG", rate)
            cpu.add(party, "JPEG", seconds)
        results.add("thumbor", "JPEG", 20.0)
        sizes = {("Mage", "JPEG"): 19_000, ("pyvips", "JPEG"): 20_000}
        scores = {("Mage", "JPEG"): 78.75, ("pyvips", "JPEG"): 79.0}
        lines = beside_table("pyvips", results, sizes, scores, cpu).split("\n")
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        assert rows[0] == ["Beside pyvips", "JPEG, pictures/s", "JPEG, CPU", "JPEG, bytes", "JPEG, score"]
        assert rows[2:] == [
            ["Mage", "1.10 ×", "0.80 ×", "0.95 ×", "-0.2"],
            ["Mage, isolation off", "1.15 ×", "0.75 ×", "–", "–"],
        ]

    def test_nothing_is_compared_with_what_was_not_measured(self) -> None:
        results = Results(("JPEG",))
        results.add("Mage", "JPEG", 66.0)
        assert beside_table("pyvips", results, {}, {}, Results(("JPEG",))) == ""

    def test_columns_line_up(self) -> None:
        lines = markdown(["a", "b"], [["long name", "1"], ["x", "1,000"]]).split("\n")
        assert lines == [
            "| a         |     b |",
            "| --------- | ----: |",
            "| long name |     1 |",
            "| x         | 1,000 |",
        ]


class TestTemplate:
    def test_every_field_is_put_in(self) -> None:
        template = Template("http://127.0.0.1:81/{width}x{height}/{format}/{quality}/{name}?a=1")
        assert (template.host, template.port) == ("127.0.0.1", 81)
        assert template.target("p.jpg", WANTED) == "/60x40/jpeg/80/p.jpg?a=1"

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:81/no-name",
            "http://127.0.0.1:81/{name}/{token}",
            "http://127.0.0.1:81/{name}/{}",
            "https://127.0.0.1/{name}",
            "http://pictures.example/{name}",
            "/{name}",
        ],
    )
    def test_other_templates_are_refused_at_once(self, url: str) -> None:
        with pytest.raises(ValueError, match="a template"):
            Template(url)


class TestCheck:
    def test_the_requested_picture_passes(self) -> None:
        check(encoded(), "image/jpeg", WANTED)
        check(encoded(suffix=".webp"), "image/webp", Wanted(60, 40, "webp", 80))

    @pytest.mark.parametrize(
        ("answer", "content_type", "reason"),
        [
            (lambda: encoded(width=61), "image/jpeg", "61×40 pixels, not 60×40"),
            (lambda: encoded(suffix=".webp"), "image/jpeg", "webp, not jpeg"),
            (encoded, "image/webp", "the type 'image/webp'"),
            (lambda: encoded(quality=79), "image/jpeg", "quality 79, not 80"),
            (lambda: b"<html>", "image/jpeg", "not a picture"),
            (lambda: b"", "image/jpeg", "not a picture"),
        ],
    )
    def test_any_other_answer_is_refused_with_its_reason(
        self, answer: Callable[[], bytes], content_type: str, reason: str
    ) -> None:
        with pytest.raises(WrongAnswerError, match=reason):
            check(answer(), content_type, WANTED)

    def test_a_picture_that_is_cut_short_is_refused(self) -> None:
        body = encoded()
        decode(body)
        with pytest.raises(WrongAnswerError, match="damaged"):
            decode(body[: len(body) // 2])

    @pytest.mark.parametrize("quality", [1, 30, 50, 77, 80, 95])
    def test_the_quality_of_a_jpeg_is_read_from_it_a_client_that_wrote_it(self, quality: int, tmp_path: Path) -> None:
        Image.new("RGB", (8, 8), "teal").save(tmp_path / "other.jpg", quality=quality)
        assert jpeg_quality((tmp_path / "other.jpg").read_bytes()) == quality
        assert jpeg_quality(encoded(quality=quality)) == quality

    def test_a_file_without_such_a_table_has_no_known_quality(self) -> None:
        assert jpeg_quality(encoded(suffix=".webp")) is None
        assert jpeg_quality(b"\xff\xd8\xff") is None

    def test_a_progressive_jpeg_is_distinguished_from_a_baseline_one(self) -> None:
        assert is_progressive(encoded(interlace=True))
        assert not is_progressive(encoded())


class TestAnswers:
    def test_an_answer_from_a_cache_is_no_miss(self) -> None:
        good = {"content-type": "image/jpeg"}
        misses.check_answer(Answer(200, good | {"x-cache": "MISS"}, encoded()), WANTED)
        with pytest.raises(WrongAnswerError, match="cache"):
            misses.check_answer(Answer(200, good | {"x-cache": "HIT"}, encoded()), WANTED)

    def test_a_status_other_than_200_is_refused(self) -> None:
        with pytest.raises(WrongAnswerError, match="503"):
            misses.check_answer(Answer(503, {"content-type": "image/jpeg"}, encoded()), WANTED)

    def test_a_rate_under_load_is_requests_by_time(self) -> None:
        assert summarized("50000\t2000000\t1050000000\t0\t0", body_bytes=20_000) == 25_000

    @pytest.mark.parametrize(
        "line", ["9 2000000 900000 3 0", "9 2000000 900000 0 3", "9 2000000 179999 0 0", "0 2000000 0 0 0"]
    )
    def test_errors_and_missing_bytes_under_load_are_refused(self, line: str) -> None:
        with pytest.raises(WrongAnswerError):
            summarized(line, body_bytes=20_000)


class _Steady:
    """A contender of fixed rates that fails once `good` of them were taken."""

    def __init__(self, name: str, *, good: int) -> None:
        self.name = name
        self._good = good

    def verify(self, _case: str) -> None:
        if self._good < 0:
            raise WrongAnswerError("answered the status 500")

    def rate(self, case: str, _seconds: float) -> float:
        self._good -= 1
        self.verify(case)
        return 10.0


class TestRounds:
    def test_every_party_is_measured_once_a_round(self) -> None:
        results = Results(("a", "b"))
        compare([_Steady("x", good=99), _Steady("y", good=99)], results, rounds=3, seconds=0)
        assert {key: len(rates) for key, rates in results.rates.items()} == {
            (party, case): 3 for party in "xy" for case in "ab"
        }

    @pytest.mark.parametrize("good", [-1, 3, 5])
    def test_a_server_that_fails_before_during_or_at_the_end_is_left_out_and_the_others_go_on(self, good: int) -> None:
        results = Results(("a", "b"))
        compare([_Steady("x", good=good), _Steady("y", good=99)], results, rounds=3, seconds=0)
        assert results.parties == ["y"]
        assert "status 500" in results.left_out["x"]
        assert len(results.rates["y", "a"]) == 3

    def test_a_report_names_the_servers_left_out_and_fails_only_for_mage(self) -> None:
        plan = Plan(rounds=1, seconds=1, kinds=frozenset(), peers=frozenset(), against={})
        report = Report(
            plan, "2 cores", "a photo", left_out={"ipx": "it needs node"}, notes={"ipx": "3", "nginx": "1.22"}
        )
        assert "* Left out: ipx: it needs node" in report.markdown()
        assert "* ipx 3" not in report.markdown()
        assert "* nginx 1.22." in report.markdown()
        assert not report.mage_failed
        report.left_out["Mage, disk"] = "answered other bytes"
        assert report.mage_failed


class TestOriginals:
    def test_no_name_is_given_out_twice_and_each_is_the_photo(self, tmp_path: Path) -> None:
        photo = tmp_path / "photo.jpg"
        photo.write_bytes(b"pixels")
        (tmp_path / "photos").mkdir()
        originals = Originals(tmp_path / "photos", photo)
        names = [originals.take() for _ in range(50)]
        assert len(set(names)) == 50
        assert all((originals.directory / name).read_bytes() == b"pixels" for name in names)


class TestProcesses:
    def test_children_of_a_server_end_with_its_block(self, tmp_path: Path) -> None:
        # As a supervisor does it: in a process group of its own. Each writes its line at once: where Python's output is
        # not buffered, `print` writes a line and its end one after the other, and the two lines mix.
        script = (
            "import os, time; child = os.fork() or os.setpgid(0, 0); os.write(1, b'%d ' % (child or 0)); time.sleep(60)"
        )
        with running([sys.executable, "-c", script], log=tmp_path / "log") as server:
            eventually(lambda: len(server.log.read_text().split()) == 2)
            (grandchild,) = (int(word) for word in server.log.read_text().split() if word != "0")
            os.kill(grandchild, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(grandchild, 0)

    def test_the_cpu_time_of_a_server_includes_its_children_ended_or_not(self, tmp_path: Path) -> None:
        work = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
        script = (
            f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {work!r}], check=True)\n"
            f"child = subprocess.Popen([sys.executable, '-c', {work + chr(10) + 'time.sleep(60)'!r}])\n"
            "print(1, flush=True); time.sleep(60)"
        )
        with running([sys.executable, "-c", script], log=tmp_path / "log") as server:
            eventually(lambda: bool(server.log.read_text()))
            eventually(lambda: cpu_seconds(server.process.pid) >= 0.55)

    def test_a_child_that_ignores_sigterm_ends_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bench.processes._GRACE_SECONDS", 0.1)
        script = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
        )
        with running([sys.executable, "-c", script], log=tmp_path / "log") as server:
            eventually(lambda: bool(server.log.read_text()))
        assert server.process.returncode == -signal.SIGKILL

    def test_a_server_that_ends_at_once_is_unavailable_with_its_last_words(self, tmp_path: Path) -> None:
        with (
            running([sys.executable, "-c", "import sys; sys.exit('no such module')"], log=tmp_path / "log") as server,
            pytest.raises(UnavailableError, match="no such module"),
        ):
            server.await_port(free_port())

    def test_a_program_that_is_not_there_is_unavailable(self, tmp_path: Path) -> None:
        with (
            pytest.raises(UnavailableError, match="does not start"),
            running(["no-such-program"], log=tmp_path / "log"),
        ):
            pass


class TestOptions:
    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            ("--peers=nginx,varnish", "no such peer: varnish"),
            ("--against=imgproxy", "NAME=URL-TEMPLATE"),
            ("--against=imgproxy=http://127.0.0.1/x", "a template must have {name}"),
            ("--against=Mage=http://127.0.0.1/{name}", "is taken"),
            ("--photo=no-such-file.jpg", "is not a file"),
            ("--rounds=0", "at least 1"),
        ],
    )
    def test_a_wrong_option_is_explained_before_anything_is_started(self, option: str, sentence: str) -> None:
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-m", "bench", option], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert sentence in done.stderr
