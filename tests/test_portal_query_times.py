"""From a query log to the times that charts show."""

import numpy as np

from harness.queries import RAISED, new_log
from portal.query_times import query_times

MS = 1_000_000


def test_a_query_takes_as_long_as_its_last_sample_and_a_failed_one_is_left_out() -> None:
    log = new_log(6)
    log["query"] = [0, 0, 1, 1, 2, 2]
    log["scheduled"] = np.array([0, 0, 10, 10, 20, 20]) * MS
    log["issued"] = log["scheduled"] + 1000
    log["completed"] = np.array([3, 5, 12, 13, 29, 21]) * MS
    log["error"][3] = RAISED
    times = query_times(log)
    assert times.latency.tolist() == [0.005, 0.009]
    assert times.lateness.tolist() == [1e-6] * 4
    assert times.first_token.size == times.per_token.size == 0


def test_tokens_have_times_of_their_own() -> None:
    log = new_log(2)
    log["query"] = [0, 1]
    log["completed"] = [10 * MS, 12 * MS]
    log["first_token"] = 2 * MS
    log["tokens"] = [5, 1]
    times = query_times(log)
    assert times.first_token.tolist() == [0.002]
    assert times.per_token.tolist() == [0.002]


def test_an_empty_log_has_no_times() -> None:
    assert query_times(new_log(0)).latency.size == 0
