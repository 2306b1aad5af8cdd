"""The front page's charts: the fullest leaderboard of speed against energy, and of training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.records import METRIC_OF, Metric, Scenario
from harness.telemetry.energy import Boundary
from portal.boards import Board
from portal.chart import MOST, REFERENCE, Figure, line, shown
from portal.identity import Identities
from portal.listing import Listing
from portal.measured import BOUNDARY_WORDS, Measured, UnitEnergy, measure
from portal.quantities import for_people
from portal.rendering import plural
from portal.result_marks import Spot, best_of_each, spots
from portal.time_to_train import time_to_train

_IN_TABLE = 50
_ENERGY = "speed-and-energy"


@dataclass(frozen=True)
class Overview:
    """A chart, and the leaderboard that it is of."""

    figure: Figure
    board: Board


@dataclass(frozen=True)
class _Fast:
    """An organisation's best result with its speed and its energy within the chosen boundary."""

    listing: Listing
    measured: Measured
    energy: UnitEnergy

    def beaten_by(self, other: "_Fast") -> bool:
        """Whether ``other`` is at least as fast and as frugal, and one of them more."""
        ours = (self.measured.seconds, self.energy.joules)
        theirs = (other.measured.seconds, other.energy.joules)
        return theirs != ours and all(b <= a for a, b in zip(ours, theirs, strict=True))


def overviews(boards: Iterable[Board], looks: Identities) -> list[Overview]:
    """Up to two charts: of each kind the leaderboard on which the most organisations can be drawn.

    Of a round that ranks, if any is; of equally full ones the newest.
    """
    bests = [(board, best_of_each(board.ranked)) for board in boards if board.ranked]
    measured = [
        (board, held)
        for board, best in bests
        if len(held := _measured(best)) > 1 and _is_throughput(board)
    ]
    trained = [(b, best) for b, best in bests if b.any.entry.result.scenario is Scenario.TRAIN]
    found = []
    if measured:
        board, held = max(measured, key=_fullness)
        found.append(Overview(_energy_figure(board, held, looks), board))
    if trained:
        board, best = max(trained, key=_fullness)
        found.append(Overview(_times(board, best, looks), board))
    return found


def _is_throughput(board: Board) -> bool:
    metric = METRIC_OF[board.any.entry.result.scenario]
    return metric in (Metric.THROUGHPUT, Metric.RATE, Metric.TOKENS)


def _fullness(drawn: tuple[Board, Sequence[object]]) -> tuple[bool, int, int]:
    board, held = drawn
    newest = max(run.run.started_ms for each in board.ranked for run in each.entry.runs)
    return board.any.rankable, len(held), newest


def _measured(best: Sequence[Listing]) -> list[_Fast]:
    """Those that were measured within the boundary that the most share; of several the widest."""
    found = {each: known for each in Boundary if (known := _within(best, each))}
    return max(reversed(found.values()), key=len, default=[])


def _within(best: Sequence[Listing], boundary: Boundary) -> list[_Fast]:
    return [
        _Fast(listing, known, energy)
        for listing in best
        if (known := measure(listing)) is not None
        for energy in known.energies
        if energy.boundary is boundary
    ]


def _energy_figure(board: Board, held: Sequence[_Fast], looks: Identities) -> Figure:
    kept = [one for one in held if not any(one.beaten_by(other) for other in held)]
    # Who is on the frontier is drawn first: the others are beaten by them.
    drawn = [*kept, *(one for one in held if one not in kept)][:MOST]
    edge = sorted((one for one in drawn if one in kept), key=lambda one: one.energy.joules)
    x = [shown(one.energy.joules) for one in edge]
    y = [shown(one.measured.rate[0]) for one in edge]
    unit, boundary = held[0].measured.unit, held[0].energy.boundary
    return Figure(
        id=_ENERGY,
        title=f"{board.any.workload_title}: speed against energy",
        caption=_finding(held, kept),
        # With at most so much energy nothing faster is known than the one before: steps, no slope.
        traces=(line("Frontier", x, y, REFERENCE, shape="hv"), *spots(_spots(drawn), looks)),
        x_title=f"energy per {unit} in J, {boundary}",
        y_title=held[0].measured.rate[1],
        table_caption=f"The best result of each organisation; energy is that of "
        f"{BOUNDARY_WORDS[boundary]}",
        headers=("Organisation", "System", "Speed", f"Energy per {unit}", "Uncertainty",
                 "Its results", "On the frontier"),
        rows=tuple(_row(one, board, one in kept) for one in held[:_IN_TABLE]),
        note="Further up is faster, further left takes less energy; a whisker is the uncertainty"
        f"{_rest(held, 'organisations')}.",
        from_zero=True,
        direct=True,
    )  # fmt: skip


def _spots(drawn: Sequence[_Fast]) -> list[Spot]:
    return [
        Spot(
            one.listing,
            x=one.energy.joules,
            y=one.measured.rate[0],
            label=one.listing.organisation,
            about=one.listing.system_name,
            spread=one.energy.uncertainty_j,
        )
        for one in drawn
    ]


def _finding(held: Sequence[_Fast], kept: Sequence[_Fast]) -> str:
    fastest = min(held, key=lambda one: one.measured.seconds)
    least, second = sorted(held, key=lambda one: one.energy.joules)[:2]
    of = plural(len(held), "organisation")
    apart = (
        least.energy.joules + least.energy.uncertainty_j
        < second.energy.joules - second.energy.uncertainty_j
    )
    if not apart:
        return (
            f"{fastest.listing.organisation} is the fastest of {of}; which takes the least energy "
            "cannot be told, because the uncertainties overlap."
        )
    if least is fastest:
        return f"{fastest.listing.organisation} is both the fastest of {of} and takes the least."
    joules = for_people(least.energy.joules, "J")
    return (
        f"{fastest.listing.organisation} is the fastest of {of}, "
        f"{least.listing.organisation} takes the least energy, {joules} per "
        f"{least.measured.unit}; {len(kept)} of them are beaten by no other in both."
    )


def _row(one: _Fast, board: Board, kept: bool) -> tuple[str, ...]:
    rate, rate_unit = one.measured.rate
    name = one.listing.organisation
    return (
        name,
        one.listing.system_name,
        f"{for_people(rate, '')} {rate_unit}",
        str(for_people(one.energy.joules, "J")),
        f"± {for_people(one.energy.uncertainty_j, 'J')}",
        f"best of {sum(each.organisation == name for each in board.ranked):,}",
        "yes" if kept else "no",
    )


def _rest(held: Sequence[object], noun: str) -> str:
    return f"; drawn are {MOST} of {len(held):,} {noun}" if len(held) > MOST else ""


def _times(board: Board, best: Sequence[Listing], looks: Identities) -> Figure:
    return time_to_train(
        best,
        looks,
        id="time-to-train",
        title=f"{board.any.workload_title}: time to train",
        name=lambda listing: listing.organisation,
        noun="organisation",
    )


def without_energy(found: Sequence[Overview]) -> str:
    """Why no chart of energy is among ``found``; empty if one is."""
    if any(one.figure.id == _ENERGY for one in found):
        return ""
    return (
        "There is no chart of speed against energy yet: it takes a leaderboard of throughput on "
        "which two organisations measured their energy within the same boundary."
    )
