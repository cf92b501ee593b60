"""How many cores a process may use."""

from pathlib import Path

import pytest

from thumbs.conf.cpus import usable_cores


def test_a_container_may_use_no_more_cores_than_its_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("thumbs.conf.cpus._CGROUP_QUOTA", quota)
    everything = usable_cores()
    assert everything >= 1
    for text, cores in (
        ("max 100000", everything),
        ("50000 100000", 1),
        ("100001 100000", min(2, everything)),
        ("x", everything),
    ):
        quota.write_text(text)
        assert usable_cores() == cores
