import numpy as np
import pytest

from harness.clock import SimulatedClock
from harness.queries import DOUBLED, LOST, OK, RAISED
from harness.tracker import Tracker


def tracker() -> tuple[Tracker, SimulatedClock]:
    clock = SimulatedClock()
    return Tracker(clock, rows=4, keep=lambda _: True), clock


def test_parts_are_closed_at_their_own_time() -> None:
    books, clock = tracker()
    queries = books.enter(np.array([7, 8, 9]))
    clock.advance(5)
    queries.complete(["b", "c"], 1)
    clock.advance(5)
    queries.complete(["a"])
    assert books.wait(1)
    books.settle_closed(np.array([7, 8, 9]))
    assert books.log["completed"].tolist() == [10, 5, 5]
    assert books.log["sample"].tolist() == [7, 8, 9]
    assert books.answers == {0: "a", 1: "b", 2: "c"}


def test_a_second_completion_is_refused_and_counts_against_the_query() -> None:
    books, _ = tracker()
    queries = books.enter(np.array([1]))
    queries.complete(["a"])
    with pytest.raises(ValueError, match="query 0: was completed before"):
        queries.complete(["a"])
    assert books.log["error"].tolist() == [DOUBLED]
    assert books.failures == [(0, "query 0 was completed more than once")]


def test_what_is_open_at_the_end_is_lost_and_a_late_answer_is_refused() -> None:
    books, _ = tracker()
    queries = books.enter(np.array([1, 2]))
    queries.complete(["a"])
    books.close()
    assert books.log["error"].tolist() == [OK, LOST]
    assert not queries.wanted
    with pytest.raises(ValueError, match="query 0: the answer came after the run had ended"):
        queries.complete(["b"], 1)
    assert books.log["completed"].tolist() == [0, -1]


def test_waiting_ends_when_nothing_is_answered() -> None:
    books, _ = tracker()
    books.enter(np.array([1]))
    assert not books.wait(1_000_000)


@pytest.mark.parametrize(("start", "answers"), [(0, 0), (-1, 1), (1, 2), (0, 3)])
def test_parts_outside_the_query_are_refused(start: int, answers: int) -> None:
    books, _ = tracker()
    queries = books.enter(np.array([1, 2]))
    with pytest.raises(ValueError, match="of 2 that were issued"):
        queries.complete(["x"] * answers, start)


def test_what_was_issued_last_fails_whole_when_its_system_raises() -> None:
    books, clock = tracker()
    books.enter(np.array([5])).complete(["x"])
    queries = books.enter(np.array([1, 2]))
    queries.complete(["a"])
    clock.advance(3)
    books.fail_last("gone")
    assert books.log["error"].tolist() == [OK, RAISED, RAISED]
    assert books.log["completed"].tolist() == [0, 0, 3]
    assert books.open == 0


def test_it_grows_without_losing_rows() -> None:
    books, _ = tracker()
    for sample in range(3):
        books.enter(np.full(3000, sample)).complete()
    books.enter(np.array([3])).complete()
    books.settle_closed(np.repeat([0, 1, 2, 3], [3000, 3000, 3000, 1]))
    assert np.bincount(books.log["sample"]).tolist() == [3000] * 3 + [1]
    assert np.bincount(books.log["query"]).tolist() == [3000] * 3 + [1]
    assert (books.log["completed"] == 0).all()


def test_tokens_are_kept_where_they_are_generated() -> None:
    books, clock = tracker()
    queries = books.enter(np.array([1, 2]))
    clock.advance(2)
    queries.first_token(1)
    clock.advance(2)
    queries.complete(["a", "b"], tokens=[3, 4])
    assert books.log["first_token"].tolist() == [-1, 2]
    assert books.log["tokens"].tolist() == [3, 4]


def test_planned_rows_are_issued_together() -> None:
    books, clock = tracker()
    due, samples = np.array([0, 10, 20]), np.array([4, 5, 6])
    books.plan(due, samples)
    clock.advance(15)
    first = books.issue_until(2, 15)
    assert first.samples.tolist() == [4, 5]
    assert books.log["issued"].tolist() == [15, 15]
    books.issue_until(3, 21).complete()
    first.complete()
    assert (books.log["query"].tolist(), books.open) == ([0, 1, 2], 0)
    assert books.log["scheduled"].tolist() == [0, 10, 20]
