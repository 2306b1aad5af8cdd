"""harness/metrics.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.metrics import (
    early_stopping_estimate,
    issue_lateness,
    least_queries,
    percentile,
    query_latencies,
    server_valid,
    shown_within,
    throughput,
    time_per_output_token,
    time_to_first_token,
    token_throughput,
    under_needed,
)
from harness.queries import NEVER, QueryLog, new_log


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


@given(st.integers(0, 50), st.integers(0, 8000), st.sampled_from([0.9, 0.99]))
def test_shown_within_is_the_count_that_is_needed(over: int, queries: int, p: float) -> None:
    assert shown_within(over, queries, p) == (queries >= under_needed(over, p) + over)


def test_server_needs_enough_queries() -> None:
    assert not server_valid(np.full(458, 10), 10, 0.99)
    assert server_valid(np.full(459, 10), 10, 0.99)
    assert not server_valid(np.zeros(0, np.int64), 10, 0.99)


def test_server_weighs_those_beyond_the_bound() -> None:
    latencies = np.full(662, 10)
    latencies[7] = 11
    assert server_valid(latencies, 10, 0.99)
    latencies[9] = 11
    assert not server_valid(latencies, 10, 0.99)


def test_server_percentile_is_within_the_bound() -> None:
    """Ten in a hundred, of many: early stopping and the percentile agree that it is too slow."""
    latencies = np.arange(10_000) % 100
    assert server_valid(latencies, 99, 0.9)
    assert not server_valid(latencies, 89, 0.9)


def tokens_log() -> QueryLog:
    """Two samples: 5 tokens in 1,000 ns after the first, 2 tokens in 7 ns."""
    log = new_log(2)
    log["query"] = [0, 1]
    log["scheduled"] = [0, 100]
    log["issued"] = [3, 107]
    log["first_token"] = [50, 193]
    log["completed"] = [1_051, 200]
    log["tokens"] = [5, 2]
    return log


def test_token_times() -> None:
    assert time_to_first_token(tokens_log()).tolist() == [50, 93]
    assert time_per_output_token(tokens_log()).tolist() == [250, 7]


@pytest.mark.parametrize(("column", "value"), [("tokens", 1), ("first_token", NEVER)])
def test_no_time_per_token_without_two_tokens(column: str, value: int) -> None:
    log = tokens_log()
    log[column][1] = value
    with pytest.raises(ValueError, match=r"two tokens|first_token"):
        time_per_output_token(log)


def test_token_throughput() -> None:
    assert token_throughput(tokens_log()) == pytest.approx(1e9 / 1_051 * 3.5, rel=1e-15)
    with pytest.raises(ValueError, match="no time"):
        token_throughput(tokens_log()[:0])


def test_a_query_ends_with_its_last_sample() -> None:
    log = new_log(5)
    log["query"] = [0, 0, 1, 1, 2]
    log["scheduled"] = [0, 0, 10, 10, 30]
    log["completed"] = [7, 5, 20, 21, 31]
    assert query_latencies(log).tolist() == [7, 11, 1]
    assert query_latencies(log[:0]).tolist() == []
    log["completed"][1] = NEVER
    with pytest.raises(ValueError, match="completed"):
        query_latencies(log)


def test_issue_lateness() -> None:
    assert issue_lateness(tokens_log()).tolist() == [3, 7]
