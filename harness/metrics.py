"""Pure functions from measured times to published numbers: percentiles, early stopping, rates."""

import bisect

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
"""Of the early-stopping estimate: that the true percentile lies no higher (LoadGen's value)."""


def percentile(latencies: NDArray[np.int64], p: float) -> int:
    """The empirical percentile: element ``int(n * p)`` of the sorted latencies, as in LoadGen."""
    if not len(latencies):
        raise ValueError("a percentile of no latencies")
    at = int(len(latencies) * p)
    return int(np.partition(latencies, at)[at])


def under_needed(over: int, p: float) -> int:
    """Least number of queries within a bound that outweigh ``over`` queries beyond it.

    The least h with ``P(X <= over) <= 1 - CONFIDENCE`` for X ~ Binomial(h + over, 1 - p), which
    LoadGen evaluates as the regularised incomplete beta function ``I_p(h, over + 1)``.
    """
    most = 1
    while not _outweighed(over, most + over, p):
        most *= 2
    return bisect.bisect_left(range(most), True, key=lambda h: _outweighed(over, h + over, p))


def least_queries(p: float) -> int:
    """Queries without which early stopping gives no estimate: 64 for p = 0.9, 662 for 0.99."""
    return under_needed(1, p) + 1


def early_stopping_estimate(latencies: NDArray[np.int64], p: float) -> int | None:
    """LoadGen's latency percentile for single_stream: one not exceeded at `CONFIDENCE`.

    With t the largest number of queries that may lie over a bound among these n, the t-th
    highest latency; none if there are fewer than `least_queries`.
    """
    n = len(latencies)
    allowed = bisect.bisect_left(range(n), True, key=lambda t: not _outweighed(t, n, p)) - 1
    if allowed < 1:
        return None
    return int(np.partition(latencies, n - allowed)[n - allowed])


def throughput(samples: int, duration_ns: int) -> float:
    """Samples per second."""
    return samples * 1e9 / duration_ns


def _outweighed(over: int, n: int, p: float) -> bool:
    """Whether n queries, ``over`` of them beyond a bound, show that the percentile is within."""
    from scipy.special import betainc

    return n > over and bool(betainc(n - over, over + 1, p) <= 1 - CONFIDENCE)
