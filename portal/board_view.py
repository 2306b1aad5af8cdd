"""What a leaderboard's page shows beside the ranking: constraints, energy, cost, frontiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.chart import Figure
from portal.constraint_chips import chips, filters, limits_of
from portal.energy_board import EnergyBoard, energy_boards, energy_cells
from portal.listing import Listing
from portal.measured import measure
from portal.pareto import axes, pareto_figures, unbeaten
from portal.price_board import PriceBoard, price_board


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

    @property
    def figures(self) -> bool:
        """Whether there is something to draw."""
        return bool(self.pareto) or any(board.figure for board in self.energy)


def board_view(ranked: Sequence[Listing]) -> BoardView:
    """The view of the results of a leaderboard, best first."""
    measured = {each.id: found for each in ranked if (found := measure(each)) is not None}
    limits = filters(ranked)
    over = axes(ranked, measured) if ranked else []
    return BoardView(
        unit=next((each.unit for each in measured.values()), ""),
        cells=energy_cells(measured),
        chips={each.id: chips(limits_of(each)) for each in ranked},
        limits=limits,
        choices=tuple(dict.fromkeys(name for each in ranked for name in limits[each.id])),
        energy=tuple(energy_boards(ranked, measured)),
        prices=price_board(ranked, measured),
        pareto=tuple(pareto_figures(ranked, over)) if over else (),
        unbeaten=_unbeaten(ranked, unbeaten([each.id for each in ranked], over)),
    )


def _unbeaten(ranked: Sequence[Listing], kept: Sequence[str]) -> str:
    names = ", ".join(each.system_name for each in ranked if each.id in kept)
    return (
        "Beaten by no other in all that both were measured in, of speed, latency, energy and cost: "
        f"{names}."
    )
