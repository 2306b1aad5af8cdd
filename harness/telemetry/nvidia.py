"""The boundary to NVIDIA's driver: NVML initialised, its devices, and its errors in words."""

import contextlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pynvml

from harness.records import Number
from harness.telemetry.log import Reading

Answer = Number | str
"""A value in SI base units, or in words why there is none."""
T = TypeVar("T")

NOT_READ_YET = "not read yet"
_NO_DRIVER = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "no NVIDIA driver: libnvidia-ml.so.1 not found",
        "with an NVIDIA card, install its driver; in a container, pass the card and driver in",
    ),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: (
        "the NVIDIA driver is not loaded",
        "load the kernel module (modprobe nvidia) or restart the machine",
    ),
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "the loaded driver and libnvidia-ml are of different versions",
        "restart the machine, so that the installed driver is loaded",
    ),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "no permission to ask the NVIDIA driver",
        "let this user read and write /dev/nvidiactl and /dev/nvidia*",
    ),
}
_REASONS = {
    pynvml.NVML_ERROR_NOT_SUPPORTED: "not supported",
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: "not supported",  # by a driver this old
    pynvml.NVML_ERROR_NO_PERMISSION: "permission denied",
    pynvml.NVML_ERROR_GPU_IS_LOST: "device lost",
    pynvml.NVML_ERROR_GPU_NOT_FOUND: "device lost",
}


def reason_of(code: int) -> str:
    """An NVML error code in the words that every source uses for its gaps."""
    return _REASONS.get(code, "read failed")


class Device:
    """One card: its handle, and what it has refused for good."""

    def __init__(self, index: int) -> None:
        self.model = "a card that does not answer"
        self.lost = ""
        """Why nothing can be read from it any more."""
        self._unsupported: set[str] = set()
        try:
            self._handle: Any = pynvml.nvmlDeviceGetHandleByIndex(index)
            self.model = str(pynvml.nvmlDeviceGetName(self._handle))
        except pynvml.NVMLError as error:
            self.lost = reason_of(error.value)

    def ask(self, name: str, read: Callable[[Any], T]) -> T | str:
        """What ``read`` makes of the handle, or why it has no value.

        What is not supported is asked for once; a lost card is not asked again.
        """
        if self.lost:
            return self.lost
        if name in self._unsupported:
            return "not supported"
        try:
            return read(self._handle)
        except pynvml.NVMLLibraryMismatchError:
            why = "not supported"
        except pynvml.NVMLError as error:
            why = reason_of(error.value)
        if why == "device lost":
            self.lost = why
        elif why == "not supported":
            self._unsupported.add(name)
        return why


class Driver:
    """NVML initialised, with its devices; or what is wrong with it. Shut down with its owner."""

    def __init__(self) -> None:
        self.version = ""
        self.devices: tuple[Device, ...] = ()
        self.problem, self.advice = "", ""
        try:
            pynvml.nvmlInit()
            weakref.finalize(self, _shut_down, pynvml.nvmlShutdown)
            self.version = str(pynvml.nvmlSystemGetDriverVersion())
            self.devices = tuple(map(Device, range(pynvml.nvmlDeviceGetCount())))
        except pynvml.NVMLError as error:
            unknown = f"the NVIDIA driver fails: {error}", "run nvidia-smi, which says more"
            self.problem, self.advice = _NO_DRIVER.get(error.value, unknown)
        if not (self.devices or self.problem):
            self.problem = "an NVIDIA driver, but no card"
            self.advice = "in a container, pass the card in"


def _shut_down(shutdown: Callable[[], None]) -> None:
    with contextlib.suppress(pynvml.NVMLError):
        shutdown()


def fold(answers: Mapping[str, Sequence[Answer]]) -> tuple[dict[str, Reading], dict[str, str]]:
    """Readings with an entry a device, and why entries are missing, each reason once."""
    values: dict[str, Reading] = {
        name: tuple(None if isinstance(answer, str) else answer for answer in found)
        for name, found in answers.items()
    }
    reasons = {
        name: ", ".join(dict.fromkeys(answer for answer in found if isinstance(answer, str)))
        for name, found in answers.items()
    }
    return values, {name: why for name, why in reasons.items() if why}
