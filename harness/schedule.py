"""Arrival times of an open loop, all made before the start. Pure, no I/O."""

import math

import numpy as np
from numpy.typing import NDArray


def arrivals(seed: int, rate: float, count: int) -> NDArray[np.int64]:
    """The first ``count`` arrivals of a Poisson process of ``rate`` a second, in ns from the first.

    Gaps are exponential. A longer schedule begins with the shorter one of the same seed.
    """
    gaps = np.random.Generator(np.random.PCG64(seed)).standard_exponential(count)
    gaps *= 1e9 / rate
    gaps[:1] = 0.0
    return np.cumsum(gaps, out=gaps).astype(np.int64)


def schedule(seed: int, rate: float, min_duration_ns: int, min_count: int) -> NDArray[np.int64]:
    """The arrivals up to the first that is due at ``min_duration_ns`` or later, at least
    ``min_count`` of them."""
    expected = rate * min_duration_ns / 1e9
    count = max(min_count, math.ceil(expected + 8 * math.sqrt(expected) + 64))
    due = arrivals(seed, rate, count)
    while due[-1] < min_duration_ns:
        count *= 2
        due = arrivals(seed, rate, count)
    return due[: max(min_count, int(np.searchsorted(due, min_duration_ns)) + 1)]
