"""rules/replication.py"""

import math

import numpy as np
import pytest
from valid import ROUND, STEP, inference_run, training_run

from harness.records import Mode, Scenario
from rules.replication import (
    Replicated,
    compare_inference,
    compare_replica,
    compare_training,
    judge,
)
from rules.significance import Interval

INF = math.inf


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.90, 1.10, Replicated.EQUAL),
        (0.89, 1.00, Replicated.CANNOT_TELL),
        (1.05, 1.20, Replicated.CANNOT_TELL),
        (0.50, 2.00, Replicated.CANNOT_TELL),
        (1.11, 1.20, Replicated.DIFFERENT),
        (0.50, 0.89, Replicated.DIFFERENT),
    ],
)
def test_the_verdict_is_where_the_interval_lies(
    low: float, high: float, verdict: Replicated
) -> None:
    assert judge(Interval(low, high), 0.1) is verdict


@pytest.mark.parametrize(
    ("original", "replica", "verdict"),
    [
        ([1000.0], [1010.0, 1000.0, 990.0], Replicated.EQUAL),
        ([1300.0], [1010.0, 1000.0, 990.0], Replicated.DIFFERENT),
        ([1000.0], [1000.0], Replicated.CANNOT_TELL),
        ([1000.0], [600.0, 1000.0, 1600.0], Replicated.CANNOT_TELL),
        ([5.0, 5.1, 5.2], [7.0, 7.1, 7.2], Replicated.DIFFERENT),
        ([], [1.0, 2.0], Replicated.CANNOT_TELL),
        ([0.0, 1.0], [1.0, 1.0], Replicated.CANNOT_TELL),
    ],
)
def test_values_are_compared(
    original: list[float], replica: list[float], verdict: Replicated
) -> None:
    assert compare_replica("speed", original, replica, 0.1).verdict is verdict


def test_one_run_has_no_interval_with_another() -> None:
    found = compare_replica("speed", [2.0], [1.0], 0.1)
    assert (found.ratio, found.interval, found.p_ranks) == (0.5, None, None)


def test_a_ratio_and_its_interval_turn_with_the_sides() -> None:
    there = compare_replica("speed", [1.0, 1.1, 1.2], [2.0, 2.1], 0.1)
    back = compare_replica("speed", [2.0, 2.1], [1.0, 1.1, 1.2], 0.1)
    assert there.ratio
    assert back.ratio
    assert there.interval
    assert back.interval
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.interval.low == pytest.approx(1 / back.interval.high)


def test_values_on_a_grid_are_not_more_certain_than_its_step() -> None:
    """Runs that all end at the same evaluation are not therefore known to be equal."""
    same = [1000.0] * 3
    assert compare_replica("samples", same, same, 0.1).verdict is Replicated.EQUAL
    coarse = compare_replica("samples", same, same, 0.1, grid=500)
    assert coarse.verdict is Replicated.CANNOT_TELL
    assert coarse.interval
    assert coarse.interval.low < 0.9


def test_how_many_runs_would_tell_is_said_and_true() -> None:
    found = compare_replica("samples", [900.0, 1100.0, 1000.0], [1000.0, 900.0, 1100.0], 0.1)
    assert found.verdict is Replicated.CANNOT_TELL
    assert found.needed
    more = [900.0, 1100.0, 1000.0] * found.needed
    assert compare_replica("samples", more, more, 0.1).verdict is Replicated.EQUAL


def test_runs_that_were_lost_tell_by_rank_alone() -> None:
    original, lost = [1.0, 2.0, 3.0, 4.0, 5.0], [INF] * 5
    found = compare_replica("samples", original, lost, 0.1)
    assert (found.verdict, found.ratio) == (Replicated.DIFFERENT, None)
    few = compare_replica("samples", original, [3.0, INF], 0.1)
    assert few.verdict is Replicated.CANNOT_TELL


def test_the_interval_covers_as_it_says() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        draws = np.exp(random.normal(0, 0.1, 4)).tolist()
        found = compare_replica("speed", draws[:1], draws[1:], 0.1).interval
        held += found is not None and found.low <= 1 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_trainings_are_compared_by_samples_and_by_speed() -> None:
    runs = [training_run(i, i + 3) for i in range(3)]
    samples, speed = compare_training(runs, runs, ROUND, STEP)
    assert samples.ratio == speed.ratio == 1
    assert samples.verdict is Replicated.CANNOT_TELL
    assert speed.verdict is Replicated.EQUAL


@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER, Scenario.SINGLE_STREAM])
def test_an_inference_like_the_original_is_equal(scenario: Scenario) -> None:
    run = inference_run(scenario, Mode.PERFORMANCE)
    found = compare_inference(scenario, [run], [run, run, run], ROUND)
    assert (found.verdict, found.ratio) == (Replicated.EQUAL, 1)


def test_a_rate_that_no_replica_holds_is_different() -> None:
    run = inference_run(Scenario.SERVER, Mode.PERFORMANCE)
    assert run.queries is not None
    slow = run.queries.copy()
    slow["completed"] += 10**9
    late = type(run)(run.path, run.run, run.log, slow, None, run.telemetry)
    found = compare_inference(Scenario.SERVER, [run], [late, late], ROUND)
    assert (found.verdict, found.ratio) == (Replicated.DIFFERENT, 0)
    mixed = compare_inference(Scenario.SERVER, [run], [late, run], ROUND)
    assert mixed.verdict is Replicated.CANNOT_TELL
    nothing = compare_inference(Scenario.SERVER, [late], [run, run], ROUND)
    assert nothing.verdict is Replicated.CANNOT_TELL
