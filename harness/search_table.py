"""A search for the capacity as a terminal shows it: rows with a bar each, and its conclusion."""

from harness.capacity import Probe, Search

SEARCH_HEADER = [
    "Rate",
    "Length",
    "Queries",
    "Beyond",
    "Percentile",
    "Against the bound",
    "Verdict",
]
_TO_BOUND = 14
"""Cells of a bar from nothing to the bound; beyond it there are half as many again."""


def search_rows(search: Search) -> list[list[str]]:
    """One row a probe under `SEARCH_HEADER`, in the order of measurement."""
    return [_row(probe, search.bound_ns) for probe in search.probes]


def conclusion(search: Search) -> str:
    """What the search found, in a sentence; if nothing, why and what to do."""
    share, bound = f"{search.percentile * 100:g}th percentile", _time(search.bound_ns)
    if search.found is not None:
        return (
            f"found {_amount(search, search.found)}: a run of full length kept the {share} "
            f"within {bound}"
        )
    if any(probe.confirming for probe in search.probes):
        return (
            f"no capacity found: no run of full length kept the {share} within {bound}; "
            "quieten the machine, then search again"
        )
    lowest = min(search.probes, key=lambda probe: probe.rate)
    return (
        f"no capacity found: even at {_amount(search, lowest.rate)} the {share} of latency, "
        f"{_time(lowest.percentile_ns)}, is not shown to be within {bound}; "
        "the system under test is too slow for this scenario at any load"
    )


def _amount(search: Search, rate: float) -> str:
    if search.what == "samples_per_query":
        return f"{rate:,.0f} samples a query"
    return f"{rate:,.4g} queries per second" if rate < 1000 else f"{rate:,.0f} queries per second"


def _row(probe: Probe, bound_ns: int) -> list[str]:
    return [
        f"{probe.rate:,.4g}" if probe.rate < 1000 else f"{probe.rate:,.0f}",
        _time(probe.duration_ns),
        f"{probe.queries:,}",
        f"{probe.over_bound:,}",
        _time(probe.percentile_ns),
        _bar(probe.percentile_ns / bound_ns),
        f"{probe.verdict}, full length" if probe.confirming else probe.verdict,
    ]


def _bar(ratio: float) -> str:
    """Filled up to ``ratio`` bounds; the stroke is the bound, the arrow stands for more."""
    filled = round(ratio * _TO_BOUND)
    within = "█" * min(filled, _TO_BOUND)
    beyond, room = max(0, filled - _TO_BOUND), _TO_BOUND // 2
    tail = "█" * room + "▶" if beyond > room else "█" * beyond
    return f"{within:<{_TO_BOUND}}│{tail}"


def _time(ns: int) -> str:
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= size:
            return f"{ns / size:.3g} {unit}" if ns < 1e12 else f"{ns / size:,.0f} {unit}"
    return f"{ns} ns"
