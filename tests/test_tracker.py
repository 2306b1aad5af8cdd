import numpy as np
import pytest

from harness.clock import SimulatedClock
from harness.tracker import Tracker


def tracker() -> tuple[Tracker, SimulatedClock]:
    clock = SimulatedClock()
    return Tracker(clock, keep_answers=True), clock


def test_parts_are_closed_at_their_own_time() -> None:
    books, clock = tracker()
    query = books.issue(np.array([7, 8, 9]))
    clock.advance(5)
    query.complete(["b", "c"], 1)
    clock.advance(5)
    query.complete(["a"])
    books.wait()
    assert books.log["completed"].tolist() == [10, 5, 5]
    assert books.log["sample"].tolist() == [7, 8, 9]
    assert books.answers == {0: "a", 1: "b", 2: "c"}


def test_a_second_completion_is_refused() -> None:
    books, _ = tracker()
    query = books.issue(np.array([1]))
    query.complete(["a"])
    with pytest.raises(ValueError, match="completed before"):
        query.complete(["a"])


@pytest.mark.parametrize(("start", "answers"), [(0, 0), (-1, 1), (1, 2), (0, 3)])
def test_parts_outside_the_query_are_refused(start: int, answers: int) -> None:
    books, _ = tracker()
    query = books.issue(np.array([1, 2]))
    with pytest.raises(ValueError, match="of a query of 2"):
        query.complete(["x"] * answers, start)


def test_only_what_is_open_fails() -> None:
    books, _ = tracker()
    query = books.issue(np.array([1, 2]))
    query.complete(["a"])
    books.fail_open(query, "gone")
    assert books.log["error"].tolist() == [0, 1]
    assert books.failures == [(1, "gone")]


def test_it_grows_without_losing_rows() -> None:
    books, _ = tracker()
    for sample in range(3):
        books.issue(np.full(3000, sample)).complete([0] * 3000)
    assert np.bincount(books.log["sample"]).tolist() == [3000] * 3
    assert np.bincount(books.log["query"]).tolist() == [3000] * 3
