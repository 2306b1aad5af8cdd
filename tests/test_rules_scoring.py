"""rules/scoring.py: exact numbers by hand."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from valid import CARD, MS, RATE, ROUND, inference_run, training_run

from harness.events import EventLog
from harness.queries import NEVER, RAISED, QueryLog, new_log
from harness.records import Audit, Mode, RunStatus, Scenario
from rules.scoring import (
    offline_throughput,
    olympic_mean,
    performance,
    score,
    scored_runs,
    stream_latency,
)
from rules.submission import RunEvidence

LOST = math.inf


@pytest.mark.parametrize(
    ("times", "mean"),
    [
        ([3.0, 1.0, 2.0], 2.0),
        ([5.0, 1.0, 2.0, 4.0, 3.0], 3.0),
        ([LOST, 1.0, 2.0, 4.0, 3.0], 3.0),  # the lost run is the slowest, 1.0 the fastest
        ([LOST, LOST, 2.0, 4.0, 3.0], None),
        ([1.0, 2.0], None),
        ([], None),
    ],
)
def test_olympic_mean(times: list[float], mean: float | None) -> None:
    assert olympic_mean(times, 1, tolerated=1) == mean


def test_an_untolerated_loss_gives_no_score_even_if_dropped() -> None:
    assert olympic_mean([LOST, 1.0, 2.0], 1, tolerated=0) is None


def with_status(evidence: RunEvidence, status: RunStatus, log: EventLog) -> RunEvidence:
    run = evidence.run.model_copy(update={"status": status})
    return RunEvidence(evidence.path, run, log, None, None, evidence.telemetry)


def queries_of(evidence: RunEvidence) -> QueryLog:
    assert evidence.queries is not None
    return evidence.queries


def test_training() -> None:
    runs = [training_run(0, 5), training_run(1, 3), training_run(2, 4)]
    assert score(Scenario.TRAIN, runs, ROUND) == 2.4


def test_an_aborted_run_counts_as_the_slowest() -> None:
    quick = training_run(0, 2)
    lost = with_status(quick, RunStatus.ABORTED, quick.log)
    assert score(Scenario.TRAIN, [lost, training_run(1, 3), training_run(2, 4)], ROUND) == 2.4


def test_a_run_without_an_end_counts_as_the_slowest() -> None:
    quick = training_run(0, 2)
    cut = with_status(quick, RunStatus.COMPLETE, EventLog(quick.log.events[:-1]))
    assert score(Scenario.TRAIN, [cut, training_run(1, 3), training_run(2, 4)], ROUND) == 2.4


def of_more_runs(*evaluations: int) -> list[RunEvidence]:
    """Runs in order of start, each of 0.6 s an evaluation; 0 stands for a lost one."""
    runs = [training_run(n, count or 2) for n, count in enumerate(evaluations)]
    lost = [with_status(run, RunStatus.ABORTED, run.log) for run in runs]
    return [lost[n] if not count else runs[n] for n, count in enumerate(evaluations)]


@pytest.mark.parametrize(
    ("evaluations", "scored"),
    [
        ((3, 4, 5), (3, 4, 5)),
        ((3, 4), (3, 4)),  # too few: all that there are
        ((2, 2, 4, 4, 5), (2, 4, 4)),  # the stretches' medians are 2, 4, 4
        ((2, 5, 4, 4, 3), (2, 5, 4)),  # 4, 4, 4: of equals the earliest
        ((2, 2, 4, 4), (2, 4, 4)),  # of two stretches the slower
        ((0, 0, 3, 4, 5), (0, 3, 4)),  # infinite, 4, 4
        ((0, 0, 3, 0, 0), (0, 0, 3)),
    ],
)
def test_of_more_runs_the_median_stretch_is_scored(
    evaluations: tuple[int, ...], scored: tuple[int, ...]
) -> None:
    runs = of_more_runs(*evaluations)
    names = [run.path for run in scored_runs(runs, ROUND.training)]
    first = runs.index(next(run for run in runs if run.path == names[0]))
    assert evaluations[first : first + len(names)] == scored


def test_every_started_run_counts() -> None:
    """Two fast stretches of four do not help: of the middle two the slower is infinite."""
    assert score(Scenario.TRAIN, of_more_runs(2, 2, 2), ROUND) == pytest.approx(1.2)
    assert score(Scenario.TRAIN, of_more_runs(2, 2, 2, 0, 0, 0), ROUND) is None
    assert score(Scenario.TRAIN, of_more_runs(2, 2, 2, 5, 5), ROUND) == pytest.approx(1.2)
    assert score(Scenario.TRAIN, of_more_runs(2, 2, 2, 5, 5, 5), ROUND) == pytest.approx(3.0)


@given(st.lists(st.integers(0, 6), min_size=3, max_size=9))
def test_the_score_is_that_of_a_stretch_and_no_better_than_half_of_them(counts: list[int]) -> None:
    def infinite_if_none(value: float | None) -> float:
        return LOST if value is None else value

    runs = of_more_runs(*counts)
    stretches = [
        infinite_if_none(score(Scenario.TRAIN, runs[n : n + 3], ROUND))
        for n in range(len(runs) - 2)
    ]
    found = infinite_if_none(score(Scenario.TRAIN, runs, ROUND))
    assert found in stretches
    assert sum(one <= found for one in stretches) > len(stretches) / 2
    assert sum(one >= found for one in stretches) >= len(stretches) / 2


def test_stream_latency() -> None:
    log = new_log(64)
    log["query"] = range(64)
    log["scheduled"] = range(0, 64_000, 1000)
    log["issued"] = log["scheduled"] + 10
    log["completed"] = log["scheduled"] + range(101, 165)
    assert stream_latency(log, 0.9) == 164e-9
    assert stream_latency(log[:63], 0.9) is None


def test_multi_stream_counts_queries() -> None:
    """The slowest of 662 queries, by its last sample: 2.5 ms and 399 steps of 5 us."""
    run = inference_run(Scenario.MULTI_STREAM, Mode.PERFORMANCE)
    assert score(Scenario.MULTI_STREAM, [run], ROUND) == 4_495_000e-9
    short = replace(run, queries=(queries_of(run))[: 661 * 8])
    assert score(Scenario.MULTI_STREAM, [short], ROUND) is None


def test_server_scores_its_rate_if_the_bound_is_held() -> None:
    run = inference_run(Scenario.SERVER, Mode.PERFORMANCE)
    assert score(Scenario.SERVER, [run], ROUND) == RATE
    slow = queries_of(run).copy()
    slow["completed"][:2] = slow["issued"][:2] + 16 * MS
    assert score(Scenario.SERVER, [replace(run, queries=slow)], ROUND) is None


def test_interactive_scores_tokens() -> None:
    run = inference_run(Scenario.INTERACTIVE, Mode.PERFORMANCE)
    log = queries_of(run)
    tokens, seconds = int(log["tokens"].sum()), int(log["completed"].max()) / 1e9
    expected = (len(log) - 1) / seconds * tokens / len(log)
    assert score(Scenario.INTERACTIVE, [run], ROUND) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("column", "value"), [("tokens", 1), ("first_token", NEVER), ("first_token", 10**11)]
)
def test_a_sample_without_its_tokens_gives_no_score(column: str, value: int) -> None:
    run = inference_run(Scenario.INTERACTIVE, Mode.PERFORMANCE)
    queries_of(run)[column][7] = value
    assert score(Scenario.INTERACTIVE, [run], ROUND) is None


def test_an_open_loop_without_its_bound_gives_no_score() -> None:
    run = inference_run(Scenario.SERVER, Mode.PERFORMANCE)
    for settings in (None, ROUND.settings(Scenario.OFFLINE, CARD)):
        unbounded = replace(run, run=run.run.model_copy(update={"settings": settings}))
        assert score(Scenario.SERVER, [unbounded], ROUND) is None


def test_an_audit_does_not_score_but_performs() -> None:
    run = inference_run(Scenario.OFFLINE, Mode.AUDIT, Audit.OTHER_SEEDS)
    assert score(Scenario.OFFLINE, [run], ROUND) is None
    assert performance(Scenario.OFFLINE, run, ROUND) == 512.0


def test_offline_throughput() -> None:
    log = new_log(3)
    log["scheduled"] = 500_000_000
    log["completed"] = [600_000_000, 2_000_000_000, 700_000_000]
    assert offline_throughput(log) == 2.0


def test_accuracy_runs_do_not_score() -> None:
    run = inference_run(Scenario.OFFLINE, Mode.ACCURACY)
    assert score(Scenario.OFFLINE, [run], ROUND) is None


def test_two_performance_runs_give_no_score() -> None:
    run = inference_run(Scenario.OFFLINE, Mode.PERFORMANCE)
    assert score(Scenario.OFFLINE, [run], ROUND) == 512.0
    assert score(Scenario.OFFLINE, [run, run], ROUND) is None


@pytest.mark.parametrize(("column", "value"), [("error", RAISED), ("completed", NEVER)])
def test_a_failed_query_gives_no_score(column: str, value: int) -> None:
    run = inference_run(Scenario.SINGLE_STREAM, Mode.PERFORMANCE)
    assert run.queries is not None
    run.queries[column][7] = value
    assert score(Scenario.SINGLE_STREAM, [run], ROUND) is None


def test_the_example_is_within_the_cards_limit() -> None:
    assert (training_run(0, 5).run.samples or 0) < CARD.training.limit
