"""Whether somebody else's runs say the same as the original's: ratios, intervals and a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from harness.records import Mode, Scenario
from rules.repeatability import seconds_per_sample
from rules.round import Round
from rules.scoring import performance, samples_to_converge
from rules.significance import LEVEL, Interval, mann_whitney
from rules.submission import RunEvidence

_MOST_RANKED = 100
_WIDEST = 100.0


class Replicated(StrEnum):
    """What a replication says."""

    EQUAL = "equal"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Likeness:
    """One quantity of the replica over the original's."""

    what: str
    ratio: float | None
    """Of geometric means; none where a run has no value."""
    interval: Interval | None
    """Where the ratio lies, at `LEVEL`; none of too few runs to know their spread."""
    p_ranks: float | None
    """Exact Mann-Whitney of the runs' order; none unless both have two runs or more."""
    verdict: Replicated
    needed: int | None = None
    """About how many runs of each would tell, if their spread stays; none where these do."""


def compare_replica(
    what: str,
    original: Sequence[float],
    replica: Sequence[float],
    tolerance: float,
    grid: float = 0.0,
) -> Likeness:
    """Compare positive values, a run each; infinite is a run that was lost.

    The interval is Student's, of logarithms with one deviation for both: the original may then
    have one run only, and be one more draw. ``grid`` is the step in which values come: a value
    known only up to it varies by step^2 / 12 more than is seen. Equal: the interval lies within
    1 - ``tolerance`` to 1 + ``tolerance``; different: wholly outside, or, where runs were lost,
    the ranks alone tell; else nothing can be told.
    """
    p = _ranks(original, replica)
    if not original or not replica or not all(0 < v < math.inf for v in (*original, *replica)):
        lost = any(math.isinf(value) for value in (*original, *replica))
        told = lost and p is not None and p < 1 - LEVEL
        verdict = Replicated.DIFFERENT if told else Replicated.CANNOT_TELL
        return Likeness(what, None, None, p, verdict)
    logs = [np.log(np.array(values, float)) for values in (original, replica)]
    ratio = math.exp(float(logs[1].mean() - logs[0].mean()))
    deviation = _deviation(original, replica, grid)
    if deviation is None:
        return Likeness(what, ratio, None, p, Replicated.CANNOT_TELL)
    half = _factor(deviation, len(original), len(replica))
    found = Interval(ratio / half, ratio * half)
    verdict = judge(found, tolerance)
    needed = _needed(ratio, deviation, tolerance) if verdict is Replicated.CANNOT_TELL else None
    return Likeness(what, ratio, found, p, verdict, needed)


def _ranks(original: Sequence[float], replica: Sequence[float]) -> float | None:
    """Of very many runs the exact test would take too long."""
    runs = sorted((len(original), len(replica)))
    return mann_whitney(replica, original) if runs[0] > 1 and runs[1] <= _MOST_RANKED else None


def judge(interval: Interval, tolerance: float) -> Replicated:
    """The verdict of a ratio's ``interval``."""
    if 1 - tolerance <= interval.low and interval.high <= 1 + tolerance:
        return Replicated.EQUAL
    if interval.high < 1 - tolerance or interval.low > 1 + tolerance:
        return Replicated.DIFFERENT
    return Replicated.CANNOT_TELL


def _deviation(original: Sequence[float], replica: Sequence[float], grid: float) -> float | None:
    """Of one run's logarithm, pooled; none where no spread can be seen."""
    freedom = len(original) + len(replica) - 2
    if not freedom:
        return None
    groups = [np.log(np.array(values, float)) for values in (original, replica)]
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    step = grid / float(np.mean([*original, *replica]))
    return math.sqrt(squares / freedom + step**2 / 12)


def _factor(deviation: float, n: int, m: int) -> float:
    """By what a ratio is uncertain; bounded, since a log may hold any number."""
    from scipy.special import stdtrit

    error = deviation * math.sqrt(1 / n + 1 / m)
    return math.exp(min(float(stdtrit(n + m - 2, (1 + LEVEL) / 2)) * error, _WIDEST))


def _needed(ratio: float, deviation: float, tolerance: float) -> int | None:
    """Runs of each whose interval would lie on one side of a limit; none if it is too close."""
    for runs in range(2, 1000):
        half = _factor(deviation, runs, runs)
        if judge(Interval(ratio / half, ratio * half), tolerance) is not Replicated.CANNOT_TELL:
            return runs
    return None


def compare_training(
    original: Sequence[RunEvidence],
    replica: Sequence[RunEvidence],
    terms: Round,
    step: float,
) -> tuple[Likeness, Likeness]:
    """Samples to converge, and seconds per sample, of all training runs.

    ``step`` is what passes between two evaluations, in samples. Machines differ in speed, so only
    the first says anything of another machine; the second does of the same.
    """
    samples = [_samples(runs) for runs in (original, replica)]
    speeds = [seconds_per_sample(runs) for runs in (original, replica)]
    tolerance = terms.replication_tolerance
    return (
        compare_replica("samples to converge", samples[0], samples[1], tolerance, step),
        compare_replica("seconds per sample", speeds[0], speeds[1], tolerance),
    )


def _samples(runs: Sequence[RunEvidence]) -> list[float]:
    return [samples_to_converge(run) for run in runs if run.run.mode == Mode.TRAINING]


def compare_inference(
    scenario: Scenario,
    original: Sequence[RunEvidence],
    replica: Sequence[RunEvidence],
    terms: Round,
) -> Likeness:
    """The score of the performance runs; in server, whose score is the rate asked for, its bounds.

    An original that has no score itself cannot be told from anything.
    """
    tolerance, what = terms.replication_tolerance, "score of a run"
    first, second = (
        [performance(scenario, run, terms) for run in _performance_runs(runs)]
        for runs in (original, replica)
    )
    if not first or not second or None in first:
        return Likeness(what, None, None, None, Replicated.CANNOT_TELL)
    if scenario == Scenario.SERVER or None in second:
        return _held(second)
    values = [[value for value in values if value is not None] for values in (first, second)]
    return compare_replica(what, values[0], values[1], tolerance)


def _performance_runs(runs: Sequence[RunEvidence]) -> list[RunEvidence]:
    return [run for run in runs if run.run.mode == Mode.PERFORMANCE]


def _held(scores: Sequence[float | None]) -> Likeness:
    """Whether runs are valid at the original's rate: all, none, or some."""
    valid = sum(score is not None for score in scores)
    verdict = Replicated.CANNOT_TELL
    if valid in (0, len(scores)):
        verdict = Replicated.EQUAL if valid else Replicated.DIFFERENT
    return Likeness("share of valid runs", valid / len(scores), None, None, verdict)
