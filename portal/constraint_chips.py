"""Limits that were in force during a run, in a few words each."""

from collections.abc import Iterable, Mapping

from harness.records import Number
from portal.quantities import for_people

_WORDS = {
    "gpu_power_limit_w": ("power cap", "W"),
    "gpu_sm_clock_hz": ("GPU clock", "Hz"),
    "cpu_quota_cores": ("CPU quota", "cores"),
    "cpu_affinity": ("pinned to", "cores"),
    "cpu_frequency_max_hz": ("CPU clock at most", "Hz"),
    "memory_limit_bytes": ("memory limit", "B"),
}
_LARGEST = 1e24


def chips(constraints: Mapping[str, Number]) -> tuple[str, ...]:
    """``power cap 300 W`` and the like, in a fixed order; what is not known is left out."""
    return tuple(
        f"{words} {_amount(constraints[name], unit)}"
        for name, (words, unit) in _WORDS.items()
        if name in constraints and 0 < constraints[name] < _LARGEST
    )


def chips_of_all(runs: Iterable[Mapping[str, Number]]) -> tuple[str, ...]:
    """The chips of every run, each once, in the fixed order of their first run."""
    return tuple(dict.fromkeys(chip for constraints in runs for chip in chips(constraints)))


def _amount(value: Number, unit: str) -> str:
    if unit != "cores":
        return str(for_people(float(value), unit))
    return f"{value:.6g} {'core' if value == 1 else 'cores'}"
