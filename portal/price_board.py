"""What a unit of work costs on a leaderboard, at stated prices; the reader may change them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.listing import Listing
from portal.measured import Measured
from portal.quantities import for_people

NO_PRICE = "–"


@dataclass(frozen=True)
class PriceRow:
    """One result: its system's price, and what a unit of work costs at it."""

    listing: Listing
    currency: str
    """Empty where the submitter stated no price."""
    per_hour: str
    """As an input takes it, empty without a price."""
    stated: str
    """The price for people, without its currency."""
    source: str
    """Where and when it was read."""
    hours: float
    """Of the system, for what a cost is told for."""
    cost: str
    per_unit: str
    """Units of work for one unit of money."""
    units: float
    """How many units of work a cost is told for."""


@dataclass(frozen=True)
class PriceBoard:
    """The results of a leaderboard by cost, the cheapest first, those without a price last."""

    per: str
    """What a cost is told for: ``training run``, ``million samples``."""
    units: str
    rows: tuple[PriceRow, ...]

    @property
    def stated(self) -> bool:
        """Whether any system has a price."""
        return any(row.currency for row in self.rows)


def price_board(ranked: Sequence[Listing], measured: Mapping[str, Measured]) -> PriceBoard | None:
    """Costs of the results whose time a unit is known; none without such a result.

    No currency is converted, and those of different currencies are not ordered by cost.
    """
    known = [(each, measured[each.id]) for each in ranked if each.id in measured]
    if not known:
        return None
    known.sort(key=lambda one: (one[1].cost is None, one[1].currency, one[1].cost or 0.0))
    _, per = known[0][1].per
    return PriceBoard(per, f"{known[0][1].unit}s", tuple(_row(*one) for one in known))


def _row(listing: Listing, each: Measured) -> PriceRow:
    cost, units = each.cost, each.per[0]
    declared = listing.published.system.declared
    price = declared.price if declared else None
    return PriceRow(
        listing=listing,
        currency=each.currency if cost is not None else "",
        per_hour="" if each.price_per_hour is None else f"{each.price_per_hour:.6g}",
        stated="not stated"
        if each.price_per_hour is None
        else str(for_people(each.price_per_hour, "", digits=4)),
        source=f"{price.source}, {price.date}" if price else "",
        hours=each.seconds * units / 3600,
        units=units,
        cost=NO_PRICE if cost is None else f"{for_people(cost, '')} {each.currency}",
        per_unit=NO_PRICE if not cost else _for_the_money(each, units / cost),
    )


def _for_the_money(each: Measured, units: float) -> str:
    return f"{for_people(units, '')} {each.unit}s per {each.currency}"
