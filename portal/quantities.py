"""SI values as people read them: one function, three significant digits, a fitting prefix."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A number and its unit, ready to print; a page may set the two apart."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}".strip()


_STEPS: dict[str, tuple[tuple[float, str], ...]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "Hz": ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz")),
    "B": ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    "B/s": ((2.0**30, "GiB/s"), (2.0**20, "MiB/s"), (2.0**10, "KiB/s"), (1.0, "B/s")),
    "samples/s": ((1.0, "samples/s"),),
    "queries/s": ((1.0, "queries/s"),),
    "tokens/s": ((1.0, "tokens/s"),),
    "J": ((1e6, "MJ"), (1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ")),
    "kg": ((1.0, "kg"), (1e-3, "g"), (1e-6, "mg")),
    "W": ((1e3, "kW"), (1.0, "W")),
    "FLOP/s": ((1e12, "TFLOP/s"), (1e9, "GFLOP/s"), (1.0, "FLOP/s")),
    "%": ((0.01, "%"),),
    "": ((1.0, ""),),
}
"""Largest first; a value below the smallest step is shown in it."""

_MINUTES_FROM_S = 600.0


def for_people(value: float, unit: str, digits: int = 3) -> Quantity:
    """``value`` in SI ``unit`` with ``digits`` significant digits: 0.00123 s is 1.23 ms.

    Units are ``s``, ``samples/s``, ``queries/s``, ``tokens/s``, ``B``, ``B/s``, ``Hz``, ``J``,
    ``W``, ``kg``, ``FLOP/s``, ``%`` (of a ratio, so 0.985 is 98.5 %) and the empty unit. A
    thousand or more keeps every digit before the point.
    """
    if value == 0 or not math.isfinite(value):
        name_of_one = dict(_STEPS[unit]).get(1.0, unit)
        return Quantity(f"{value:g}", name_of_one)
    size, name = step_of(float(f"{value:.{digits - 1}e}"), unit)
    return Quantity(_significant(value / size, digits), name)


def step_of(value: float, unit: str) -> tuple[float, str]:
    """Size, in the SI ``unit``, and name of the unit in which a person reads ``value``."""
    if unit == "s" and abs(value) >= _MINUTES_FROM_S:
        return 60.0, "min"
    steps = _STEPS[unit]
    return next((step for step in steps if abs(value) >= step[0]), steps[-1])


def _significant(value: float, digits: int) -> str:
    magnitude = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def range_for_people(low: float, high: float, unit: str, digits: int = 3) -> str:
    """An interval: ``8.31 s to 9.02 s``, and ``from 8.31 s`` if its upper end is infinite."""
    least = for_people(low, unit, digits)
    return (
        f"{least} to {for_people(high, unit, digits)}" if math.isfinite(high) else f"from {least}"
    )
