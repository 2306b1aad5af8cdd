from threading import Event
from typing import Any

import numpy as np
import pytest
from toy import ToyLibrary

from harness.batcher import adapted
from harness.clock import SystemClock
from harness.errors import LevelfieldError
from harness.queries import OK, RAISED
from harness.tracker import Tracker


class Recording:
    """Notes its batches; waits for ``go`` before the first answer."""

    max_batch = 3

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = Event()

    def predict(self, inputs: list[int]) -> list[int]:
        self.batches.append(inputs)
        assert self.go.wait(10)
        if 7 in inputs:
            raise RuntimeError("seven")
        return [10 * i for i in inputs]


def library() -> ToyLibrary:
    loaded = ToyLibrary()
    loaded.load(range(8))
    return loaded


def test_what_waits_becomes_one_batch_of_at_most_the_maximum() -> None:
    model, tracker = Recording(), Tracker(SystemClock(), keep=lambda _: True)
    with adapted(model, library(), open_loop=True) as sut:
        sut.issue(tracker.enter(np.array([0])))
        while not model.batches:
            pass
        sut.issue(tracker.enter(np.array([1, 2])))
        sut.issue(tracker.enter(np.array([3, 4, 5, 6])))
        model.go.set()
        assert tracker.wait(10**10)
    assert model.batches == [[0], [1, 2, 3], [4, 5, 6]]
    assert tracker.answers == {row: 10 * row for row in range(7)}


def test_a_batch_that_raises_fails_and_the_next_goes_on() -> None:
    model, tracker = Recording(), Tracker(SystemClock())
    model.go.set()
    for open_loop in (True, False):
        model.batches.clear()
        tracker = Tracker(SystemClock())
        with adapted(model, library(), open_loop=open_loop) as sut:
            sut.issue(tracker.enter(np.array([5, 6, 7, 0])))
            assert tracker.wait(10**10)
        assert tracker.log["error"].tolist() == [RAISED] * 3 + [OK]
        assert tracker.failures == [(0, "RuntimeError: seven")]


def test_a_wrong_number_of_answers_is_a_failure() -> None:
    class Short:
        def predict(self, inputs: list[int]) -> list[int]:
            return inputs[1:]

    tracker = Tracker(SystemClock())
    with adapted(Short(), library(), open_loop=False) as sut:
        sut.issue(tracker.enter(np.array([1, 2])))
    assert tracker.failures == [(0, "ValueError: 1 answers for 2 samples")]


def test_what_is_no_longer_wanted_is_dropped() -> None:
    model, tracker = Recording(), Tracker(SystemClock())
    with adapted(model, library(), open_loop=True) as sut:
        sut.issue(tracker.enter(np.array([0])))
        while not model.batches:
            pass
        sut.issue(tracker.enter(np.array([1])))
        tracker.close()
        model.go.set()
    assert model.batches == [[0]]


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", True])
def test_a_senseless_maximum_is_refused(size: Any) -> None:
    model = Recording()
    model.max_batch = size
    with (
        pytest.raises(LevelfieldError, match="max_batch"),
        adapted(model, library(), open_loop=True),
    ):
        pass


def test_a_model_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.batcher._LAST_BATCH_S", 0.01)
    model, tracker = Recording(), Tracker(SystemClock())
    with adapted(model, library(), open_loop=True) as sut:
        sut.issue(tracker.enter(np.array([0])))
        tracker.close()
    assert len(model.batches) <= 1
    model.go.set()
