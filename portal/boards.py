"""Leaderboards: results of one round, workload, scenario and division, ordered by score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.records import HIGHER_IS_BETTER, Scenario
from portal.listing import Listing, percentile
from portal.quantities import for_people


@dataclass(frozen=True)
class Board:
    """One leaderboard."""

    ranked: tuple[Listing, ...]
    """Accepted results, best first; in a round that ranks, each with its rank."""
    refused: tuple[Listing, ...]
    """Results with errors or without a score, by id."""

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Every result, ranked ones first."""
        return self.ranked + self.refused

    @property
    def best(self) -> Listing | None:
        """The first of the ranked."""
        return next(iter(self.ranked), None)

    @property
    def any(self) -> Listing:
        """Some result of the board, for what all of them share."""
        return self.listings[0]

    @property
    def address(self) -> str:
        """The board's page, from the root of the site."""
        return self.any.board_address

    @property
    def method(self) -> str:
        """How the score is measured, in three sentences with the round's own numbers."""
        return describe_method(self.any)


def make_boards(listings: Sequence[Listing]) -> list[Board]:
    """The leaderboards that ``listings`` fill, by address."""
    grouped: dict[str, list[Listing]] = {}
    for listing in listings:
        grouped.setdefault(listing.board_address, []).append(listing)
    return [_board(grouped[address]) for address in sorted(grouped)]


def _board(listings: list[Listing]) -> Board:
    accepted = sorted((each for each in listings if each.accepted), key=_order)
    return Board(
        ranked=tuple(replace(each, rank=_rank(each, accepted)) for each in accepted),
        refused=tuple(sorted((e for e in listings if not e.accepted), key=lambda e: e.id)),
    )


def _order(listing: Listing) -> tuple[float, str]:
    result = listing.entry.result
    assert result.value is not None  # only accepted results are ordered
    sign = -1 if HIGHER_IS_BETTER[result.metric] else 1
    return (sign * result.value, listing.id)


def _rank(listing: Listing, accepted: Sequence[Listing]) -> int | None:
    """One more than the number of better results, so that equal scores share a rank."""
    if not listing.rankable:
        return None
    return 1 + sum(_order(other)[0] < _order(listing)[0] for other in accepted)


def describe_method(listing: Listing) -> str:
    """How the score of ``listing`` is measured, with the round's and the card's numbers."""
    scenario = listing.entry.result.scenario
    return _training(listing) if scenario is Scenario.TRAIN else _inference(listing, scenario)


def _training(listing: Listing) -> str:
    facts, target = listing.round.training, listing.card.training.target
    return (
        f"A run is timed from the first touch of the data until {target.metric} reaches "
        f"{target.value:g} on the evaluation set. The round asks for {facts.runs} runs, each from "
        f"a new seed; the fastest and the slowest ({facts.drop} each) are dropped and the mean of "
        "the rest is the score. A run that never reaches the target counts as the slowest; "
        f"with more than {facts.tolerated_non_converging} of them there is no score."
    )


def _inference(listing: Listing, scenario: Scenario) -> str:
    settings = listing.round.settings(scenario, listing.card)
    least = f"for at least {settings.min_duration_ns / 1e9:g} s and {settings.min_query_count:,}"
    accuracy = (
        "A second run answers the whole data set, and its quality must be at least "
        f"{for_people(listing.round.accuracy_floor, '%')} of the reference's "
        f"{listing.card.inference.reference_quality:.4g} {listing.card.inference.metric}."
    )
    if scenario is Scenario.OFFLINE:
        return (
            f"All samples are offered at once, {least} samples. The score is the number of samples "
            f"divided by the time from the first sample offered to the last answer. {accuracy}"
        )
    return (
        f"Queries come one at a time, each as soon as the last is answered, {least} queries. "
        f"The score is the {percentile(settings.percentile)} of latency, estimated so that it "
        f"is too low in at most 1 of 100 such runs, as MLPerf's LoadGen does. {accuracy}"
    )
