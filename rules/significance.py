"""Luck told from speed: intervals of times to train and of their ratios, exact tests.

Pure functions of the runs' numbers; `rules.repeatability` takes those from the logs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Of every interval; what is left of it is the error that a family of verdicts may make."""
LEAST_RUNS = 5
"""With fewer, no interval of a mean without its ends covers as it says (bench/coverage.py)."""
_DRAWS = 10_000

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Where a number lies, at `LEVEL`."""

    low: float
    high: float
    """Infinite where a run was lost: as many of the next runs may be lost that no score is left."""


@dataclass(frozen=True)
class Runs:
    """The runs of a training result in order of start, and how they are scored."""

    seconds: tuple[float, ...]
    """A run each, infinite for one that missed its target."""
    samples: tuple[float, ...]
    """Samples to converge, likewise."""
    drop: int
    """Runs that the mean leaves out at each end."""
    tolerated: int
    """Runs that may be lost."""
    reference: float | None = None
    """Mean samples of the reference, to which a faster result is scaled; none if to nothing."""
    stretch: int | None = None
    """Of how many consecutive runs a score is, the median stretch of all; none: of all runs."""

    @property
    def enough(self) -> bool:
        """Whether anything can be said of how the score would vary; no time may be nil."""
        many = len(self.seconds) >= max(LEAST_RUNS, 2 * self.drop + 1, self.stretch or 0)
        scored = 2 * self.drop < (self.stretch or len(self.seconds))
        return many and scored and min(self.seconds) > 0

    @property
    def lost(self) -> bool:
        """Whether a run missed its target."""
        return any(map(math.isinf, self.seconds))

    @property
    def score(self) -> float:
        """The score in seconds, infinite if there is none; of runs that are `enough`."""
        return float(self.scores(np.arange(len(self.seconds))[None])[0])

    def scores(self, picks: NDArray[np.intp]) -> NDArray[np.float64]:
        """The score of each row of ``picks``, indices of as many runs as there are.

        As `rules.scoring.scored_runs` and `rules.scoring.score` have it, a row at a time.
        """
        length = self.stretch or len(self.seconds)
        stretches = [picks[:, at : at + length] for at in range(picks.shape[1] - length + 1)]
        means = np.stack([self._olympic(self.seconds, one) for one in stretches], axis=1)
        median = np.sort(means, axis=1)[:, len(stretches) // 2]
        if self.reference is None:
            return median
        samples = np.stack([self._olympic(self.samples, one) for one in stretches], axis=1)
        taken = np.argmax(means == median[:, None], axis=1)
        converged = samples[np.arange(len(picks)), taken]
        # As `rules.convergence.Pace.factor`: a result that needed no samples is not scaled.
        factor = np.divide(self.reference, converged, out=np.ones_like(median), where=converged > 0)
        scaled: NDArray[np.float64] = median * np.maximum(factor, 1.0)
        return scaled

    def _olympic(self, values: tuple[float, ...], picks: NDArray[np.intp]) -> NDArray[np.float64]:
        """Mean without its ends of each row, infinite where more are lost than tolerated."""
        ordered = np.sort(np.array(values, float)[picks], axis=1)
        lost = np.isinf(ordered).sum(axis=1) > self.tolerated
        mean = ordered[:, self.drop : ordered.shape[1] - self.drop].mean(axis=1)
        return np.where(lost, math.inf, mean)


@lru_cache(maxsize=8)
def _picks(runs: int) -> NDArray[np.intp]:
    """Rows of ``runs`` indices drawn with replacement: everybody's runs are drawn alike."""
    return np.random.default_rng(runs).integers(0, runs, (_DRAWS, runs))


