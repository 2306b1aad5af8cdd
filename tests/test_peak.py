"""The measured peak: how it is measured, kept, found again and told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Command
from pydantic import ValidationError

from harness.cli import cli
from harness.clock import SystemClock
from harness.errors import LevelfieldError
from harness.peak import DATASHEETS, keep_peak, peak_of, read_peak, rows, told
from harness.records import Mode, Peak, Run, Scenario
from harness.system import find_system
from workloads.catalogue import load_card
from workloads.measurement import subject_of
from workloads.peak import Size, best_of, device_text, measure_peak

MEASURED = Peak(
    device="NVIDIA H200",
    flops={"fp32": 50e12, "bf16": 700e12},
    bandwidth_bytes_per_s=4.2e12,
    measured_ms=1_000_000,
    spread={"fp32": 0.02},
    datasheet=DATASHEETS["NVIDIA H200"],
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "levelfield/peak.json"


def clock(durations: list[float]) -> tuple[Callable[[], object], Callable[[], float]]:
    """Work that takes so long, try by try, and the time that it takes it from."""
    time, left = 0.0, iter(durations)

    def work() -> None:
        nonlocal time
        time += next(left)

    return work, lambda: time


def test_the_first_try_warms_up_and_the_best_of_the_others_counts() -> None:
    work, now = clock([0.125, 4.0, 1.0, 2.0])
    rate = best_of(work, 100, 5.0, now)
    assert (rate.best, rate.spread) == (100.0, 0.5)


def test_slow_work_is_tried_three_times() -> None:
    work, now = clock([10.0] * 4)
    assert best_of(work, 100, 0.0, now).best == 10.0


def test_a_measured_peak_is_of_this_machine_s_device() -> None:
    system = find_system(None, None)
    peak = measure_peak(system, 1, Size(16, 4096), 0.0)
    assert peak.device == device_text(system)
    assert {"fp32", "bf16"} <= set(peak.flops)
    assert set(peak.spread) == {*peak.flops, "bandwidth_bytes_per_s"}


def test_a_kept_peak_is_found_for_its_own_device_alone(cache: Path) -> None:
    assert read_peak() is None
    assert keep_peak(MEASURED) == cache
    assert peak_of("NVIDIA H200") == read_peak() == MEASURED
    assert peak_of("NVIDIA H100 80GB HBM3") is None


@pytest.mark.parametrize("spoilt", ["", "[]", MEASURED.to_json().replace("700", "-700")])
def test_a_spoilt_file_is_told(cache: Path, spoilt: str) -> None:
    keep_peak(MEASURED)
    cache.write_text(spoilt, "utf-8")
    with pytest.raises(LevelfieldError, match=r"peak\.json: not a measured peak; delete the file"):
        read_peak()


def test_a_run_notes_the_peak_of_its_own_device() -> None:
    card = load_card("image_classification")
    assert subject_of(card, "closed", None).peak is None
    device = device_text(find_system(None, None))
    ours = MEASURED.model_copy(update={"device": device})
    keep_peak(ours)
    subject = subject_of(card, "closed", None)
    run = subject.begin(Scenario.TRAIN, Mode.TRAINING, SystemClock(), seeds={"run": 1})
    assert Run.model_validate_json(run.to_json()).peak == ours


def test_a_cache_that_cannot_be_written_is_told(cache: Path) -> None:
    cache.parent.write_text("", "utf-8")
    with pytest.raises(LevelfieldError, match=r"cannot be kept.*XDG_CACHE_HOME"):
        keep_peak(MEASURED)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_peak_is_finite_and_above_nought(value: float) -> None:
    with pytest.raises(ValidationError):
        Peak.model_validate({**dict(MEASURED), "flops": {"fp32": value}})


@pytest.mark.parametrize(
    ("passed_ms", "words"),
    [
        (59_999, "just now"),
        (60_000, "1 minute ago"),
        (3 * 3_600_000, "3 hours ago"),
        (49 * 3_600_000, "2 days ago"),
        (-60_000, "a clock that was ahead"),
    ],
)
def test_a_peak_is_told_with_its_age(passed_ms: int, words: str) -> None:
    line = told(MEASURED, MEASURED.measured_ms + passed_ms)
    assert line.startswith("fp32 50 TFLOP/s, bf16 700 TFLOP/s, memory 4.2 TB/s on NVIDIA H200")
    assert words in line


def test_the_table_sets_the_datasheet_beside_the_measured() -> None:
    assert rows(MEASURED) == [
        ["arithmetic, fp32", "50 TFLOP/s", "2.0%", "67 TFLOP/s", "75%"],
        ["arithmetic, bf16", "700 TFLOP/s", "—", "990 TFLOP/s", "71%"],
        ["memory copy", "4.2 TB/s", "—", "4.8 TB/s", "88%"],
    ]


def test_doctor_measures_keeps_and_shows_the_peak(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not measured; add --peak" in doctor()
    ours = MEASURED.model_copy(update={"device": device_text(find_system(None, None))})
    monkeypatch.setattr("workloads.peak.measure_peak", lambda *_: ours)
    shown = doctor("--peak")
    assert f"kept in {cache}" in shown
    assert "990 TFLOP/s" in shown
    assert json.loads(doctor("--json"))["peak"]["flops"] == MEASURED.flops


def test_doctor_tells_of_a_spoilt_file(levelfield: Command, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("{}", "utf-8")
    done = levelfield("doctor")
    assert done.code == 1
    assert "peak.json: not a measured peak; delete the file" in done.err
    assert "Traceback" not in done.err


def doctor(*words: str) -> str:
    done = CliRunner().invoke(cli, ["doctor", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output
