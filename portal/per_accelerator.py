"""Figures of how much one accelerator does: of each result, and as one organisation adds more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records import HIGHER_IS_BETTER, Metric
from portal.chart import MOST, REFERENCE, Figure, line, shown
from portal.identity import Identities
from portal.labels import short
from portal.listing import Listing
from portal.margins import margins
from portal.quantities import for_people
from portal.rendering import plural

_IN_TABLE = 50


@dataclass(frozen=True)
class _Scaled:
    """A result of a system with accelerators."""

    listing: Listing
    count: int

    @property
    def higher(self) -> bool:
        """Whether its score is the better the higher it is."""
        return HIGHER_IS_BETTER[self.listing.entry.result.metric]

    @property
    def value(self) -> float:
        """Its score."""
        return self.listing.entry.result.value or 0.0

    @property
    def speed(self) -> float:
        """The score, or its inverse where less is better."""
        return self.value if self.higher else 1 / self.value

    @property
    def each(self) -> float:
        """Of one accelerator: its share of the rate, or the time of all of them together."""
        return self.value / self.count if self.higher else self.value * self.count


def accelerator_figures(ranked: Sequence[Listing], looks: Identities) -> list[Figure]:
    """What one accelerator does, where counts differ; none of latency, which no further one halves.

    Accelerators are those of the system's description.
    """
    scaled = [
        _Scaled(listing, count)
        for listing in ranked
        if (count := len(listing.published.system.accelerators))
        and listing.entry.result.metric is not Metric.LATENCY
        and listing.entry.result.value
    ]
    if len({one.count for one in scaled}) < 2:
        return []
    families = _families(scaled)
    figures = [_each_figure(scaled, looks)]
    return [*figures, _scaling_figure(families, looks)] if families else figures


def _each_figure(scaled: Sequence[_Scaled], looks: Identities) -> Figure:
    higher = scaled[0].higher
    ordered = sorted(scaled, key=lambda one: (-one.each if higher else one.each, one.listing.id))
    drawn, best = ordered[:MOST], ordered[0]
    said, title = _said(best), "of one accelerator" if higher else "accelerator-minutes of a run"
    return Figure(
        id="per-accelerator",
        title="Per accelerator",
        caption=f"{best.listing.system_name} does the most with one accelerator, {said}, and has "
        f"{plural(best.count, 'accelerator')}. {_first(ordered)}",
        note="Beside each name stands the number of its accelerators.",
        traces=(_bars(drawn, looks),),
        x_title=f"{best.listing.shown_unit} {title}" if higher else title,
        y_title="",
        table_caption="Score divided among the accelerators of the system’s description",
        headers=("System", "Organisation", "Accelerators", "Score", "Interval", "Per accelerator"),
        rows=tuple(_each_rows(ordered[:_IN_TABLE])),
        y_names=tuple(f"{short(one.listing.system_name)}: {one.count:,}" for one in drawn),
    )


def _first(ordered: Sequence[_Scaled]) -> str:
    leader = min(ordered, key=lambda one: -one.speed)
    drawn = f" Drawn are the first {MOST} of {len(ordered):,}." if len(ordered) > MOST else ""
    if leader is ordered[0]:
        return f"It leads in the score as well.{drawn}"
    return (
        f"The best score, {leader.listing.score}, is of {leader.listing.system_name} with "
        f"{leader.count:,}.{drawn}"
    )


def _said(one: _Scaled) -> str:
    if one.higher:
        return f"{for_people(one.each, one.listing.shown_unit)} each"
    return f"{for_people(one.each / 60, '')} accelerator-minutes a run"


def _bars(drawn: Sequence[_Scaled], looks: Identities) -> dict[str, Any]:
    scale = 1.0 if drawn[0].higher else 60.0
    return {
        "type": "bar",
        "orientation": "h",
        "name": "Per accelerator",
        "showlegend": False,
        "x": [shown(one.each / scale) for one in drawn],
        "y": list(range(len(drawn))),
        "width": 0.6,
        "hovertemplate": "%{x}<extra></extra>",
        "marker": {"color": [looks[one.listing.organisation].colour for one in drawn]},
    }


def _each_rows(ordered: Sequence[_Scaled]) -> list[tuple[str, ...]]:
    sure = margins([one.listing for one in ordered])
    return [
        (
            one.listing.system_name,
            one.listing.organisation,
            f"{one.count:,}",
            str(one.listing.score),
            sure[one.listing.id].score or "–",
            _said(one),
        )
        for one in ordered
    ]


_Family = tuple[str, str, str]
"""Organisation, accelerator, and what answered: what one curve has in common."""


def _families(scaled: Sequence[_Scaled]) -> dict[_Family, list[_Scaled]]:
    """The best result of each number of accelerators, where there are several, fewest first."""
    grouped: dict[_Family, dict[int, _Scaled]] = {}
    for one in scaled:  # the best stand first
        models = " and ".join(
            dict.fromkeys(each.model for each in one.listing.published.system.accelerators)
        )
        family = (one.listing.organisation, models, one.listing.variant)
        grouped.setdefault(family, {}).setdefault(one.count, one)
    return {
        family: [held[count] for count in sorted(held)]
        for family, held in grouped.items()
        if len(held) > 1
    }


def _scaling_figure(families: Mapping[_Family, Sequence[_Scaled]], looks: Identities) -> Figure:
    counts = sorted({one.count for held in families.values() for one in held})
    ideal = line("No loss", [counts[0], counts[-1]], [100, 100], REFERENCE, dash="dash")
    rows = [row for family, held in families.items() for row in _scaling_rows(family, held)]
    return Figure(
        id="scaling",
        title="Scaling efficiency",
        caption=_finding(families),
        traces=(ideal, *(_curve(*each, looks) for each in [*families.items()][:24])),
        x_title="accelerators (logarithmic)",
        y_title="efficiency in %",
        table_caption="Speed per accelerator against the same organisation’s smallest system",
        headers=("Organisation", "Accelerator", "How many", "Score", "Interval", "Times as fast",
                 "Efficiency"),
        rows=tuple(rows[:_IN_TABLE]),
        log_x=True,
        x_ticks=tuple(float(count) for count in counts),
    )  # fmt: skip


def _efficiency(one: _Scaled, smallest: _Scaled) -> float:
    """Speed per accelerator, as a share of that of the smallest."""
    return one.speed / one.count / (smallest.speed / smallest.count)


def _finding(families: Mapping[_Family, Sequence[_Scaled]]) -> str:
    said = []
    for (organisation, model, _), held in [*families.items()][:2]:
        first, last = held[0], held[-1]
        share = for_people(_efficiency(last, first), "%")
        said.append(
            f"{organisation} keeps {share} of the speed of each accelerator from {first.count:,} "
            f"to {last.count:,} ({model})."
        )
    rest = len(families) - len(said)
    return " ".join(said) + (f" The table has {rest:,} more." if rest else "")


def _curve(family: _Family, held: Sequence[_Scaled], looks: Identities) -> dict[str, Any]:
    organisation, model, variant = family
    look = looks[organisation]
    name = short(", ".join(part for part in (organisation, model, variant) if part))
    x = [float(one.count) for one in held]
    y = [shown(100 * _efficiency(one, held[0])) for one in held]
    return line(name, x, y, look.colour, markers=True) | {
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 10}
    }


def _scaling_rows(family: _Family, held: Sequence[_Scaled]) -> list[tuple[str, ...]]:
    sure = margins([one.listing for one in held])
    return [
        (
            family[0],
            family[1],
            f"{one.count:,}",
            str(one.listing.score),
            sure[one.listing.id].score or "–",
            f"{for_people(one.speed / held[0].speed, '')} ×",
            str(for_people(_efficiency(one, held[0]), "%")),
        )
        for one in held
    ]