@lru_cache(maxsize=4096)
def interval(runs: Runs) -> Interval | None:
    """Where the score of as many further runs lies on average; none of too few, or no score.

    The bootstrap's percentiles, taken further out as few runs demand: at the normal distribution's
    value of t(n - 1) x sqrt(n / (n - 1)) (Hesterberg 2015, "expanded percentile"). Plain and
    bias-corrected percentiles of 5 runs hold the mean in 88 to 91 of 100 cases, these in 93 to 94.
    """
    from scipy.special import ndtr, stdtrit

    n = len(runs.seconds)
    if not runs.enough or math.isinf(runs.score):
        return None
    tail = float(ndtr(stdtrit(n - 1, (1 - LEVEL) / 2) * math.sqrt(n / (n - 1))))
    drawn = np.sort(runs.scores(_picks(n)))
    beyond = int(tail * _DRAWS)
    return Interval(float(drawn[beyond]), float(drawn[-1 - beyond]))


@lru_cache(maxsize=4096)
def _log_variance(runs: Runs) -> float:
    """Variance of the score's logarithm, by the bootstrap, whose n runs vary too little by 1/n."""
    drawn = runs.scores(_picks(n := len(runs.seconds)))
    return float(np.log(drawn[np.isfinite(drawn)]).var()) * n / (n - 1)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Where the mean of what ``values`` were drawn from lies, by Student's t; none of one value."""
    from scipy.special import stdtrit

    if len(values) < 2:
        return None
    mean, error = np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, (1 + LEVEL) / 2) * error)
    return Interval(float(mean) - half, float(mean) + half)


class Verdict(StrEnum):
    """What the runs of two results say."""

    A_FASTER = "A faster"
    B_FASTER = "B faster"
    CANNOT_TELL = "cannot tell"
    TOO_FEW = "too few runs"


@dataclass(frozen=True)
class Comparison:
    """Two times, A's over B's."""

    ratio: float
    interval: Interval
    p_ratio: float
    """Chance of a ratio so far from 1 between equals, two-sided."""
    p_ranks: float
    """The same of the runs' order, by the exact Mann-Whitney test, which assumes nothing."""


@dataclass(frozen=True)
class Estimate:
    """A time known from several runs: all that a comparison asks of one side."""

    value: float
    variance: float
    """Of the value's logarithm."""
    freedom: int
    """Degrees of freedom of the variance."""
    runs: tuple[float, ...]
    """A run each, infinite for one that was lost."""


def estimate_score(runs: Runs) -> Estimate | None:
    """The score of ``runs``; none of too few, or where there is no score."""
    if not runs.enough or math.isinf(runs.score):
        return None
    return Estimate(runs.score, _log_variance(runs), len(runs.seconds) - 1, runs.seconds)


def estimate_mean(times: Sequence[float]) -> Estimate | None:
    """The mean of positive ``times``, a run each; none of fewer than `LEAST_RUNS`."""
    n = len(times)
    if n < LEAST_RUNS or min(times) <= 0:
        return None
    variance = float(np.log(times).var(ddof=1)) / n
    return Estimate(float(np.mean(times)), variance, n - 1, tuple(times))


def compare(a: Runs, b: Runs) -> Comparison | None:
    """How the scores of ``a`` and ``b`` compare; none of too few runs, or where one has no score.

    The ratio is of further runs that have a score; a run that was lost is the slowest of the order.
    """
    return compare_estimates(estimate_score(a), estimate_score(b))


def compare_means(a: Sequence[float], b: Sequence[float]) -> Comparison | None:
    """How the means of positive times, a run each, compare; none of fewer than `LEAST_RUNS`."""
    return compare_estimates(estimate_mean(a), estimate_mean(b))


def compare_estimates(a: Estimate | None, b: Estimate | None) -> Comparison | None:
    """How two times compare; none where one is not known well enough.

    ``portal/static/significance.js`` does the same from here on, in a browser.
    """
    if a is None or b is None:
        return None
    ratio = a.value / b.value
    half, p = _student(ratio, [(one.variance, one.freedom) for one in (a, b)])
    return Comparison(ratio, Interval(ratio / half, ratio * half), p, mann_whitney(a.runs, b.runs))


