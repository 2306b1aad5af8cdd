"""How long a training step keeps an accelerator busy, from a few steps of which nobody waits."""

from collections.abc import Callable
from typing import Any, Protocol

import torch

from harness.phases import Phase

SAMPLED = (8, 64, 512)
"""Steps of a training that are sampled: late enough for what is made at the first ones."""
_LONGEST_SPIN_S = 0.05
_HIGHEST_CLOCK_HZ = 2e9
"""At a lower clock the device only spins for longer."""


class Mark(Protocol):
    """A place in what the device has been told to do."""

    def query(self) -> bool:
        """Whether the device has come past it."""

    def elapsed_time(self, later: Any) -> float:
        """Milliseconds of the device from this mark to a later one of its kind, both passed."""


class Accelerator(Protocol):
    """What is told to a device, and done by it later, in order."""

    def spin(self, seconds: float) -> None:
        """Do nothing for at least ``seconds``."""

    def mark(self) -> Mark:
        """A mark at this place."""


class Cuda:
    """The current CUDA stream; see `Accelerator`."""

    def spin(self, seconds: float) -> None:
        """See `Accelerator`."""
        torch.cuda._sleep(int(seconds * _HIGHEST_CLOCK_HZ))  # type: ignore[no-untyped-call]

    def mark(self) -> torch.cuda.Event:
        """See `Accelerator`."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event


class DeviceSteps:
    """The device's own time of a step: data until the model is called, compute from there.

    Python tells the device what to do ahead of time, so that Python's clock says nothing about
    the device, and events on the device do not tell work from waiting for Python. Therefore the
    device spins before a sampled step until all of the step has been told, and then does it
    without waiting. A step in which Python waited for the device cannot be sampled in this way.
    """

    def __init__(self, device: Accelerator, now_ns: Callable[[], int]) -> None:
        self._device = device
        self._now_ns = now_ns
        self._steps = 0
        self._told_s = 0.0
        self._marks: list[Mark] = []
        self._sampled: list[list[Mark]] = []
        self._found_ms: list[tuple[float, float]] = []

    def begin(self) -> None:
        """A step begins. The spin is twice as long as it took to tell the step before."""
        self._steps += 1
        self._marks = []
        if self._steps in SAMPLED:
            self._device.spin(min(2 * self._told_s, _LONGEST_SPIN_S))
            self._marks.append(self._device.mark())
        self._begun_ns = self._now_ns()

    def call(self) -> None:
        """The model is called."""
        if self._marks:
            self._marks.append(self._device.mark())

    def end(self) -> None:
        """All of the step has been told."""
        self._told_s = (self._now_ns() - self._begun_ns) / 1e9
        if self._marks:
            self._marks.append(self._device.mark())
            if len(self._marks) == 3 and not self._marks[0].query():
                self._sampled.append(self._marks)

    def settle(self) -> None:
        """Read the marks; the device has passed all of them."""
        for begun, called, ended in self._sampled:
            self._found_ms.append((begun.elapsed_time(called), called.elapsed_time(ended)))
        self._sampled.clear()

    def phases(self, whole_s: float) -> dict[Phase, float]:
        """Seconds of data and compute in all steps, which took ``whole_s``; nothing if unknown.

        What is missing from the whole is time in which the device waited for Python.
        """
        if not self._found_ms:
            return {}
        data_ms, compute_ms = map(sum, zip(*self._found_ms, strict=True))
        scale = self._steps / len(self._found_ms) / 1e3
        scale = min(scale, whole_s / max(data_ms + compute_ms, 1e-9))
        return {Phase.DATA: data_ms * scale, Phase.COMPUTE: compute_ms * scale}
