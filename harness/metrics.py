"""Pure functions from measured times to published numbers: percentiles, early stopping, rates."""

import bisect

import numpy as np
from numpy.typing import NDArray

from harness.queries import NEVER, QueryLog

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


def server_valid(latencies: NDArray[np.int64], bound_ns: int, p: float) -> bool:
    """Whether an open loop's percentile ``p`` lies within the bound, and enough queries show it.

    LoadGen's two conditions: the empirical percentile is at most ``bound_ns``, and early stopping
    is satisfied (`shown_within`).
    """
    over = int(np.count_nonzero(latencies > bound_ns))
    return shown_within(over, len(latencies), p) and percentile(latencies, p) <= bound_ns


def shown_within(over: int, queries: int, p: float) -> bool:
    """Early stopping: whether ``queries``, ``over`` of them beyond a bound, are enough.

    ``queries >= under_needed(over, p) + over``, without the search for that number.
    """
    return _outweighed(over, queries, p)


def query_latencies(log: QueryLog) -> NDArray[np.int64]:
    """Nanoseconds from a query's schedule to the last completion of its samples, a query each.

    The rows of a query stand together. `ValueError` if a sample was never answered.
    """
    _answered(log, "completed")
    if not len(log):
        return np.zeros(0, np.int64)
    first = np.flatnonzero(np.diff(log["query"], prepend=log["query"][0] ^ 1))
    latencies: NDArray[np.int64] = (
        np.maximum.reduceat(log["completed"], first) - log["scheduled"][first]
    )
    return latencies


def time_to_first_token(log: QueryLog) -> NDArray[np.int64]:
    """TTFT: nanoseconds from the schedule to the first token, a sample each.

    `ValueError` if a sample has no first token.
    """
    _answered(log, "first_token")
    times: NDArray[np.int64] = log["first_token"] - log["scheduled"]
    return times


def time_per_output_token(log: QueryLog) -> NDArray[np.int64]:
    """TPOT: whole nanoseconds a token after the first, a sample each, as LoadGen divides.

    `ValueError` if a sample has no first token, or fewer than two tokens.
    """
    _answered(log, "first_token")
    _answered(log, "completed")
    if (log["tokens"] < 2).any():
        raise ValueError("a time per token of fewer than two tokens")
    after_first = log["tokens"].astype(np.int64) - 1
    times: NDArray[np.int64] = (log["completed"] - log["first_token"]) // after_first
    return times


def issue_lateness(log: QueryLog) -> NDArray[np.int64]:
    """Nanoseconds from the schedule to the issue, a row each: how far the generator slipped."""
    lateness: NDArray[np.int64] = log["issued"] - log["scheduled"]
    return lateness


def throughput(samples: int, duration_ns: int) -> float:
    """Samples per second."""
    return samples * 1e9 / duration_ns


def token_throughput(log: QueryLog) -> float:
    """Tokens per second of an open loop: completed samples per second times mean tokens a sample.

    n samples in an open loop have n - 1 gaps, so LoadGen counts n - 1 samples. The time ends with
    the last completion of all. `ValueError` if a sample was never answered or no time passed.
    """
    _answered(log, "completed")
    if not len(log) or (duration_ns := int(log["completed"].max() - log["scheduled"].min())) <= 0:
        raise ValueError("tokens per second of no time")
    return throughput(len(log) - 1, duration_ns) * (int(log["tokens"].sum()) / len(log))


def _answered(log: QueryLog, column: str) -> None:
    if (log[column] == NEVER).any():
        raise ValueError(f"a sample has no time in {column}")


def _outweighed(over: int, n: int, p: float) -> bool:
    """Whether n queries, ``over`` of them beyond a bound, show that the percentile is within."""
    from scipy.special import betainc

    return n > over and bool(betainc(n - over, over + 1, p) <= 1 - CONFIDENCE)
