"""A recorded NVML: pynvml's functions over cards whose behaviour is scripted, tick by tick.

Modelled on an H200: 700 W, 1980 MHz, 141 GB. Errors are pynvml's own exceptions, structures its
own ctypes; only the shared library is missing.
"""

import ctypes
import itertools
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch

import pynvml

from harness.telemetry.gpm import Gpm
from harness.telemetry.log import Reading, Sample, TelemetryLog
from harness.telemetry.nvml import Nvml
from harness.telemetry.sampler import Reader

TICK_NS = 100_000_000
MEMORY_BYTES = 143_771 * 2**20
POWER_CAP = int(pynvml.nvmlClocksEventReasonSwPowerCap)
HOT = int(pynvml.nvmlClocksEventReasonHwThermalSlowdown)
Trace = float | Callable[[int], float]
"""A steady value, or one for each tick."""


def at(trace: Trace, tick: int) -> float:
    return trace(tick) if callable(trace) else trace


@dataclass
class FakeDevice:
    """A card and its script."""

    model: str = "NVIDIA H200"
    power_w: Trace = 620.0
    utilisation: Trace = 99
    """Percent, as NVML's whole numbers."""
    memory_utilisation: Trace = 48
    sm_activity: Trace = 91.5
    """Percent, like the other counters of GPM."""
    sm_occupancy: Trace = 44.0
    tensor_activity: Trace = 57.0
    dram_bandwidth: Trace = 52.0
    reasons: Mapping[range, int] = field(default_factory=dict)
    """Event reasons in force from tick to tick."""
    lost_at: int | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    """Functions of pynvml that fail, and the code with which they do."""
    energy_mj: int = 123_456_789
    """The counter at tick 0."""
    wraps_at_mj: int | None = None
    reloaded_at: int | None = None
    """The tick at which the counter starts from 0 again."""
    others: tuple[int, ...] = ()
    """Processes on the card beside this one."""
    power_limit_w: float = 700.0
    application_clock_mhz: int = 1980
    gpm: bool = True

    def __post_init__(self) -> None:
        self._energies = [self.energy_mj]

    def slowed(self, tick: int) -> int:
        """The event reasons at ``tick``."""
        return next((mask for ticks, mask in self.reasons.items() if tick in ticks), 0)

    def energy_at(self, tick: int) -> int:
        """The counter in mJ, each tick's power over the tick before it."""
        for passed in range(len(self._energies), tick + 1):
            last = 0 if passed == self.reloaded_at else self._energies[-1]
            self._energies.append(last + round(at(self.power_w, passed) * TICK_NS / 1e6))
        return self._energies[tick] % (self.wraps_at_mj or 2**63)


