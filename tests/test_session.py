from pathlib import Path

from toy import ToyWorkload, toy_subject

from harness.clock import SimulatedClock
from harness.session import Session


def test_each_run_is_told_with_where_its_time_went(tmp_path: Path) -> None:
    clock, told = SimulatedClock(), list[str]()
    workload = ToyWorkload(clock, [0.5, 0.9])
    session = Session(tmp_path, toy_subject(), 7, told.append, clock)
    session.train(workload, {}, 1)
    assert told == [
        "run 1 of 1, training: quality 0.9000 after 200 samples, 0.22 s",
        "time: compute 91 %, evaluation 5 %, data 5 %",
    ]


def test_a_run_that_failed_tells_no_time(tmp_path: Path) -> None:
    clock, told = SimulatedClock(), list[str]()
    Session(tmp_path, toy_subject(), 7, told.append, clock).train(ToyWorkload(clock), {}, 1)
    assert told == ["run 1 of 1, training: FAILED: IndexError: pop from empty list"]
