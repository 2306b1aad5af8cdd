"""From whom a result's hyperparameters were borrowed, and in what the two sets differ."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Borrowed, Number, Scenario
from portal.listing import Listing
from rules.borrowing import differences, shared_set, sources_of


@dataclass(frozen=True)
class Difference:
    """One hyperparameter that is not the source's."""

    name: str
    own: str
    lent: str


@dataclass(frozen=True)
class Loan:
    """A source as a page shows it."""

    bundle: str
    source: Listing | None
    """The result that lent; none if it is not on the site."""
    differences: tuple[Difference, ...]
    """None to tell of where the source is not on the site."""


def loans(listing: Listing, others: Sequence[Listing]) -> list[Loan]:
    """The sources that the runs of ``listing`` name, looked for among ``others``."""
    return [_loan(listing, source, others) for source in sources_of(listing.entry.runs)]


def _loan(listing: Listing, source: Borrowed, others: Sequence[Listing]) -> Loan:
    found = next((other for other in others if _is(other, source)), None)
    if found is None:
        return Loan(source.bundle, None, ())
    own, lent = shared_set(listing.entry) or {}, shared_set(found.entry) or {}
    return Loan(
        source.bundle,
        found,
        tuple(
            Difference(name, number(own.get(name)), number(lent.get(name)))
            for name in differences(own, lent)
        ),
    )


def _is(listing: Listing, source: Borrowed) -> bool:
    result = listing.entry.result
    same = (listing.published.bundle.id, result.workload) == (source.bundle, source.workload)
    return same and result.scenario is Scenario.TRAIN


def number(value: Number | None) -> str:
    """A hyperparameter's value for people, a dash for none."""
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else f"{value:,}"
