"""Energy on a leaderboard: a ranking for each boundary, and performance per watt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.telemetry.energy import Boundary
from portal.chart import Figure
from portal.identity import Identities
from portal.listing import Listing
from portal.measured import BOUNDARY_WORDS, Measured, UnitEnergy
from portal.quantities import Quantity, for_people
from portal.result_marks import MOST_SPOTS, Spot, spots


@dataclass(frozen=True)
class EnergyRow:
    """One result within one boundary."""

    listing: Listing
    rank: int | None
    """One more than the number of results that took less beyond both uncertainties."""
    joules: Quantity
    uncertainty: Quantity
    watts: Quantity
    performance: str
    per_watt: str
    range_j: tuple[float, float]
    """The energy less and plus its uncertainty."""

    def apart(self, more: "EnergyRow") -> bool:
        """Whether it took less than ``more`` beyond both uncertainties."""
        return self.range_j[1] < more.range_j[0]


@dataclass(frozen=True)
class EnergyBoard:
    """The results that were measured within one boundary, the least energy first."""

    boundary: Boundary
    words: str
    unit: str
    rows: tuple[EnergyRow, ...]
    figure: Figure | None
    """Performance against power; none of a single result."""


def energy_boards(
    ranked: Sequence[Listing], measured: Mapping[str, Measured], looks: Identities
) -> list[EnergyBoard]:
    """A board for each boundary within which some result of ``ranked`` was measured."""
    held: dict[Boundary, list[tuple[Listing, Measured, UnitEnergy]]] = {}
    for listing in ranked:
        for energy in measured[listing.id].energies if listing.id in measured else ():
            held.setdefault(energy.boundary, []).append((listing, measured[listing.id], energy))
    return [_board(boundary, held[boundary], looks) for boundary in Boundary if boundary in held]


def energy_cells(measured: Mapping[str, Measured]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Energy a unit and its boundary, by the id of each result that has any."""
    return {
        name: tuple((str(for_people(one.joules, "J")), one.boundary.value) for one in each.energies)
        for name, each in measured.items()
        if each.energies
    }


_Held = Sequence[tuple[Listing, Measured, UnitEnergy]]


def _board(boundary: Boundary, held: _Held, looks: Identities) -> EnergyBoard:
    ordered = sorted(held, key=lambda one: (one[2].joules, one[0].id))
    highest = [one.joules + one.uncertainty_j for _, _, one in ordered]
    rows = []
    for listing, each, energy in ordered:
        less = sum(high < energy.joules - energy.uncertainty_j for high in highest)
        rate, rate_unit = each.rate
        rows.append(
            EnergyRow(
                listing=listing,
                rank=less + 1 if listing.rankable else None,
                joules=for_people(energy.joules, "J"),
                uncertainty=for_people(energy.uncertainty_j, "J"),
                watts=for_people(energy.joules / each.seconds, "W"),
                performance=f"{for_people(rate, '')} {rate_unit}",
                per_watt=_per_watt(each, energy),
                range_j=(
                    energy.joules - energy.uncertainty_j,
                    energy.joules + energy.uncertainty_j,
                ),
            )
        )
    figure = _figure(boundary, ordered, rows, looks) if len(ordered) > 1 else None
    return EnergyBoard(boundary, BOUNDARY_WORDS[boundary], ordered[0][1].unit, tuple(rows), figure)


def _per_watt(each: Measured, energy: UnitEnergy) -> str:
    """Performance per watt is units of work per joule, whatever the performance is counted in."""
    if energy.joules <= 0:
        return "–"
    if each.unit == "training run":
        return f"{for_people(3.6e6 / energy.joules, '')} training runs per kWh"
    return f"{for_people(1 / energy.joules, '')} {each.unit}s per joule"


def _figure(
    boundary: Boundary, held: _Held, rows: Sequence[EnergyRow], looks: Identities
) -> Figure:
    rest = f" Drawn are {MOST_SPOTS} of {len(held):,}." if len(held) > MOST_SPOTS else ""
    return Figure(
        id=f"per-watt-{boundary}",
        title=f"Performance per watt, {boundary}",
        caption=_finding(rows),
        traces=tuple(spots([_spot(*one) for one in held[:MOST_SPOTS]], looks)),
        x_title=f"mean power in W, {boundary}",
        y_title=held[0][1].rate[1],
        table_caption=f"Performance and power, {BOUNDARY_WORDS[boundary]}",
        headers=("System", "Organisation", "Performance", "Mean power", "Performance per watt",
                 "Uncertainty of the energy"),
        rows=tuple(
            (row.listing.system_name, row.listing.organisation, row.performance, str(row.watts),
             row.per_watt, f"{row.joules} ± {row.uncertainty}")
            for row in rows[:MOST_SPOTS]
        ),
        note="Further up is faster, further left draws less; the slope of a line from the origin "
        f"is performance per watt.{rest}",
        from_zero=True,
        direct=True,
    )  # fmt: skip


def _finding(rows: Sequence[EnergyRow]) -> str:
    best, second = rows[:2]
    if best.apart(second):
        return (
            f"{best.listing.system_name} does the most with a joule: {best.per_watt}, "
            f"at {best.watts}."
        )
    return "Which does the most with a joule cannot be told: the uncertainties overlap."


def _spot(listing: Listing, each: Measured, energy: UnitEnergy) -> Spot:
    return Spot(
        listing,
        x=energy.joules / each.seconds,
        y=each.rate[0],
        label=listing.system_name,
        about=f"{listing.system_name}: {_per_watt(each, energy)}",
        spread=energy.uncertainty_j / each.seconds,
    )
