"""NVIDIA cards through NVML: what each is doing, what it draws, and what holds it back."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import psutil
import pynvml

from harness.records import Number
from harness.telemetry.log import Reading
from harness.telemetry.nvidia import NOT_READ_YET, Answer, Device, Driver, fold
from harness.telemetry.sampler import Presence

_PCIE_ROUND_NS = 1_000_000_000
_HARMLESS = {
    pynvml.nvmlClocksEventReasonGpuIdle: "gpu_idle",
    pynvml.nvmlClocksEventReasonApplicationsClocksSetting: "applications_clocks_setting",
    pynvml.nvmlClocksEventReasonDisplayClockSetting: "display_clock_setting",
}
_SLOWING = {
    pynvml.nvmlClocksEventReasonSwPowerCap: "sw_power_cap",
    pynvml.nvmlClocksEventReasonHwSlowdown: "hw_slowdown",
    pynvml.nvmlClocksEventReasonSyncBoost: "sync_boost",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "sw_thermal_slowdown",
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "hw_thermal_slowdown",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "hw_power_brake_slowdown",
}


class Nvml:
    """Every card's counters; a quantity that a card does not tell is a gap, never 0.

    Processes of others are those that neither are ``owner`` (this process if none) nor descend
    from it.
    """

    name = "nvml"

    def __init__(
        self, now_ns: Callable[[], int] = time.monotonic_ns, owner: int | None = None
    ) -> None:
        self._now_ns = now_ns
        self._owner = os.getpid() if owner is None else owner
        self._gaps: dict[str, str] = {}

    @cached_property
    def _driver(self) -> Driver:
        return Driver()

    @cached_property
    def _counters(self) -> tuple["_EnergyCounter", ...]:
        return tuple(map(_EnergyCounter, self._driver.devices))

    @cached_property
    def _pcie(self) -> "_Pcie":
        return _Pcie(self._driver.devices, self._now_ns)

    def available(self) -> bool:
        """Whether there is a driver with a card."""
        return bool(self._driver.devices)

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        if self._driver.problem:
            return Presence(self.name, False, self._driver.problem, self._driver.advice)
        self.read()
        devices = self._driver.devices
        models = ", ".join(dict.fromkeys(device.model for device in devices))
        what = f"{len(devices)} x {models}, driver {self._driver.version}"
        gaps = [f"{name} ({why})" for name, why in self._gaps.items() if why != NOT_READ_YET]
        if not gaps:
            return Presence(self.name, True, f"{what}: every quantity")
        if all(device.lost for device in devices):
            advice = "reset the card or restart the machine"
            return Presence(self.name, False, f"{what}: {devices[0].lost}", advice)
        return Presence(self.name, True, f"{what}; without {', '.join(gaps)}")

    def read(self) -> Mapping[str, Reading]:
        """See `harness.telemetry.sampler.Source`.

        PCIe traffic comes last and is up to a second old (`_Pcie`).
        """
        answers: dict[str, Sequence[Answer]] = {
            name: [device.ask(name, read) for device in self._driver.devices]
            for name, read in {**_QUANTITIES, "other_processes": self._others}.items()
        }
        answers["energy_j"] = [counter.read() for counter in self._counters]
        values, self._gaps = fold({**answers, **self._pcie.read()})
        return values

    def gaps(self) -> Mapping[str, str]:
        """See `harness.telemetry.sampler.Source`."""
        return self._gaps

    def _others(self, handle: Any) -> Answer:
        pids = {process.pid for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)}
        ours = [_is_of(self._owner, pid) for pid in pids]
        return "processes not visible" if None in ours else ours.count(False)


class _EnergyCounter:
    """A card's energy since the driver was loaded; once it has fallen it is not believed again."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._last: float = 0.0
        self._fallen = False

    def read(self) -> Answer:
        """Joules, or why there are none."""
        found = self._device.ask("energy_j", _energy_j)
        if isinstance(found, str):
            return found
        if self._fallen or found < self._last:
            self._fallen = True
            return "counter unreadable"
        self._last = found
        return found


class _Pcie:
    """PCIe traffic, one call a reading at most, each counter once a second.

    Each call keeps the caller waiting while the card counts for 20 ms, a fifth of the sampler's
    interval. In between the last value stands.
    """

    _COUNTERS = (
        ("pcie_tx_bytes_per_s", pynvml.NVML_PCIE_UTIL_TX_BYTES),
        ("pcie_rx_bytes_per_s", pynvml.NVML_PCIE_UTIL_RX_BYTES),
    )

    def __init__(self, devices: Sequence[Device], now_ns: Callable[[], int]) -> None:
        self._devices = devices
        self._now_ns = now_ns
        self._held: dict[str, list[Answer]] = {
            name: [NOT_READ_YET] * len(devices) for name, _ in self._COUNTERS
        }
        self._turns: list[tuple[str, int, int]] = []
        self._next_ns: int | None = None

    def read(self) -> dict[str, list[Answer]]:
        """Bytes per second of both directions, after at most one call."""
        now = self._now_ns()
        if not self._turns and (self._next_ns is None or now >= self._next_ns):
            self._turns = [(*c, i) for c in self._COUNTERS for i in range(len(self._devices))]
            self._next_ns = now + _PCIE_ROUND_NS
        if self._turns:
            name, counter, index = self._turns.pop(0)
            # NVML gives KB/s.
            self._held[name][index] = self._devices[index].ask(
                name, lambda handle: pynvml.nvmlDeviceGetPcieThroughput(handle, counter) * 1000
            )
        return {
            name: [device.lost or value for device, value in zip(self._devices, held, strict=True)]
            for name, held in self._held.items()
        }


