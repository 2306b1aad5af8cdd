"""Reference convergence points: after how many samples a result may converge, and by what its time
is scaled. MLPerf's arithmetic ("Reference Convergence Points"); a round's terms make it stricter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.card import ReferenceConvergencePoint
from rules.round import ConvergenceTerms

NEVER_CONVERGED = float("inf")
_TOLERANCE = 1e-4
"""How narrow MLPerf's bisection ends, in the unit of the points."""


@dataclass(frozen=True)
class Convergence:
    """When the reference converges at one batch size, in samples (some of MLPerf's: epochs)."""

    batch_size: int
    mean: float
    deviation: float
    """Standard deviation of one run."""
    runs: int
    """How many the mean is of."""


@dataclass(frozen=True)
class Match:
    """What a result is compared with."""

    how: Literal["equal", "between", "below"]
    """below: the batch size is smaller than that of any point, and the smallest point serves."""
    points: tuple[int, ...]
    """Batch sizes of the points that it comes from."""
    reference: Convergence


@dataclass(frozen=True)
class Pace:
    """How fast a result converged beside the reference."""

    match: Match
    result_mean: float

    @property
    def factor(self) -> float:
        """By what the result's time is multiplied, so that luck in converging does not pay.

        The reference's mean over the result's where the reference is slower, else 1. A result
        that needed no samples at all cannot be scaled; the limit refuses it.
        """
        if not self.result_mean:
            return 1.0
        return max(1.0, self.match.reference.mean / self.result_mean)


@dataclass(frozen=True)
class Verdict:
    """Whether a pace is allowed, with the numbers that say so."""

    pace: Pace
    least: float
    """The smallest mean that the t-test does not tell from the reference's."""
    limit: float
    """That, less the round's allowance."""

    @property
    def passed(self) -> bool:
        """Whether the result is not faster than allowed."""
        return self.pace.result_mean >= self.limit


def olympic(values: Iterable[float], drop: int) -> float | None:
    """The mean without the ``drop`` least and the ``drop`` greatest.

    None where nothing is left, or a run that never converged, which is infinite.
    """
    kept = _kept(values, drop)
    return float(np.mean(kept)) if kept else None


def _kept(values: Iterable[float], drop: int) -> list[float]:
    """What is left of ``values`` without its ends; nothing if that is not finite."""
    ordered = sorted(values)
    kept = ordered[drop : len(ordered) - drop]
    return kept if kept and kept[-1] < NEVER_CONVERGED else []


def summarise(
    batch_size: int, values: Sequence[float], terms: ConvergenceTerms, step: float = 0.0
) -> Convergence | None:
    """What reference runs at one batch size say; none if more of them were lost than are dropped.

    ``step`` is what passes between two evaluations. A run is known to have converged only up to
    it, so if all of them end at the same evaluation their deviation is not nil: a value that may
    lie anywhere in the step has the variance step^2 / 12, which is added where the terms ask.
    """
    kept = _kept(values, terms.drop)
    if not kept:
        return None
    variance = step**2 / 12 if terms.grid_variance else 0.0
    deviation = float(np.std(sorted(values) if terms.deviation == "all" else kept))
    return Convergence(
        batch_size=batch_size,
        mean=float(np.mean(kept)),
        deviation=float(np.hypot(deviation, variance**0.5)) if variance else deviation,
        runs=len(kept),
    )


