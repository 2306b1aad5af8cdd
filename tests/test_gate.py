from threading import Thread

import pytest

from harness.gate import EventGate, Gate, LockGate, new_gate


@pytest.mark.parametrize("make", [new_gate, LockGate, EventGate])
def test_a_wake_up_ends_this_or_the_next_sleep(make: type[Gate]) -> None:
    gate = make()
    assert not gate.wait(0.001)
    gate.open()
    assert gate.wait(10)
    assert not gate.wait(0.001)
    waker = Thread(target=gate.open)
    waker.start()
    assert gate.wait(10)
    waker.join()
    gate.open()
    gate.open()
    assert gate.wait(10)
    gate.close()
