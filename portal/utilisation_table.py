"""The counter that flatters beside those that do not: means over each run's timed window."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.telemetry.log import TelemetryLog
from portal.quantities import for_people
from portal.telemetry_series import series_of


@dataclass(frozen=True)
class Counter:
    """Something that a source of telemetry counts."""

    source: str
    quantity: str
    name: str
    meaning: str


@dataclass(frozen=True)
class CounterRow:
    """One counter, what each run read, and what that means."""

    name: str
    values: tuple[str, ...]
    """A value a run, in the runs' order; a dash where it was not measured."""
    meaning: str


NVML = Counter(
    "nvml",
    "utilisation",
    "GPU utilisation (NVML)",
    "Share of the time in which at least one kernel ran, however little of the GPU it used: "
    "it flatters.",
)
_COUNTERS = (
    NVML,
    Counter(
        "gpm",
        "sm_activity",
        "SM activity",
        "Share of the multiprocessors that had work, averaged over time; waiting for memory "
        "counts as work.",
    ),
    Counter(
        "gpm",
        "tensor_activity",
        "Tensor activity",
        "Share of the time in which the matrix units computed.",
    ),
    Counter(
        "gpm",
        "dram_bandwidth_utilisation",
        "Memory bandwidth",
        "Share of what the GPU’s memory can move that was moved.",
    ),
    Counter(
        "host",
        "cpu_utilisation",
        "CPU utilisation",
        "Share of the time in which the cores were not idle, waiting for memory and the load of "
        "other processes included: it flatters too.",
    ),
)
MFU = (
    "MFU",
    "Model FLOPs utilisation: floating-point operations that the model needs, over the time "
    "of training or answering, as a share of the peak that was measured on this machine. "
    "Recomputed, padded and wasted work does not count.",
)
_AFTER = "tensor_activity"
"""MFU stands between what the GPU's own counters say of computing and of memory."""


def utilisation_table(
    runs: Mapping[int, tuple[TelemetryLog, int, int]], mfu: Mapping[int, float]
) -> list[CounterRow]:
    """Rows of the counters that some run has; ``runs`` by number with window, ``mfu`` as a share.

    Device and core counters are means over devices and cores.
    """
    rows = []
    for counter in _COUNTERS:
        values = tuple(mean_of(counter, *run) for run in runs.values())
        if any(value is not None for value in values):
            rows.append(CounterRow(counter.name, _shown(values), counter.meaning))
        if counter.quantity == _AFTER and mfu:
            name, meaning = MFU
            rows.append(CounterRow(name, _shown(tuple(mfu.get(n) for n in runs)), meaning))
    return rows


def mean_of(counter: Counter, log: TelemetryLog, start_ms: int, stop_ms: int) -> float | None:
    """The mean over devices and time; none where nothing was read."""
    found = series_of(log, counter.source, counter.quantity, over="entries")
    return found[0].mean(start_ms, stop_ms) if found else None


def _shown(values: tuple[float | None, ...]) -> tuple[str, ...]:
    return tuple("–" if value is None else str(for_people(value, "%")) for value in values)
