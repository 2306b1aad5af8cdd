"""Limits in force are found, and only those."""

from pathlib import Path

import pytest
from toy import toy_subject

from harness.clock import SystemClock
from harness.records import Mode, Scenario
from harness.telemetry.constraints import clock_limit, find_constraints, group_limits


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({"cpu.max": "max 100000\n", "memory.max": "max\n"}, {}),
        ({"cpu.max": "50000 100000\n"}, {"cpu_quota_cores": 0.5}),
        ({"a/cpu.max": "40000 100000\n", "cpu.max": "50000 100000\n"}, {"cpu_quota_cores": 0.4}),
        ({"a/memory.max": "max\n", "memory.max": "4096\n"}, {"memory_limit_bytes": 4096}),
        ({"cpu.max": "99999900000 100000\n", "memory.max": f"{2**62}\n"}, {}),
    ],
)
def test_the_tightest_limit_of_version_2(
    tmp_path: Path, files: dict[str, str], limits: dict[str, float]
) -> None:
    root = made(tmp_path / "fs", {"a/cgroup.procs": "1\n", **files})
    made(tmp_path, {"membership": "0::/a\n"})
    assert group_limits(root, tmp_path / "membership") == limits


@pytest.mark.parametrize(("quota", "limits"), [(-1, {}), (25_000, {"cpu_quota_cores": 0.25})])
def test_limits_of_version_1(tmp_path: Path, quota: int, limits: dict[str, float]) -> None:
    files = {
        "fs/cpu/cpu.cfs_quota_us": f"{quota}\n",
        "fs/cpu/cpu.cfs_period_us": "100000\n",
        "fs/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "membership": "2:memory:/\n1:cpu:/\n",
    }
    made(tmp_path, files)
    assert group_limits(tmp_path / "fs", tmp_path / "membership") == limits


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({}, {}),
        ({"cpu0/cpufreq/scaling_max_freq": "2000000\n"}, {"cpu_frequency_max_hz": 2_000_000_000}),
        ({"intel_pstate/max_perf_pct": "50\n"}, {"cpu_frequency_max_hz": 1_500_000_000}),
        ({"intel_pstate/no_turbo": "1\n"}, {"cpu_frequency_max_hz": 1_000_000_000}),
        ({"intel_pstate/no_turbo": "0\n"}, {}),
    ],
)
def test_a_clock_below_the_hardware_s(
    tmp_path: Path, files: dict[str, str], limits: dict[str, int]
) -> None:
    policy = {
        "cpu0/cpufreq/cpuinfo_max_freq": "3000000\n",
        "cpu0/cpufreq/scaling_max_freq": "3000000\n",
        "cpu0/cpufreq/base_frequency": "1000000\n",
    }
    assert clock_limit(made(tmp_path, {**policy, **files})) == limits


def test_a_machine_that_tells_no_clock_has_no_limit_of_it(tmp_path: Path) -> None:
    assert clock_limit(tmp_path) == {}


def test_fewer_cores_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2})
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert find_constraints()["cpu_affinity"] == 2
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert "cpu_affinity" not in find_constraints()


def test_a_run_s_record_has_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.recording.find_constraints", lambda: {"cpu_quota_cores": 0.5})
    run = toy_subject().begin(Scenario.TRAIN, Mode.TRAINING, SystemClock(), seeds={"run": 1})
    assert run.constraints == {"cpu_quota_cores": 0.5}
