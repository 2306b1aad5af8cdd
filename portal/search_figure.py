"""The figure of a search for the capacity: what was measured at each rate, against the bound."""

from collections.abc import Sequence
from typing import Any

from harness.capacity import Probe, Search
from harness.search_table import conclusion
from portal.chart import REFERENCE, SERIES, Figure, line, shown
from portal.listing import percentile
from portal.quantities import for_people

_MARKS = {
    "valid": ("circle", SERIES[0]),
    "invalid": ("x", SERIES[6]),
    "unsure": ("diamond-open", SERIES[2]),
}
_FULL = (
    (True, "Confirmed", SERIES[1], "star"),
    (False, "Not confirmed", SERIES[6], "star-open"),
)
_WIDE = 20
"""Ratio of the highest to the lowest rate from which the axis is logarithmic."""


def search_figure(search: Search) -> Figure:
    """Throughput against latency: every probe, and the frontier of those that held."""
    drawn = [probe for probe in search.probes if probe.queries]
    rates = [probe.rate for probe in drawn] or [1.0]
    share = percentile(search.percentile)
    unit = "samples a query" if search.what == "samples_per_query" else "queries per second"
    found, wide = conclusion(search), max(rates) > _WIDE * min(rates)
    return Figure(
        id="search",
        title="The search for the capacity",
        caption=f"{found[0].upper()}{found[1:]}. {len(search.probes)} probes; the steps join what "
        "held, without guessing between.",
        traces=tuple(_traces(search, drawn, min(rates), max(rates))),
        x_title=f"{unit} (logarithmic)" if wide else unit,
        y_title="latency in ms (logarithmic)",
        table_caption="Every probe, in the order of measurement",
        headers=(unit.capitalize(), "Length", "Queries", "Beyond the bound", share.capitalize(),
                 "Lateness p99", "Verdict"),
        rows=tuple(_row(probe) for probe in search.probes),
        log_x=wide,
        log_y=True,
    )  # fmt: skip


def frontier(probes: Sequence[Probe]) -> list[Probe]:
    """The valid probes that no other beats in both rate and latency, by rate."""
    kept: list[Probe] = []
    for probe in sorted(probes, key=lambda each: (-each.rate, each.percentile_ns)):
        if probe.valid and (not kept or probe.percentile_ns < kept[-1].percentile_ns):
            kept.append(probe)
    return kept[::-1]


def _traces(
    search: Search, drawn: Sequence[Probe], low: float, high: float
) -> list[dict[str, Any]]:
    bound, edge = shown(search.bound_ns / 1e6), frontier(drawn)
    label = f"Bound {for_people(search.bound_ns / 1e9, 's')}"
    traces = [line(label, [low, high], [bound, bound], REFERENCE, dash="dash")]
    if edge:
        # First up, then right: between two probes nothing better than the slower is known.
        x, y = [shown(each.rate) for each in edge], [_ms(each) for each in edge]
        traces.append(line("Frontier", x, y, _MARKS["valid"][1], shape="vh"))
    for verdict, (symbol, colour) in _MARKS.items():
        points = [p for p in drawn if p.verdict == verdict and not p.confirming]
        if points:
            traces.append(_points(verdict.capitalize(), points, colour, symbol, 9))
    for held, name, colour, symbol in _FULL:
        points = [probe for probe in drawn if probe.confirming and probe.valid is held]
        if points:
            traces.append(_points(name, points, colour, symbol, 14))
    return traces


def _points(
    name: str, probes: Sequence[Probe], colour: str, symbol: str, size: int
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [shown(probe.rate) for probe in probes],
        "y": [_ms(probe) for probe in probes],
        "text": [f"{probe.verdict}, {probe.queries:,} queries" for probe in probes],
        "marker": {"color": colour, "size": size, "symbol": symbol},
    }


def _ms(probe: Probe) -> float:
    return shown(max(probe.percentile_ns, 1) / 1e6)


def _row(probe: Probe) -> tuple[str, ...]:
    return (
        f"{probe.rate:,.5g}" if probe.rate < 10_000 else f"{probe.rate:,.0f}",
        str(for_people(probe.duration_ns / 1e9, "s")),
        f"{probe.queries:,}",
        f"{probe.over_bound:,}",
        str(for_people(probe.percentile_ns / 1e9, "s", digits=4)),
        str(for_people(probe.lateness_p99_ns / 1e9, "s")),
        f"{probe.verdict}, full length" if probe.confirming else probe.verdict,
    )