def _student(ratio: float, errors: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """By what factor a ratio is uncertain, and its two-sided p.

    ``errors`` are variance and degrees of freedom of both logarithms.
    """
    from scipy.special import stdtrit

    variances = [np.array([variance]) for variance, _ in errors]
    freedoms = [np.array([float(freedom)]) for _, freedom in errors]
    spread, freedom = sum(one for one, _ in errors), float(_welch(variances, freedoms)[0])
    half = math.exp(float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(spread))
    return half, float(probabilities(np.array([ratio]), variances, freedoms)[0])


def probabilities(
    ratio: _Floats, variances: Sequence[_Floats], freedoms: Sequence[_Floats]
) -> _Floats:
    """Two-sided p of each ratio, from variances and degrees of freedom of both logarithms.

    That of the ratio is taken to follow Student's t, with Welch's degrees of freedom.
    """
    from scipy.special import stdtr

    spread = sum(variances[1:], start=variances[0])
    away = np.abs(np.log(ratio))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(_welch(variances, freedoms), -away / np.sqrt(spread))
    found: _Floats = np.where(spread > 0, p, (ratio == 1).astype(float))
    return found


def _welch(variances: Sequence[_Floats], freedoms: Sequence[_Floats]) -> _Floats:
    """Degrees of freedom of sums of variances; infinite where nothing varies."""
    spread = sum(variances[1:], start=variances[0])
    parts = [one**2 / freedom for one, freedom in zip(variances, freedoms, strict=True)]
    squares = sum(parts[1:], start=parts[0])
    return np.divide(spread**2, squares, out=np.full_like(spread, math.inf), where=squares > 0)


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> float:
    """Exact two-sided p of the order of ``a`` and ``b``: ties share their mean rank.

    The share of all ways to choose which values are ``a``'s whose sum of ranks lies as far from
    its mean or further. It is never less than 2 / C(n + m, n): 0.1 of 3 and 3, 2/252 of 5 and 5.
    """
    _, place, counts = np.unique([*a, *b], return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(counts) - counts + 1)[place]
    ways = _ways(tuple(sorted(map(int, doubled))), len(a))
    # Times the number of all values, so that nothing is rounded.
    centre, all_values = len(a) * int(doubled.sum()), len(doubled)
    away = np.abs(np.arange(len(ways)) * all_values - centre)
    found = abs(int(doubled[: len(a)].sum()) * all_values - centre)
    return float(ways[away >= found].sum() / ways.sum())


@lru_cache(maxsize=64)
def _ways(ranks: tuple[int, ...], chosen: int) -> NDArray[np.float64]:
    """In how many ways ``chosen`` of ``ranks`` have each sum; of many runs, to 16 digits."""
    ways = np.zeros((chosen + 1, sum(ranks[-chosen:]) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        for count in range(chosen, 0, -1):
            ways[count, rank:] += ways[count - 1, : ways.shape[1] - rank]
    sums: NDArray[np.float64] = ways[chosen]
    return sums


def holm(p: Sequence[float]) -> list[float]:
    """``p`` so raised that all that stay below a level are wrong together no more often than it.

    Holm's method: the least times the number of all, the next times one less, and so on.
    """
    raised, highest = [1.0] * len(p), 0.0
    for done, at in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        highest = max(highest, min(1.0, p[at] * (len(p) - done)))
        raised[at] = highest
    return raised


def verdicts(comparisons: Sequence[Comparison | None]) -> list[Verdict]:
    """What may be said of all ``comparisons`` together.

    One result is faster if Holm's method over all of them leaves p_ratio below 5 %, and p_ranks by
    itself is below 5 %. Ranks alone could never tell more than six pairs of 5 runs apart under
    Holm's method, however far apart they are.
    """
    raised = iter(holm([each.p_ratio for each in comparisons if each]))
    return [_verdict(each, next(raised)) if each else Verdict.TOO_FEW for each in comparisons]


def _verdict(comparison: Comparison, p_ratio: float) -> Verdict:
    if max(p_ratio, comparison.p_ranks) >= 1 - LEVEL:
        return Verdict.CANNOT_TELL
    return Verdict.A_FASTER if comparison.ratio < 1 else Verdict.B_FASTER
