"""What the charts draw of a query log: times of whole queries, in seconds, sorted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics import (
    issue_lateness,
    query_latencies,
    time_per_output_token,
    time_to_first_token,
)
from harness.queries import NEVER, OK, QueryLog

Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class QueryTimes:
    """Times of the queries that were answered whole."""

    latency: Seconds
    lateness: Seconds
    """From the schedule to the issue: what the generator itself adds."""
    first_token: Seconds
    per_token: Seconds
    """Empty where nothing is generated; else of samples with two tokens or more."""


def query_times(log: QueryLog) -> QueryTimes:
    """The times of ``log``'s queries; a query with a failed sample is left out."""
    failed = (log["error"] != OK) | (log["completed"] == NEVER)
    whole = log[~np.isin(log["query"], log["query"][failed])]
    whole = whole[np.argsort(whole["query"], kind="stable")]
    generated = whole[(whole["first_token"] != NEVER) & (whole["tokens"] > 1)]
    return QueryTimes(
        latency=_sorted(query_latencies(whole)),
        lateness=_sorted(issue_lateness(whole)),
        first_token=_sorted(time_to_first_token(generated)),
        per_token=_sorted(time_per_output_token(generated)),
    )


def _sorted(ns: NDArray[np.int64]) -> Seconds:
    return np.sort(ns) / 1e9


def quantile(seconds: Seconds, share: float) -> float:
    """Element ``int(n * share)`` of sorted ``seconds``, as LoadGen counts."""
    return float(seconds[int(len(seconds) * share)])