class FakeNvml:
    """Stands in for pynvml's functions inside a ``with`` block; `advance` lets time pass."""

    def __init__(self, devices: list[FakeDevice], init_error: int | None = None) -> None:
        self.devices = devices
        self.tick = 0
        self.calls: list[tuple[str, int]] = []
        """Every function asked of a device, and the device's number."""
        self.initialised = 0
        self._init_error = init_error
        self._patches = ExitStack()
        self._buffers: dict[int, tuple[FakeDevice, int] | None] = {}
        self._addresses = itertools.count(0x1000, 0x10)

    def __enter__(self) -> Self:
        for name in dir(type(self)):
            if name.startswith("nvml"):
                self._patches.enter_context(patch.object(pynvml, name, getattr(self, name)))
        return self

    def __exit__(self, *failure: object) -> None:
        self._patches.close()

    def now_ns(self) -> int:
        return self.tick * TICK_NS

    def advance(self, ticks: int = 1) -> None:
        self.tick += ticks

    @property
    def open_buffers(self) -> int:
        return len(self._buffers)

    def nvmlInit(self) -> None:
        if self._init_error is not None:
            raise pynvml.NVMLError(self._init_error)
        self.initialised += 1

    def nvmlShutdown(self) -> None:
        if not self.initialised:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        self.initialised -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.133.20"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeDevice:
        return self._asked("nvmlDeviceGetHandleByIndex", self.devices[index])

    def nvmlDeviceGetName(self, handle: FakeDevice) -> str:
        return self._asked("nvmlDeviceGetName", handle).model

    def nvmlDeviceGetUtilizationRates(self, handle: FakeDevice) -> Any:
        device = self._asked("nvmlDeviceGetUtilizationRates", handle)
        gpu, memory = at(device.utilisation, self.tick), at(device.memory_utilisation, self.tick)
        return pynvml.c_nvmlUtilization_t(gpu=int(gpu), memory=int(memory))

    def nvmlDeviceGetMemoryInfo(self, handle: FakeDevice) -> Any:
        self._asked("nvmlDeviceGetMemoryInfo", handle)
        used = 96 * 2**30
        return pynvml.c_nvmlMemory_t(total=MEMORY_BYTES, free=MEMORY_BYTES - used, used=used)

    def nvmlDeviceGetPowerUsage(self, handle: FakeDevice) -> int:
        return round(at(self._asked("nvmlDeviceGetPowerUsage", handle).power_w, self.tick) * 1000)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeDevice) -> int:
        return self._asked("nvmlDeviceGetTotalEnergyConsumption", handle).energy_at(self.tick)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: FakeDevice) -> int:
        return round(self._asked("nvmlDeviceGetEnforcedPowerLimit", handle).power_limit_w * 1000)

    def nvmlDeviceGetPowerManagementDefaultLimit(self, handle: FakeDevice) -> int:
        self._asked("nvmlDeviceGetPowerManagementDefaultLimit", handle)
        return 700_000

    def nvmlDeviceGetClockInfo(self, handle: FakeDevice, kind: int) -> int:
        device = self._asked("nvmlDeviceGetClockInfo", handle)
        if kind == pynvml.NVML_CLOCK_MEM:
            return 3201
        return 1155 if device.slowed(self.tick) else device.application_clock_mhz

    def nvmlDeviceGetApplicationsClock(self, handle: FakeDevice, kind: int) -> int:
        return self._asked("nvmlDeviceGetApplicationsClock", handle).application_clock_mhz

    def nvmlDeviceGetDefaultApplicationsClock(self, handle: FakeDevice, kind: int) -> int:
        self._asked("nvmlDeviceGetDefaultApplicationsClock", handle)
        return 1980

    def nvmlDeviceGetTemperature(self, handle: FakeDevice, sensor: int) -> int:
        return 88 if self._asked("nvmlDeviceGetTemperature", handle).slowed(self.tick) else 61

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: FakeDevice) -> int:
        return self._asked("nvmlDeviceGetCurrentClocksEventReasons", handle).slowed(self.tick)

    def nvmlDeviceGetPcieThroughput(self, handle: FakeDevice, counter: int) -> int:
        self._asked("nvmlDeviceGetPcieThroughput", handle)
        return 1_200_000 if counter == pynvml.NVML_PCIE_UTIL_RX_BYTES else 90_000

    def nvmlDeviceGetTotalEccErrors(self, handle: FakeDevice, kind: int, since: int) -> int:
        self._asked("nvmlDeviceGetTotalEccErrors", handle)
        return 0

    def nvmlDeviceGetComputeRunningProcesses(self, handle: FakeDevice) -> list[Any]:
        device = self._asked("nvmlDeviceGetComputeRunningProcesses", handle)
        return [SimpleNamespace(pid=pid) for pid in (os.getpid(), *device.others)]

    def nvmlGpmQueryDeviceSupport(self, handle: FakeDevice) -> Any:
        supported = self._asked("nvmlGpmQueryDeviceSupport", handle).gpm
        return pynvml.c_nvmlGpmSupport_t(version=1, isSupportedDevice=int(supported))

    def nvmlGpmSampleAlloc(self) -> Any:
        address = next(self._addresses)
        self._buffers[address] = None
        return ctypes.cast(address, pynvml.c_nvmlGpmSample_t)

    def nvmlGpmSampleFree(self, buffer: Any) -> None:
        del self._buffers[_address(buffer)]

    def nvmlGpmSampleGet(self, handle: FakeDevice, buffer: Any) -> Any:
        device = self._asked("nvmlGpmSampleGet", handle)
        self._buffers[_address(buffer)] = device, self.tick
        return buffer

    def nvmlGpmMetricsGet(self, request: Any) -> Any:
        first, second = (self._buffers[_address(b)] for b in (request.sample1, request.sample2))
        if first is None or second is None or first[0] is not second[0] or request.version != 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        self._asked("nvmlGpmMetricsGet", first[0])
        ticks = range(first[1] + 1, second[1] + 1)
        for metric in request.metrics[: request.numMetrics]:
            trace = _gpm_trace(first[0], metric.metricId)
            metric.nvmlReturn = pynvml.NVML_SUCCESS
            metric.value = sum(at(trace, i) for i in ticks) / len(ticks) if ticks else float("nan")
        return request

    def _asked(self, function: str, device: FakeDevice) -> FakeDevice:
        self.calls.append((function, self.devices.index(device)))
        if device.lost_at is not None and self.tick >= device.lost_at:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        if function in device.errors:
            raise pynvml.NVMLError(device.errors[function])
        return device


