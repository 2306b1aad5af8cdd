import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.records import InferenceSettings, Scenario
from harness.scenarios import accuracy_plan, performance_plan, sample_order

SETTINGS = InferenceSettings(min_duration_ns=1_000_000_000, min_query_count=64)


def test_single_stream_needs_count_and_duration() -> None:
    plan = performance_plan(Scenario.SINGLE_STREAM, SETTINGS, rate=1)
    assert plan.next_query(63, 2_000_000_000) == 1
    assert plan.next_query(64, 999_999_999) == 1
    assert plan.next_query(64, 1_000_000_000) == 0


def test_offline_is_one_query_sized_by_the_warm_up() -> None:
    plan = performance_plan(Scenario.OFFLINE, SETTINGS, rate=1000)
    assert plan.next_query(0, 0) == 1300
    assert plan.next_query(1, 0) == 0
    assert performance_plan(Scenario.OFFLINE, SETTINGS, rate=1).next_query(0, 0) == 64


def test_accuracy_issues_every_sample_once() -> None:
    single, offline = (
        accuracy_plan(s, SETTINGS, 5) for s in (Scenario.SINGLE_STREAM, Scenario.OFFLINE)
    )
    assert [single.next_query(i, 0) for i in range(7)] == [1, 1, 1, 1, 1, 0, -1]
    assert [offline.next_query(i, 0) for i in range(2)] == [5, 0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 200_000), st.integers(1, 200_000))
def test_a_longer_order_begins_with_the_shorter(seed: int, a: int, b: int) -> None:
    short, long = sorted((a, b))
    assert (sample_order(seed, long, 360)[:short] == sample_order(seed, short, 360)).all()


def test_order_is_uniform_and_follows_the_seed() -> None:
    order = sample_order(1, 100_000, 10)
    assert np.abs(np.bincount(order, minlength=10) - 10_000).max() < 500
    assert (order != sample_order(2, 100_000, 10)).any()
