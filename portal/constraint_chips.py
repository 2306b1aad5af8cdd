"""Limits that were in force during a run, in a few words each."""

from collections.abc import Iterable, Mapping, Sequence

from harness.records import Number
from portal.listing import Listing
from portal.quantities import for_people

_WORDS = {
    "gpu_power_limit_w": ("power cap", "W"),
    "gpu_sm_clock_hz": ("GPU clock", "Hz"),
    "cpu_quota_cores": ("CPU quota", "cores"),
    "cpu_affinity": ("pinned to", "cores"),
    "cpu_frequency_max_hz": ("CPU clock at most", "Hz"),
    "memory_limit_bytes": ("memory limit", "B"),
}
_CAP = "gpu_power_limit_w"
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


def limits_of(listing: Listing) -> dict[str, Number]:
    """Limits in force in every run of a result, each at its loosest; all are upper limits."""
    runs = [evidence.run.constraints for evidence in listing.entry.runs]
    shared = set.intersection(*(set(run) for run in runs)) if runs else set()
    return {name: max(run[name] for run in runs) for name in sorted(shared)}


def filters(listings: Sequence[Listing]) -> dict[str, tuple[str, ...]]:
    """What a leaderboard can be filtered by, by result id: ``within 300 W``, ``CPU quota 2 cores``.

    A result that was held to 250 W is also one within 300 W.
    """
    limits = {listing.id: limits_of(listing) for listing in listings}
    caps = sorted({each[_CAP] for each in limits.values() if 0 < each.get(_CAP, 0) < _LARGEST})
    return {
        name: tuple(f"within {_amount(cap, 'W')}" for cap in caps if 0 < found.get(_CAP, 0) <= cap)
        + chips({key: value for key, value in found.items() if key != _CAP})
        for name, found in limits.items()
    }


def _amount(value: Number, unit: str) -> str:
    if unit != "cores":
        return str(for_people(float(value), unit))
    return f"{value:.6g} {'core' if value == 1 else 'cores'}"