def _address(buffer: Any) -> int:
    return ctypes.cast(buffer, ctypes.c_void_p).value or 0


def _gpm_trace(device: FakeDevice, metric: int) -> Trace:
    return {
        pynvml.NVML_GPM_METRIC_SM_UTIL: device.sm_activity,
        pynvml.NVML_GPM_METRIC_SM_OCCUPANCY: device.sm_occupancy,
        pynvml.NVML_GPM_METRIC_ANY_TENSOR_UTIL: device.tensor_activity,
        pynvml.NVML_GPM_METRIC_DRAM_BW_UTIL: device.dram_bandwidth,
    }[metric]


def recorded(start_ms: int, stop_ms: int, devices: list[FakeDevice]) -> TelemetryLog:
    """What the real sources read of ``devices`` ten times a second, a second beyond both ends."""
    samples: list[Sample] = []
    with FakeNvml(devices) as nvml:
        readers = [Reader(source) for source in (Nvml(nvml.now_ns), Gpm())]
        for time_ms in range(start_ms - 1000, stop_ms + 1001, TICK_NS // 1_000_000):
            for reader in readers:
                samples += reader.samples(time_ms)
            own: dict[str, Reading] = {"late_s": 0.0002, "took_s": 0.0011}
            samples.append(Sample(time_ms=time_ms, source="sampler", values=own))
            nvml.advance()
    return TelemetryLog(tuple(samples))


def _ticks(start_ms: int, stop_ms: int, first: float, last: float) -> range:
    """The ticks of `recorded` within the shares ``first`` to ``last`` of the window."""
    window = stop_ms - start_ms
    return range(int(10 + window * first / 100), int(10 + window * last / 100))


def healthy_log(start_ms: int, stop_ms: int) -> TelemetryLog:
    """A busy card with nothing in its way."""
    return recorded(start_ms, stop_ms, [FakeDevice()])


def throttled_log(start_ms: int, stop_ms: int) -> TelemetryLog:
    """A card slowed down by heat over the middle half of the window."""
    hot = _ticks(start_ms, stop_ms, 0.25, 0.75)
    device = FakeDevice(reasons={hot: HOT}, power_w=lambda tick: 380.0 if tick in hot else 620.0)
    return recorded(start_ms, stop_ms, [device])


def lost_log(start_ms: int, stop_ms: int) -> TelemetryLog:
    """Two cards, of which the second falls off the bus halfway."""
    half = _ticks(start_ms, stop_ms, 0.5, 1).start
    return recorded(start_ms, stop_ms, [FakeDevice(), FakeDevice(lost_at=half)])


def lying_log(start_ms: int, stop_ms: int) -> TelemetryLog:
    """A card "100 % utilised" by one small kernel after another: 5 % of its SMs have work."""
    device = FakeDevice(
        power_w=165.0, utilisation=100, memory_utilisation=2,
        sm_activity=5.0, sm_occupancy=1.5, tensor_activity=0.4,
        dram_bandwidth=1.2,
    )  # fmt: skip
    return recorded(start_ms, stop_ms, [device])
