"""What a leaderboard's page shows beside the ranking: constraints, energy, cost, frontiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.board_figures import board_figures
from portal.chart import Figure
from portal.constraint_chips import chips, filters, limits_of
from portal.energy_board import EnergyBoard, energy_boards, energy_cells
from portal.identity import Identities
from portal.listing import Listing
from portal.measured import measure
from portal.pareto import LATENCY, axes, pareto_figures, unbeaten
from portal.price_board import PriceBoard, price_board

_NAMED = 20
"""Systems that a sentence can name."""


@dataclass(frozen=True)
class BoardView:
    """One board's further parts; what was not measured is empty."""

    unit: str
    """What energy is told for."""
    cells: Mapping[str, tuple[tuple[str, str], ...]]
    """Energy with its boundary, by result id; empty where no result has any."""
    chips: Mapping[str, tuple[str, ...]]
    limits: Mapping[str, tuple[str, ...]]
    """What each result may be filtered by, by its id."""
    choices: tuple[str, ...]
    energy: tuple[EnergyBoard, ...]
    prices: PriceBoard | None
    pareto: tuple[Figure, ...]
    unbeaten: str
    charts: tuple[Figure, ...]
    """Of the scores themselves, and of latency, which an open loop is about."""

    @property
    def figures(self) -> bool:
        """Whether there is something to draw."""
        return bool(self.charts or self.pareto) or any(board.figure for board in self.energy)


def board_view(ranked: Sequence[Listing], looks: Identities) -> BoardView:
    """The view of the results of a leaderboard, best first; ``looks`` are organisations' marks."""
    measured = {each.id: found for each in ranked if (found := measure(each)) is not None}
    limits = filters(ranked)
    over = axes(ranked, measured) if ranked else []
    frontiers = pareto_figures(ranked, over, looks) if over else []
    latency = [figure for figure in frontiers if figure.id == LATENCY]
    return BoardView(
        unit=next((each.unit for each in measured.values()), ""),
        cells=energy_cells(measured),
        chips={each.id: chips(limits_of(each)) for each in ranked},
        limits=limits,
        choices=tuple(dict.fromkeys(name for each in ranked for name in limits[each.id])),
        energy=tuple(energy_boards(ranked, measured, looks)),
        prices=price_board(ranked, measured),
        pareto=tuple(figure for figure in frontiers if figure not in latency),
        charts=(*latency, *board_figures(ranked, looks)),
        unbeaten=_unbeaten(ranked, unbeaten([each.id for each in ranked], over)),
    )


def _unbeaten(ranked: Sequence[Listing], kept: Sequence[str]) -> str:
    names = [each.system_name for each in ranked if each.id in kept]
    rest = len(names) - _NAMED
    return (
        "Beaten by no other in all that both were measured in, of speed, latency, energy and cost: "
        f"{', '.join(names[:_NAMED])}{f' and {rest:,} more' if rest > 0 else ''}."
    )