def _energy_j(handle: Any) -> float:
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000


def _clock_hz(kind: int) -> Callable[[Any], int]:
    return lambda handle: int(pynvml.nvmlDeviceGetClockInfo(handle, kind)) * 1_000_000


def _ecc_errors(handle: Any) -> int:
    kind, since = pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC
    return int(pynvml.nvmlDeviceGetTotalEccErrors(handle, kind, since))


@lru_cache(maxsize=1024)  # each walk up the tree takes half a millisecond
def _is_of(own: int, pid: int) -> bool | None:
    """Whether ``pid`` is ``own`` or descends from it; none for an id that nobody here has.

    From inside a container the driver's ids can be the host's.
    """
    if pid == own:
        return True
    try:
        return any(parent.pid == own for parent in psutil.Process(pid).parents())
    except psutil.Error:
        return None


_QUANTITIES: Mapping[str, Callable[[Any], Answer]] = {
    "utilisation": lambda h: pynvml.nvmlDeviceGetUtilizationRates(h).gpu / 100,
    "memory_utilisation": lambda h: pynvml.nvmlDeviceGetUtilizationRates(h).memory / 100,
    "memory_used_bytes": lambda h: int(pynvml.nvmlDeviceGetMemoryInfo(h).used),
    "power_w": lambda h: pynvml.nvmlDeviceGetPowerUsage(h) / 1000,
    "power_limit_w": lambda h: pynvml.nvmlDeviceGetEnforcedPowerLimit(h) / 1000,
    "sm_clock_hz": _clock_hz(pynvml.NVML_CLOCK_SM),
    "memory_clock_hz": _clock_hz(pynvml.NVML_CLOCK_MEM),
    "temperature_c": lambda h: pynvml.nvmlDeviceGetTemperature(h, pynvml.NVML_TEMPERATURE_GPU),
    "throttle_reasons": lambda h: pynvml.nvmlDeviceGetCurrentClocksEventReasons(h),
    "ecc_errors": _ecc_errors,
}


def throttle_names(mask: int) -> tuple[str, ...]:
    """Every reason in ``nvml.throttle_reasons``, by NVML's names; unknown bits as ``bit_N``."""
    known = _HARMLESS | _SLOWING
    bits = (1 << shift for shift in range(mask.bit_length()))
    return tuple(
        known.get(bit, f"bit_{bit.bit_length() - 1}") for bit in bits if mask > 0 and mask & bit
    )


def throttles(mask: int) -> tuple[str, ...]:
    """The reasons that slow a working card down: power, heat, a slower neighbour.

    An idle card, clocks that somebody chose, and a display are none.
    """
    return tuple(name for name in throttle_names(mask) if name in _SLOWING.values())


def gpu_constraints() -> dict[str, Number]:
    """Limits in force on the cards, the tightest of all of them; empty without any.

    ``gpu_power_limit_w`` where the enforced limit is below the card's default;
    ``gpu_sm_clock_hz`` where the application clock is. NVML does not tell of locked clocks:
    those show in ``nvml.sm_clock_hz`` alone.
    """
    devices = Driver().devices
    questions: Mapping[str, Callable[[Any], Number | None]] = {
        "gpu_power_limit_w": _lowered_power_w,
        "gpu_sm_clock_hz": _lowered_clock_hz,
    }
    answers = {name: [d.ask(name, read) for d in devices] for name, read in questions.items()}
    limits = {
        name: [answer for answer in found if answer is not None and not isinstance(answer, str)]
        for name, found in answers.items()
    }
    return {name: min(lowered) for name, lowered in limits.items() if lowered}


def _lowered_power_w(handle: Any) -> float | None:
    enforced = float(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)) / 1000
    default = float(pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle)) / 1000
    return enforced if enforced < default else None


def _lowered_clock_hz(handle: Any) -> int | None:
    kind = pynvml.NVML_CLOCK_GRAPHICS  # the SMs' own
    chosen = int(pynvml.nvmlDeviceGetApplicationsClock(handle, kind))
    default = int(pynvml.nvmlDeviceGetDefaultApplicationsClock(handle, kind))
    return chosen * 1_000_000 if chosen < default else None
