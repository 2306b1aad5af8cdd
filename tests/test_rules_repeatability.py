"""rules/repeatability.py: what the logs give, and what MLPerf's published results show."""

import json
import statistics
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from altered import with_log, with_record, without
from breaks import TRAIN
from hypothesis import given
from hypothesis import strategies as st
from valid import POINTS, ROUND, STEP, training_run, valid_submission

from harness.records import Division, RunStatus
from rules.repeatability import reference_time, runs_of, seconds_per_sample
from rules.scoring import score
from rules.significance import Runs, interval, mean_interval

VALID = valid_submission()
RUNS = VALID.entries[0].runs
PER_SAMPLE = 0.6 / STEP
ORACLE = Path(__file__).parents[2] / "shared/mlperf/training_v5.1_oracle.json"


def test_the_score_is_the_rules_own() -> None:
    runs = [training_run(n, count) for n, count in enumerate((3, 4, 5, 4, 3))]
    terms = ROUND.model_copy(update={"training": ROUND.training.model_copy(update={"runs": 5})})
    found = runs_of(runs, terms, POINTS)
    assert found.enough
    assert found.reference == 4 * STEP
    assert found.score == pytest.approx(score(TRAIN, runs, terms, POINTS), rel=1e-12)
    assert runs_of(runs, terms, ()).score == pytest.approx(score(TRAIN, runs, terms), rel=1e-12)


@given(st.lists(st.integers(2, 6), min_size=5, max_size=9), st.integers(0, 4))
def test_of_more_runs_the_score_is_the_rules_own_too(counts: list[int], lost: int) -> None:
    runs = [training_run(n, count) for n, count in enumerate(counts)]
    aborted = runs[lost].run.model_copy(update={"status": RunStatus.ABORTED})
    runs[lost] = replace(runs[lost], run=aborted)
    found = runs_of(runs, ROUND, POINTS)
    assert found.enough
    assert found.stretch == 3
    assert found.score == pytest.approx(score(TRAIN, runs, ROUND, POINTS), rel=1e-12)


def test_speed_times_the_references_samples() -> None:
    """0.6 s an evaluation: whatever the luck, the reference's four evaluations take 2.4 s."""
    found = reference_time(RUNS, ROUND, POINTS)
    assert found is not None
    assert found.match.reference.mean == 4 * STEP
    assert found.seconds == pytest.approx(2.4)
    assert found.interval is not None
    assert found.interval.high - found.interval.low == pytest.approx(0, abs=1e-9)


def test_an_aborted_run_tells_its_speed_and_a_failed_one_does_not() -> None:
    aborted = with_record(VALID, TRAIN, status=RunStatus.ABORTED).entries[0].runs
    assert seconds_per_sample(aborted) == pytest.approx([PER_SAMPLE] * 3)
    failed = with_record(VALID, TRAIN, status=RunStatus.FAILED).entries[0].runs
    unlogged = with_log(VALID, TRAIN, without("eval_accuracy")).entries[0].runs
    assert len(seconds_per_sample(failed)) == len(seconds_per_sample(unlogged)) == 2


def test_without_a_reference_there_is_no_such_time() -> None:
    assert reference_time(RUNS, ROUND, ()) is None
    opened = with_record(VALID, TRAIN, division=Division.OPEN).entries[0].runs
    assert reference_time(opened, ROUND, POINTS) is None
    assert reference_time([replace(RUNS[0], log=type(RUNS[0].log)(()))], ROUND, POINTS) is None


@pytest.mark.skipif(not ORACLE.exists(), reason=f"no published results at {ORACLE}")
def test_in_published_results_luck_is_ten_times_as_wide_as_speed() -> None:
    """Half the width of both intervals, as a share: the median of a benchmark's directories."""
    found = {name: [*group] for name, group in groupby(_widths(), key=lambda one: one[0])}
    scores = {name: statistics.median(one[1] for one in group) for name, group in found.items()}
    speeds = {name: statistics.median(one[2] for one in group) for name, group in found.items()}
    assert 0.03 < scores["llama2_70b_lora"] < 0.06
    assert 0.015 < scores["llama31_8b"] < 0.04
    for name in ("llama2_70b_lora", "llama31_8b", "flux1", "dlrm_dcnv2"):
        assert speeds[name] < 0.006, name
        assert scores[name] > 8 * speeds[name], name


def _widths() -> list[tuple[str, float, float]]:
    """Benchmark, and both widths, of each published directory of ten runs that all converged."""
    records: list[dict[str, Any]] = json.loads(ORACLE.read_text("utf-8"))
    widths = []
    for record in sorted(records, key=lambda one: str(one["benchmark"])):
        files = list(record["files"].values())
        if len(files) != 10 or not all(one["converged"] and one["compliant"] for one in files):
            continue
        seconds = tuple(one["minutes"] * 60 for one in files)
        samples = tuple(float(one["epochs_or_samples"]) for one in files)
        runs = Runs(seconds, samples, drop=1, tolerated=1)
        speeds = [time / count for time, count in zip(seconds, samples, strict=True)]
        of_score, of_speed = interval(runs), mean_interval(speeds)
        assert of_score is not None
        assert of_speed is not None
        widths.append(
            (
                str(record["benchmark"]),
                (of_score.high - of_score.low) / 2 / runs.score,
                (of_speed.high - of_speed.low) / 2 / statistics.mean(speeds),
            )
        )
    return widths
