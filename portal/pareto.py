"""Which results no other beats in everything that was measured of both, and their charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.records import HIGHER_IS_BETTER, Mode
from portal.chart import REFERENCE, SERIES, Figure, has_enough, line, shown
from portal.energy_board import short_name
from portal.facts import fact
from portal.listing import Listing, percentile
from portal.measured import Measured
from portal.quantities import for_people
from portal.query_times import quantile, query_times

_LATENCY_AT = 0.99


@dataclass(frozen=True)
class Axis:
    """One thing that a result is better or worse in."""

    id: str
    title: str
    higher: bool
    values: Mapping[str, float]
    """By result id."""
    said: Mapping[str, str]

    def cost(self, name: str) -> float:
        """The value, turned so that less is better."""
        return -self.values[name] if self.higher else self.values[name]


def axes(ranked: Sequence[Listing], measured: Mapping[str, Measured]) -> list[Axis]:
    """The score, then, where measured, latency, energy in each boundary, cost in each currency."""
    first = ranked[0]
    result = first.entry.result
    scores = {e.id: e.entry.result.value for e in ranked if e.entry.result.value is not None}
    found = [
        Axis(
            "score",
            f"score in {first.shown_unit}",
            HIGHER_IS_BETTER[result.metric],
            scores,
            {e.id: str(e.score) for e in ranked},
        )
    ]
    if result.scenario.open_loop:
        found.append(_latency(ranked))
    energies: dict[str, dict[str, float]] = {}
    costs: dict[str, dict[str, float]] = {}
    for name in scores:
        if (one := measured.get(name)) is None:
            continue
        for energy in one.energies:
            title = f"J per {one.unit}, {energy.boundary}"
            energies.setdefault(title, {})[name] = energy.joules
        if one.cost is not None:
            costs.setdefault(f"{one.currency} per {one.per[1]}", {})[name] = one.cost
    for number, (title, values) in enumerate(energies.items(), 1):
        said = {name: str(for_people(value, "J")) for name, value in values.items()}
        found.append(Axis(f"energy-{number}", title, False, values, said))
    for number, (title, values) in enumerate(costs.items(), 1):
        said = {name: str(for_people(value, "")) for name, value in values.items()}
        found.append(Axis(f"cost-{number}", title, False, values, said))
    return found


def _latency(ranked: Sequence[Listing]) -> Axis:
    """The 99th percentile, of logs that are long enough for it, in an open loop's own runs."""
    found = {listing.id: tail_latency(listing) for listing in ranked}
    values = {name: seconds for name, seconds in found.items() if seconds is not None}
    return Axis(
        "latency",
        f"{percentile(_LATENCY_AT)} of latency in s",
        False,
        values,
        {name: str(for_people(value, "s")) for name, value in values.items()},
    )


@fact
def tail_latency(listing: Listing) -> float | None:
    """The 99th percentile of latency of the one performance run, in s; none of too few queries."""
    runs = listing.entry.of_mode(Mode.PERFORMANCE)
    log = runs[0].queries if len(runs) == 1 else None
    latency = query_times(log).latency if log is not None else np.empty(0)
    return quantile(latency, _LATENCY_AT) if has_enough(len(latency), _LATENCY_AT) else None


def unbeaten(names: Sequence[str], over: Sequence[Axis]) -> list[str]:
    """Those that no other is at least as good as in all that they were measured in, and better.

    Who was not measured in something beats nobody who was.
    """
    return [name for name in names if not any(_beats(other, name, over) for other in names)]


def _beats(one: str, other: str, over: Sequence[Axis]) -> bool:
    counted = [axis for axis in over if other in axis.values]
    if not counted or any(one not in axis.values for axis in counted):
        return False
    pairs = [(axis.cost(one), axis.cost(other)) for axis in counted]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def pareto_figures(ranked: Sequence[Listing], over: Sequence[Axis]) -> list[Figure]:
    """The score against each other axis that two results or more were measured in."""
    score, *others = over
    return [_figure(ranked, score, axis) for axis in others if len(axis.values) > 1]


def _figure(ranked: Sequence[Listing], score: Axis, axis: Axis) -> Figure:
    drawn = [each for each in ranked if each.id in score.values and each.id in axis.values]
    kept = unbeaten([each.id for each in drawn], (score, axis))
    names = {each.id: each.system_name for each in drawn}
    edge = sorted(kept, key=lambda name: score.values[name])
    x, y = [shown(score.values[n]) for n in edge], [shown(axis.values[n]) for n in edge]
    # Between two results nothing better is known than the one that is at least as fast.
    steps = line("Frontier", x, y, REFERENCE, shape="vh" if score.higher else "hv")
    beaten = " Who is not is beaten in both at once." if len(kept) < len(drawn) else ""
    unit = axis.title.partition(",")[0]
    return Figure(
        id=f"pareto-{axis.id}",
        title=f"Speed against {axis.id.partition('-')[0]}",
        caption=f"{len(kept)} of {len(drawn)} {'is' if len(kept) == 1 else 'are'} on the frontier: "
        f"{', '.join(names[name] for name in kept)}.{beaten} The steps join results that were "
        "measured, without guessing between.",
        traces=(steps, *(_point(at, each, score, axis) for at, each in enumerate(drawn))),
        x_title=score.title,
        y_title=axis.title,
        table_caption=f"{score.title}, against {axis.title}",
        headers=("System", "Score", unit, "On the frontier"),
        rows=tuple(
            (each.system_name, score.said[each.id], axis.said[each.id],
             "yes" if each.id in kept else "no")
            for each in drawn
        ),
    )  # fmt: skip


def _point(at: int, listing: Listing, score: Axis, axis: Axis) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": short_name(listing),
        "x": [shown(score.values[listing.id])],
        "y": [shown(axis.values[listing.id])],
        "marker": {"color": SERIES[at % len(SERIES)], "size": 12},
    }
