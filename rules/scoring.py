"""The published number of a result, computed from the runs' own logs."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.events import EventLog
from harness.metrics import early_stopping_estimate, throughput
from harness.queries import NEVER, OK, QueryLog
from harness.records import Mode, RunStatus, Scenario
from rules.round import Round
from rules.submission import RunEvidence

NEVER_CONVERGED = math.inf


def score(scenario: Scenario, runs: Sequence[RunEvidence], terms: Round) -> float | None:
    """The score of ``runs`` in SI units (`harness.records.UNIT_OF`); none if they give none."""
    if scenario == Scenario.TRAIN:
        times = [time_to_train(run) for run in runs if run.run.mode == Mode.TRAINING]
        return olympic_mean(
            times, terms.training.drop, tolerated=terms.training.tolerated_non_converging
        )
    logs = [run.queries for run in runs if run.run.mode == Mode.PERFORMANCE]
    if len(logs) != 1 or logs[0] is None or not _sound(logs[0]):
        return None
    if scenario == Scenario.OFFLINE:
        return offline_throughput(logs[0])
    return single_stream_latency(logs[0], terms.terms(scenario).percentile)


def olympic_mean(times: Sequence[float], drop: int, *, tolerated: int) -> float | None:
    """The mean without the ``drop`` fastest and the ``drop`` slowest.

    A run that never converged is infinite and so counts as the slowest; more than ``tolerated``
    of them, or too few runs, give none (MLPerf training rules, "Olympic mean").
    """
    kept = sorted(times)[drop : len(times) - drop]
    lost = sum(math.isinf(time) for time in times)
    if lost > tolerated or not kept or math.isinf(kept[-1]):
        return None
    return sum(kept) / len(kept)


def time_to_train(evidence: RunEvidence) -> float:
    """Seconds from run_start to run_stop; infinite for a run that missed its target."""
    duration_ms = timed_window_ms(evidence.log)
    if evidence.run.status != RunStatus.COMPLETE or duration_ms is None:
        return NEVER_CONVERGED
    return (duration_ms[1] - duration_ms[0]) / 1000


def timed_window_ms(log: EventLog) -> tuple[int, int] | None:
    """Wall times of the first run_start and the last run_stop, the longest reading of a log."""
    start, stop = log.first("run_start"), log.last("run_stop")
    return None if start is None or stop is None else (start.time_ms, stop.time_ms)


def single_stream_latency(log: QueryLog, percentile: float) -> float | None:
    """Early-stopping estimate of the latency percentile in seconds; none with too few queries."""
    estimate_ns = early_stopping_estimate(latencies_ns(log), percentile)
    return None if estimate_ns is None else estimate_ns / 1e9


def offline_throughput(log: QueryLog) -> float:
    """Samples per second from the first scheduled to the last completed."""
    return throughput(len(log), duration_ns(log))


def latencies_ns(log: QueryLog) -> NDArray[np.int64]:
    """Completion minus schedule, a row each."""
    latencies: NDArray[np.int64] = log["completed"] - log["scheduled"]
    return latencies


def duration_ns(log: QueryLog) -> int:
    """First scheduled to last completed."""
    return int(log["completed"].max() - log["scheduled"].min())


def _sound(log: QueryLog) -> bool:
    """Whether every row was answered, and some time has passed."""
    answered = (log["completed"] != NEVER).all() and (log["error"] == OK).all()
    return bool(len(log) and answered and duration_ns(log) > 0)
