"""Results of one organisation or one system: how they are grouped, ordered and counted."""

from collections.abc import Callable, Iterable, Sequence

from harness.records import Scenario
from portal.content import Content
from portal.listing import Listing
from portal.rendering import plural

SHOWN = 300
"""Rows of a list that a page shows; Explore holds all."""


def grouped(
    listings: Iterable[Listing], address: Callable[[Listing], str]
) -> dict[str, list[Listing]]:
    """Results by the page that ``address`` gives, those with most results first."""
    found: dict[str, list[Listing]] = {}
    for listing in listings:
        found.setdefault(address(listing), []).append(listing)
    return dict(sorted(found.items(), key=lambda each: (-len(each[1]), _names(each[1][0]))))


def _names(listing: Listing) -> tuple[str, str]:
    return (listing.organisation, listing.system_name)


def newest_first(listings: Sequence[Listing]) -> list[Listing]:
    """By round, the one with the newest run first, then as the leaderboards order them."""
    newest: dict[str, int] = {}
    for listing in listings:
        started = max((run.run.started_ms for run in listing.entry.runs), default=0)
        newest[listing.round.name] = max(newest.get(listing.round.name, 0), started)
    return sorted(
        listings,
        key=lambda listing: (
            not listing.rankable,
            -newest[listing.round.name],
            listing.round.name,
            listing.workload_title,
            list(Scenario).index(listing.entry.result.scenario),
            listing.division,
            not listing.accepted,
            listing.rank or 0,
            listing.id,
        ),
    )


def ranked_counts(content: Content) -> dict[str, int]:
    """How many results each leaderboard ranks, by its address."""
    return {board.address: len(board.ranked) for board in content.boards}


def held(listings: Sequence[Listing]) -> str:
    """``14 results from 3 organisations``."""
    makers = len({listing.organisation for listing in listings})
    return f"{plural(len(listings), 'result')} from {plural(makers, 'organisation')}"


def in_words(listings: Sequence[Listing]) -> str:
    """``5 results in 2 rounds, 1 of them refused``."""
    rounds = len({listing.round.name for listing in listings})
    refused = sum(not listing.accepted for listing in listings)
    told = f"{plural(len(listings), 'result')} in {plural(rounds, 'round')}"
    return f"{told}, {refused:,} of them refused" if refused else told
