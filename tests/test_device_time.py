from dataclasses import dataclass

import pytest
import torch

from harness.card import settle_hyperparameters
from harness.clock import SimulatedClock
from harness.phases import Phase
from harness.workload import Arithmetic
from workloads.catalogue import load_workload
from workloads.device_time import SAMPLED, DeviceSteps
from workloads.training import ReferenceTraining

MS = 1_000_000


@dataclass(frozen=True)
class Place:
    """When the device comes past it."""

    clock: SimulatedClock
    at_ns: int

    def query(self) -> bool:
        return self.clock.now_ns() >= self.at_ns

    def elapsed_time(self, later: "Place") -> float:
        return (later.at_ns - self.at_ns) / MS


class Device:
    """Does what it is told in order, after it was told."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.free_ns = 0

    def work(self, ns: int) -> None:
        self.free_ns = max(self.free_ns, self.clock.now_ns()) + ns

    def spin(self, seconds: float) -> None:
        self.work(round(seconds * 1e9))

    def mark(self) -> Place:
        return Place(self.clock, max(self.free_ns, self.clock.now_ns()))

    def wait(self) -> None:
        self.clock.advance(max(0, self.free_ns - self.clock.now_ns()))


def measured(
    telling_ms: int, kernel_ms: int, *, waits: bool = False
) -> tuple[dict[Phase, float], float]:
    """Ten steps of two kernels of data and four of the model, each told in ``telling_ms``."""
    clock = SimulatedClock()
    device = Device(clock)
    steps = DeviceSteps(device, clock.now_ns)
    for _ in range(10):
        steps.begin()
        for kernel in range(6):
            if kernel == 2:
                steps.call()
            clock.advance(telling_ms * MS)
            device.work(kernel_ms * MS)
            if waits:
                device.wait()
        steps.end()
    device.wait()
    steps.settle()
    return steps.phases(clock.now_ns() / 1e9), clock.now_ns() / 1e9


def test_a_device_that_waits_for_python_is_seen_to_be_idle() -> None:
    spent, whole_s = measured(telling_ms=3, kernel_ms=1)
    assert spent == {Phase.DATA: pytest.approx(0.02), Phase.COMPUTE: pytest.approx(0.04)}
    assert whole_s > 0.18


def test_a_device_that_python_runs_ahead_of_is_busy_but_for_the_spin() -> None:
    spent, whole_s = measured(telling_ms=1, kernel_ms=3)
    assert spent == {Phase.DATA: pytest.approx(0.06), Phase.COMPUTE: pytest.approx(0.12)}
    assert whole_s == pytest.approx(0.001 + 0.18 + 0.012)  # the spin: twice six kernels' telling


def test_steps_in_which_python_waits_say_nothing() -> None:
    assert measured(telling_ms=1, kernel_ms=1, waits=True)[0] == {}


def test_nothing_is_known_before_a_step_was_sampled() -> None:
    assert DeviceSteps(Device(SimulatedClock()), lambda: 0).phases(1.0) == {}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_real_device_is_busy_for_a_part_of_its_steps() -> None:
    workload = load_workload("recommendation")
    workload.prepare(lambda *_: None)
    values = settle_hyperparameters(workload.card.training, {}, bounded=True)
    session = workload.training(values, 0, Arithmetic())
    assert isinstance(session, ReferenceTraining)
    session.load()
    session.train(2 * SAMPLED[1] * int(values["global_batch_size"]))
    spent = session.phases
    assert spent[Phase.COMPUTE] > spent[Phase.DATA] > 0
