"""NVIDIA cards' own performance counters (GPM, Hopper and later): what the SMs really did."""

import contextlib
import math
import weakref
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pynvml

from harness.telemetry.log import Reading
from harness.telemetry.nvidia import NOT_READ_YET, Answer, Device, Driver, fold, reason_of
from harness.telemetry.sampler import Presence

_METRICS = {
    "sm_activity": pynvml.NVML_GPM_METRIC_SM_UTIL,
    "sm_occupancy": pynvml.NVML_GPM_METRIC_SM_OCCUPANCY,
    "tensor_activity": pynvml.NVML_GPM_METRIC_ANY_TENSOR_UTIL,
    "dram_bandwidth_utilisation": pynvml.NVML_GPM_METRIC_DRAM_BW_UTIL,
}


class Gpm:
    """Shares of the interval since the last reading, an entry a device; the first has none."""

    name = "gpm"

    def __init__(self) -> None:
        self._gaps: dict[str, str] = {}

    @cached_property
    def _driver(self) -> Driver:
        return Driver()

    @cached_property
    def _gauges(self) -> tuple["_Gauge", ...]:
        return tuple(map(_Gauge, self._driver.devices))

    def available(self) -> bool:
        """Whether a card of the machine has these counters."""
        return any(gauge.supported for gauge in self._gauges)

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        if self._driver.problem:
            return Presence(self.name, False, self._driver.problem, self._driver.advice)
        if not self.available():
            what = "no card here has performance counters; the Hopper generation and later do"
            return Presence(self.name, False, what)
        self.read()
        if "permission denied" in self._gaps.values():
            advice = "run as root, or load the driver with NVreg_RestrictProfilingToAdminUsers=0"
            return Presence(self.name, False, "permission denied", advice)
        return Presence(self.name, True, "SM activity and occupancy, tensor cores, DRAM bandwidth")

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`."""
        found = [gauge.read() for gauge in self._gauges]
        values, self._gaps = fold({name: [answers[name] for answers in found] for name in _METRICS})
        return values

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps


class _Gauge:
    """One card's counters: two sample buffers in turn, and what changed between them."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._last: Any = None
        self._spare: Any = None
        self._request = pynvml.c_nvmlGpmMetricsGet_t()
        self._request.version = pynvml.NVML_GPM_METRICS_GET_VERSION
        self._request.numMetrics = len(_METRICS)
        for slot, metric in zip(self._request.metrics, _METRICS.values(), strict=False):
            slot.metricId = metric
        self.supported = device.ask("support", _is_supported) is True

    def read(self) -> Mapping[str, Answer]:
        """Each metric's share, or why there is none."""
        if not (self.supported or self._device.lost):
            return dict.fromkeys(_METRICS, "not supported")
        found = self._device.ask("gpm", self._measure)
        return dict.fromkeys(_METRICS, found) if isinstance(found, str) else found

    def _measure(self, handle: Any) -> dict[str, Answer] | str:
        if self._spare is None:
            self._spare = self._buffer()
        pynvml.nvmlGpmSampleGet(handle, self._spare)
        # Only what was filled becomes the next interval's start.
        earlier, self._last, self._spare = self._last, self._spare, self._last
        if earlier is None:
            return NOT_READ_YET
        self._request.sample1, self._request.sample2 = earlier, self._last
        pynvml.nvmlGpmMetricsGet(self._request)
        return dict(zip(_METRICS, map(_share, self._request.metrics), strict=False))

    def _buffer(self) -> Any:
        buffer = pynvml.nvmlGpmSampleAlloc()
        weakref.finalize(self, _free, pynvml.nvmlGpmSampleFree, buffer)
        return buffer


def _free(free: Any, buffer: Any) -> None:
    with contextlib.suppress(pynvml.NVMLError):
        free(buffer)


def _is_supported(handle: Any) -> bool:
    return bool(pynvml.nvmlGpmQueryDeviceSupport(handle).isSupportedDevice)


def _share(metric: Any) -> Answer:
    if metric.nvmlReturn != pynvml.NVML_SUCCESS:
        return reason_of(metric.nvmlReturn)
    # An interval without a tick gives no number.
    return metric.value / 100 if math.isfinite(metric.value) else "read failed"
