"""The published number of a result, computed from the runs' own logs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.card import ReferenceConvergencePoint
from harness.events import EventLog
from harness.metrics import (
    early_stopping_estimate,
    query_latencies,
    server_valid,
    throughput,
    time_per_output_token,
    time_to_first_token,
    token_throughput,
)
from harness.queries import NEVER, OK, QueryLog
from harness.records import Division, InferenceSettings, Mode, RunStatus, Scenario
from rules.convergence import NEVER_CONVERGED, Match, Pace, match, olympic, prune, summarise_all
from rules.round import Round, TrainingTerms
from rules.submission import RunEvidence


def score(
    scenario: Scenario,
    runs: Sequence[RunEvidence],
    terms: Round,
    points: Sequence[ReferenceConvergencePoint] = (),
) -> float | None:
    """The score of ``runs`` in SI units (`harness.records.UNIT_OF`); none if they give none.

    A training's are `scored_runs`; where they converged faster than the reference's ``points``,
    they are scaled to the points' mean.
    """
    if scenario == Scenario.TRAIN:
        mean = _olympic_time(scored_runs(runs, terms.training), terms.training)
        pace = pace_of(runs, terms, points)
        return mean * pace.factor if mean is not None and pace else mean
    measured = [run for run in runs if run.run.mode == Mode.PERFORMANCE]
    return performance(scenario, measured[0], terms) if len(measured) == 1 else None


def performance(scenario: Scenario, evidence: RunEvidence, terms: Round) -> float | None:
    """What one performance or audit run gives by itself; none if it is not valid."""
    log, settings = evidence.queries, evidence.run.settings
    if log is None or not _sound(log):
        return None
    if scenario == Scenario.OFFLINE:
        return offline_throughput(log)
    share = terms.terms(scenario).percentile
    if not scenario.open_loop:
        return stream_latency(log, share)
    bounded = bounded_times(scenario, log, settings) if settings else None
    if settings is None or not bounded:
        return None
    if not all(server_valid(one.times_ns, one.bound_ns, share) for one in bounded):
        return None
    return settings.target_rate if scenario == Scenario.SERVER else token_throughput(log)


def scored_runs(runs: Sequence[RunEvidence], terms: TrainingTerms) -> tuple[RunEvidence, ...]:
    """The training runs, in order of start, that a score is of: all, or a window of them.

    Of more runs than the round asks for, every stretch of that many consecutive ones has an
    Olympic mean, infinite where too many of its runs were lost. The stretch with the median of
    these means is taken; of an even number, with the slower of the middle two; of equals, the
    earliest (MLPerf training rules, "M > N").
    """
    trained = tuple(run for run in runs if run.run.mode == Mode.TRAINING)
    windows = [
        trained[first : first + terms.runs] for first in range(len(trained) - terms.runs + 1)
    ]
    if len(windows) < 2:
        return trained
    found = (_olympic_time(window, terms) for window in windows)
    means = [NEVER_CONVERGED if mean is None else mean for mean in found]
    return windows[means.index(sorted(means)[len(means) // 2])]


def _olympic_time(runs: Sequence[RunEvidence], terms: TrainingTerms) -> float | None:
    times = [time_to_train(run) for run in runs]
    return olympic_mean(times, terms.drop, tolerated=terms.tolerated_non_converging)


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


def pace_of(
    runs: Sequence[RunEvidence],
    terms: Round,
    points: Sequence[ReferenceConvergencePoint],
    every: int = 0,
) -> Pace | None:
    """How fast the `scored_runs` of the closed division converged beside the reference.

    Their time is what is scaled, so their luck, and not that of the others, is taken out of it.
    ``every`` is the card's interval of evaluation, which only the reference's deviation depends
    on. None in the open division, and where no point serves or the runs have no mean.
    """
    scored = scored_runs(runs, terms.training)
    mean = olympic(map(samples_to_converge, scored), terms.training.drop)
    found = reference_of(runs, terms, points, every)
    return Pace(found, mean) if found and mean is not None else None


def reference_of(
    runs: Sequence[RunEvidence],
    terms: Round,
    points: Sequence[ReferenceConvergencePoint],
    every: int = 0,
) -> Match | None:
    """What the reference's ``points`` say at the batch size that all training runs share.

    None in the open division, where no point serves, and where the runs share no batch size.
    """
    trained = [run for run in runs if run.run.mode == Mode.TRAINING]
    size = shared_batch_size(trained)
    if size is None or any(run.run.division != Division.CLOSED for run in trained):
        return None
    usable = prune(summarise_all(points, terms.convergence, every), terms.convergence.pruning)
    return match(size, usable, terms.training.runs)


def samples_to_converge(evidence: RunEvidence) -> float:
    """Samples at the last evaluation in the log; infinite for a run that missed its target."""
    last = evidence.log.last("eval_accuracy")
    if evidence.run.status != RunStatus.COMPLETE or last is None or last.samples_count is None:
        return NEVER_CONVERGED
    return last.samples_count


def shared_batch_size(runs: Sequence[RunEvidence]) -> int | None:
    """The one global batch size that the logs of ``runs`` give; none if not just one.

    A run that failed, which is lost anyhow, need not have come so far as to log it.
    """
    said = [(run.run.status, run.log.all("global_batch_size")) for run in runs]
    found = [events for status, events in said if events or status != RunStatus.FAILED]
    sizes = {event.value if type(event.value) is int else 0 for log in found for event in log}
    size = sizes.pop() if len(sizes) == 1 and all(found) else 0
    return size if 0 < size < 2**53 else None


def timed_window_ms(log: EventLog) -> tuple[int, int] | None:
    """Wall times of the first run_start and the last run_stop, the longest reading of a log."""
    start, stop = log.first("run_start"), log.last("run_stop")
    return None if start is None or stop is None else (start.time_ms, stop.time_ms)


@dataclass(frozen=True)
class Bounded:
    """Times of an open loop's queries, and the bound for their percentile."""

    what: str
    times_ns: NDArray[np.int64]
    bound_ns: int


def bounded_times(
    scenario: Scenario, log: QueryLog, settings: InferenceSettings
) -> list[Bounded] | None:
    """What a bound is on: latency in server, TTFT and TPOT in interactive; every row answered.

    None where a bound is not set, or a sample lacks the tokens that it is on.
    """
    if scenario == Scenario.SERVER:
        bound = settings.latency_bound_ns
        return None if bound is None else [Bounded("latency", latencies_ns(log), bound)]
    ttft, tpot = settings.ttft_bound_ns, settings.tpot_bound_ns
    if ttft is None or tpot is None or not generated(log).all():
        return None
    return [
        Bounded("time to first token", time_to_first_token(log), ttft),
        Bounded("time per output token", time_per_output_token(log), tpot),
    ]


def generated(log: QueryLog) -> NDArray[np.bool_]:
    """Which rows have at least two tokens, the first of them while the query was open."""
    first = log["first_token"]
    inside = (first >= log["issued"]) & (first <= log["completed"])
    counted: NDArray[np.bool_] = (log["tokens"] >= 2) & inside & (first != NEVER)
    return counted


def stream_latency(log: QueryLog, percentile: float) -> float | None:
    """Early-stopping estimate of the percentile of query latency in seconds, as LoadGen gives it.

    None with too few queries.
    """
    estimate_ns = early_stopping_estimate(query_latencies(log), percentile)
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
