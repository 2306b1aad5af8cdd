"""Which results no other beats in everything that was measured of both, and their charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.records import HIGHER_IS_BETTER, Mode
from portal.chart import MOST, REFERENCE, Figure, has_enough, line, shown
from portal.facts import fact
from portal.identity import Identities
from portal.listing import Listing, percentile
from portal.measured import Measured
from portal.quantities import for_people
from portal.query_times import quantile, query_times
from portal.result_marks import MOST_SPOTS, Spot, spots

_LATENCY_AT = 0.99
LATENCY = "pareto-latency"
"""The figure of the score against latency."""


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
    kept: list[str] = []
    for name in names:
        # Who is beaten by one that is itself beaten is beaten by whoever beats that one, too.
        if not any(_beats(other, name, over) for other in kept):
            kept = [other for other in kept if not _beats(name, other, over)] + [name]
    return kept


def _beats(one: str, other: str, over: Sequence[Axis]) -> bool:
    counted = [axis for axis in over if other in axis.values]
    if not counted or any(one not in axis.values for axis in counted):
        return False
    pairs = [(axis.cost(one), axis.cost(other)) for axis in counted]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def pareto_figures(
    ranked: Sequence[Listing], over: Sequence[Axis], looks: Identities
) -> list[Figure]:
    """The score against each other axis that two results or more were measured in."""
    score, *others = over
    return [_figure(ranked, score, axis, looks) for axis in others if len(axis.values) > 1]


def _figure(ranked: Sequence[Listing], score: Axis, axis: Axis, looks: Identities) -> Figure:
    held = [each for each in ranked if each.id in score.values and each.id in axis.values]
    kept = unbeaten([each.id for each in held], (score, axis))
    # Who is on the frontier is drawn and labelled first.
    drawn = sorted(held, key=lambda each: each.id not in kept)[:MOST_SPOTS]
    edge = sorted(kept, key=lambda name: score.values[name])
    x, y = [shown(score.values[n]) for n in edge], [shown(axis.values[n]) for n in edge]
    # Between two results nothing better is known than the one that is at least as fast.
    steps = line("Frontier", x, y, REFERENCE, shape="vh" if score.higher else "hv")
    unit = axis.title.partition(",")[0]
    return Figure(
        id=f"pareto-{axis.id}",
        title=f"Speed against {axis.id.partition('-')[0]}",
        caption=_caption(held, kept),
        note="The steps join results that were measured, without guessing between."
        + (f" Drawn are {MOST_SPOTS} of {len(held):,}." if len(held) > MOST_SPOTS else ""),
        traces=(steps, *spots([_spot(each, score, axis) for each in drawn], looks)),
        x_title=score.title,
        y_title=axis.title,
        table_caption=f"{score.title}, against {axis.title}",
        headers=("System", "Organisation", "Score", unit, "On the frontier"),
        rows=tuple(
            (each.system_name, each.organisation, score.said[each.id], axis.said[each.id],
             "yes" if each.id in kept else "no")
            for each in drawn
        ),
        direct=True,
    )  # fmt: skip


def _caption(held: Sequence[Listing], kept: Sequence[str]) -> str:
    names = [each.system_name for each in held if each.id in kept]
    few = ", ".join(names[:MOST]) + (", and others" if len(names) > MOST else "")
    beaten = " Who is not is beaten in both at once." if len(kept) < len(held) else ""
    return (
        f"{len(kept)} of {len(held):,} {'is' if len(kept) == 1 else 'are'} on the frontier: {few}."
        f"{beaten}"
    )


def _spot(listing: Listing, score: Axis, axis: Axis) -> Spot:
    name = listing.id
    return Spot(
        listing,
        x=score.values[name],
        y=axis.values[name],
        label=listing.system_name,
        about=f"{listing.system_name}: {score.said[name]}, {axis.said[name]}",
    )