def summarise_all(
    points: Iterable[ReferenceConvergencePoint], terms: ConvergenceTerms, every: int = 0
) -> list[Convergence]:
    """The points that serve, by batch size; ``every`` is the card's interval of evaluation."""
    found = (
        summarise(
            size := point.global_batch_size,
            [NEVER_CONVERGED if n is None else n for n in point.samples_to_converge],
            terms,
            -(-every // size) * size,
        )
        for point in points
    )
    return sorted((one for one in found if one), key=lambda one: one.batch_size)


def prune(points: Sequence[Convergence], pruning: Literal["walk", "hull"]) -> list[Convergence]:
    """``points``, by batch size, without those that are slower than their neighbours explain.

    Points of smaller batches than the fastest go first. Of the rest, ``hull`` leaves the lower
    convex hull; ``walk`` is MLPerf's single pass, which never looks back at a point that the
    removal of another has left above the line.
    """
    fastest = min(points, key=lambda point: point.mean, default=None)
    rest = [point for point in points if fastest and point.batch_size >= fastest.batch_size]
    return _hull(rest) if pruning == "hull" else _walk(rest)


def _hull(points: Sequence[Convergence]) -> list[Convergence]:
    kept: list[Convergence] = []
    for point in points:
        while len(kept) > 1 and _above(kept[-1], kept[-2], point):
            kept.pop()
        kept.append(point)
    return kept


def _walk(points: Sequence[Convergence]) -> list[Convergence]:
    kept, at = list(points), 1
    while at < len(kept) - 1:
        if _above(kept[at], kept[at - 1], kept[at + 1]):
            del kept[at]
        else:
            at += 1
    return kept


def _above(point: Convergence, left: Convergence, right: Convergence) -> bool:
    return point.mean > _between(point.batch_size, left, right, "mean")


def _between(
    batch_size: int, left: Convergence, right: Convergence, what: Literal["mean", "deviation"]
) -> float:
    """``what`` on the straight line from ``left`` to ``right``."""
    sizes = [left.batch_size, right.batch_size]
    return float(np.interp(batch_size, sizes, [getattr(left, what), getattr(right, what)]))


def match(batch_size: int, points: Sequence[Convergence], runs: int) -> Match | None:
    """What ``points``, pruned, say of a result of ``runs`` runs; none above the largest of them.

    Between two points mean and deviation are interpolated, and 2 x ``runs`` is taken for the
    number of runs, which is what MLPerf asks of a point.
    """
    left = [point for point in points if point.batch_size <= batch_size]
    right = [point for point in points if point.batch_size > batch_size]
    if left and left[-1].batch_size == batch_size:
        return Match("equal", (batch_size,), left[-1])
    if left and right:
        return _interpolated(batch_size, left[-1], right[0], 2 * runs)
    return Match("below", (right[0].batch_size,), right[0]) if right else None


def _interpolated(batch_size: int, left: Convergence, right: Convergence, runs: int) -> Match:
    reference = Convergence(
        batch_size=batch_size,
        mean=_between(batch_size, left, right, "mean"),
        deviation=_between(batch_size, left, right, "deviation"),
        runs=runs,
    )
    return Match("between", (left.batch_size, right.batch_size), reference)


def judge(
    pace: Pace, terms: ConvergenceTerms, runs: int, allowance_samples: float = 0.0
) -> Verdict:
    """Whether ``pace`` is allowed to the mean of ``runs`` runs, of which terms.drop were left out
    at each end; ``allowance_samples`` is what the round grants beyond the t-test.
    """
    mean = pace.match.reference.mean
    least = least_mean(pace.match.reference, runs - 2 * terms.drop, terms)
    lowered = least - allowance_samples
    # The quotient of a quotient is MLPerf's form, and decides equality in the last bit.
    limit = mean / (mean / lowered) if lowered > 0 else 0.0
    return Verdict(pace, least, limit)


def least_mean(reference: Convergence, runs: int, terms: ConvergenceTerms) -> float:
    """The least mean of ``runs`` runs that a t-test does not tell from the reference's.

    One-sided, two samples of equal variance, both with the reference's deviation s:
    mean - t(1 - significance; n + m - 2) x s x sqrt(1/n + 1/m).
    """
    from scipy.special import stdtrit

    mean, others = reference.mean, reference.runs
    if reference.deviation == 0:
        return mean
    quantile = float(stdtrit(runs + others - 2, 1 - terms.significance))
    least = mean - quantile * reference.deviation * (1 / runs + 1 / others) ** 0.5
    return _bisected(mean, least) if terms.limit == "bisection" else max(least, 0.0)


def _bisected(mean: float, least: float) -> float:
    """``least`` as MLPerf's bisection of [0, mean] finds it: the middle of its last interval."""
    low, high = 0.0, mean
    while high - low > _TOLERANCE:
        middle = (low + high) / 2
        low, high = (low, middle) if middle > least else (middle, high)
    return (low + high) / 2
