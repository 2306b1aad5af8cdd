import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.schedule import arrivals, schedule


def test_gaps_are_exponential_of_the_rate() -> None:
    due = arrivals(1, 1000.0, 200_000)
    gaps = np.diff(due) / 1e6
    assert due[0] == 0
    assert abs(gaps.mean() - 1) < 0.01
    assert abs(gaps.std() - 1) < 0.02
    assert (gaps >= 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 500))
def test_a_longer_schedule_begins_with_the_shorter(seed: int, a: int, b: int) -> None:
    short, long = sorted((a, b))
    assert (arrivals(seed, 7.0, long)[:short] == arrivals(seed, 7.0, short)).all()


@given(st.floats(0.1, 5000), st.integers(0, 3_000_000_000), st.integers(1, 2000))
def test_it_ends_with_the_first_arrival_after_the_duration(
    rate: float, duration_ns: int, count: int
) -> None:
    due = schedule(3, rate, duration_ns, count)
    assert len(due) >= count
    assert due[-1] >= duration_ns
    assert len(due) == count or due[-2] < duration_ns
