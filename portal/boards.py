"""Leaderboards: results of one round, workload, scenario and division, ordered by score, ranked
as far as their runs tell them apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.records import HIGHER_IS_BETTER, Scenario
from portal.listing import Listing, percentile
from portal.quantities import for_people
from portal.scores import compared_runs
from rules.ranking import tied_ranks
from rules.significance import LEAST_RUNS


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

    @property
    def about_ranks(self) -> str:
        """What a rank says; empty in a round that does not rank."""
        return describe_ranks(self.any)


def make_boards(listings: Sequence[Listing]) -> list[Board]:
    """The leaderboards that ``listings`` fill, by address."""
    grouped: dict[str, list[Listing]] = {}
    for listing in listings:
        grouped.setdefault(listing.board_address, []).append(listing)
    return [_board(grouped[address]) for address in sorted(grouped)]


def _board(listings: list[Listing]) -> Board:
    accepted = sorted((each for each in listings if each.accepted), key=_order)
    ranks = _ranks(accepted)
    return Board(
        ranked=tuple(replace(e, rank=rank) for e, rank in zip(accepted, ranks, strict=True)),
        refused=tuple(sorted((e for e in listings if not e.accepted), key=lambda e: e.id)),
    )


def _order(listing: Listing) -> tuple[float, str]:
    result = listing.entry.result
    assert result.value is not None  # only accepted results are ordered
    sign = -1 if HIGHER_IS_BETTER[result.metric] else 1
    return (sign * result.value, listing.id)


def _ranks(accepted: Sequence[Listing]) -> Sequence[int | None]:
    """Ranks of results that stand best first; those that cannot be told apart share one."""
    if not all(listing.rankable for listing in accepted):
        return [None] * len(accepted)
    scores = [_order(listing)[0] for listing in accepted]
    return tied_ranks(scores, [compared_runs(listing) for listing in accepted])


def describe_ranks(listing: Listing) -> str:
    """What a rank on the board of ``listing`` says, and what it does not."""
    if not listing.rankable:
        return ""
    if listing.entry.result.scenario is not Scenario.TRAIN:
        return (
            "Ranks follow the score alone: it is of one run, and nobody has measured by how much "
            "another run would differ."
        )
    if listing.round.training.runs < LEAST_RUNS:
        return (
            f"Ranks follow the score alone: {listing.round.training.runs} runs are too few to tell "
            "luck from speed."
        )
    return _RANKS


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
        "the rest is the score. In the closed division it is multiplied where the runs converged "
        "after fewer samples than the reference's, so that luck does not pay. A run that never "
        "reaches the target counts as the slowest; with more than "
        f"{facts.tolerated_non_converging} of them there is no score."
        f"{'' if listing.imported else _more_runs(facts.runs)}"
    )


def _more_runs(asked: int) -> str:
    """Our rule alone: no official tool scores more runs than are asked for."""
    return f" Of more than {asked}, the stretch of {asked} with the median mean counts."


def _inference(listing: Listing, scenario: Scenario) -> str:
    if not listing.has_terms:
        return f"The round {listing.round.name} has no terms for this scenario, and so no score."
    return f"{_ARRIVALS[scenario](listing)} {_accuracy(listing)}"


def _accuracy(listing: Listing) -> str:
    facts = listing.card.inference
    return (
        "A second run answers the whole data set, and its quality must be at least "
        f"{for_people(listing.round.accuracy_floor, '%')} of the reference's "
        f"{facts.reference_quality:.4g} {facts.metric}."
    )


def _least(listing: Listing, noun: str = "queries") -> str:
    terms = listing.round.terms(listing.entry.result.scenario)
    return f"for at least {terms.min_duration_s:g} s and {terms.min_query_count:,} {noun}"


def _percentile(listing: Listing) -> str:
    return percentile(listing.round.terms(listing.entry.result.scenario).percentile)


def _offline(listing: Listing) -> str:
    return (
        f"All samples are offered at once, {_least(listing, 'samples')}. The score is the number "
        "of samples divided by the time from the first sample offered to the last answer."
    )


def _single_stream(listing: Listing) -> str:
    return (
        f"Queries come one at a time, each as soon as the last is answered, {_least(listing)}. "
        f"The score is the {_percentile(listing)} of latency, {_ESTIMATED}"
    )


def _multi_stream(listing: Listing) -> str:
    return (
        f"Queries of {listing.card.inference.samples_per_query} samples come one at a time, each "
        f"as soon as the last is answered, {_least(listing)}. The score is the "
        f"{_percentile(listing)} of the latency of a whole query, {_ESTIMATED}"
    )


def _server(listing: Listing) -> str:
    return (
        f"{_poisson(listing)} The score is the rate of that schedule, if the "
        f"{_percentile(listing)} of latency is within "
        f"{_bound(listing.card.inference.latency_bound_s)}, {_SHOWN}"
    )


def _interactive(listing: Listing) -> str:
    facts = listing.card.inference
    return (
        f"{_poisson(listing)} The score is the number of tokens generated per second, if the "
        f"{_percentile(listing)} of the time to the first token is within "
        f"{_bound(facts.ttft_bound_s)} and that of the time per further token within "
        f"{_bound(facts.tpot_bound_s)}, {_SHOWN}"
    )


def _poisson(listing: Listing) -> str:
    return (
        "Queries of one sample arrive at random moments, by a Poisson process whose rate the "
        f"submitter chose, whether or not those before are answered, {_least(listing)}. Latency "
        "counts from the scheduled arrival, however late the query was issued."
    )


def _bound(seconds: float | None) -> str:
    return "a bound that the card lacks" if seconds is None else str(for_people(seconds, "s"))


_RANKS = (
    "A rank is one more than the number of results that are faster beyond luck; results that "
    "cannot be told apart share one, and none ranks above a better score. Two results are told "
    "apart if the 95 % interval of the ratio of their scores leaves out 1 (taken over all pairs of "
    "the board together, by Holm's method) and an exact Mann-Whitney test of their runs agrees. In "
    "brackets stand 95 % intervals. At the reference's samples means the measured time per sample, "
    "times the samples that the reference takes to converge: speed without the luck."
)
_ESTIMATED = (
    "estimated so that it is too low in at most 1 of 100 such runs, as MLPerf's LoadGen does."
)
_SHOWN = "which the run must show at a confidence of 99 %, as MLPerf's LoadGen asks."
_ARRIVALS: dict[Scenario, Callable[[Listing], str]] = {
    Scenario.SINGLE_STREAM: _single_stream,
    Scenario.MULTI_STREAM: _multi_stream,
    Scenario.SERVER: _server,
    Scenario.INTERACTIVE: _interactive,
    Scenario.OFFLINE: _offline,
}
