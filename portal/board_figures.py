"""The figures of a leaderboard that are of the scores themselves, not of energy or cost."""

from collections.abc import Sequence

from harness.records import Scenario
from portal.chart import Figure
from portal.identity import Identities
from portal.listing import Listing
from portal.per_accelerator import accelerator_figures
from portal.time_to_train import time_to_train
from portal.utilisation_figure import utilisation_figures


def board_figures(ranked: Sequence[Listing], looks: Identities) -> list[Figure]:
    """Those that ``ranked``, best first, have what it takes for."""
    if not ranked:
        return []
    found = [*accelerator_figures(ranked, looks), *utilisation_figures(ranked)]
    if ranked[0].entry.result.scenario is not Scenario.TRAIN:
        return found
    return [
        time_to_train(
            ranked,
            looks,
            id="time-to-train",
            title="Every run",
            name=lambda listing: listing.system_name,
        ),
        *found,
    ]
