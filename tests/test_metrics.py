"""harness/metrics.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.metrics import (
    early_stopping_estimate,
    least_queries,
    percentile,
    throughput,
    under_needed,
)


def test_percentile_is_an_element() -> None:
    latencies = np.array([50, 10, 40, 20, 30, 60, 70, 80, 90, 100])
    assert percentile(latencies, 0.9) == 100
    assert percentile(latencies, 0.5) == 60


def test_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no latencies"):
        percentile(np.array([], dtype=np.int64), 0.9)


@pytest.mark.parametrize(("p", "queries"), [(0.9, 64), (0.99, 662)])
def test_least_queries_are_loadgens(p: float, queries: int) -> None:
    assert least_queries(p) == queries


@given(st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.99]))
def test_under_needed_is_the_least(over: int, p: float) -> None:
    h = under_needed(over, p)
    assert binom.cdf(over, h + over, 1 - p) <= 0.01 < binom.cdf(over, h - 1 + over, 1 - p)


def test_too_few_queries_give_no_estimate() -> None:
    assert early_stopping_estimate(np.arange(63), 0.9) is None
    assert early_stopping_estimate(np.arange(0), 0.9) is None
    assert early_stopping_estimate(np.arange(64), 0.9) == 63


@given(st.integers(64, 20_000))
def test_the_estimate_allows_as_many_over_as_the_count_outweighs(n: int) -> None:
    estimate = early_stopping_estimate(np.arange(n)[::-1].copy(), 0.9)
    assert estimate is not None
    over = n - estimate
    assert under_needed(over, 0.9) + over <= n < under_needed(over + 1, 0.9) + over + 1


@given(st.lists(st.integers(0, 10**12), min_size=64, max_size=300))
def test_the_estimate_is_no_less_than_the_percentile(latencies: list[int]) -> None:
    array = np.array(latencies)
    estimate = early_stopping_estimate(array, 0.9)
    assert estimate in latencies
    assert estimate >= percentile(array, 0.9)


def test_throughput() -> None:
    assert throughput(2048, 4_000_000_000) == 512.0
