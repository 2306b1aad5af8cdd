"""Dot strips: every run of a result on the scale that its leaderboard's rows share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.listing import Listing
from portal.quantities import Quantity, for_people
from portal.scores import RunScore, run_scores

_WIDTH, _INSET = 200.0, 8.0
_DECADE = 10
"""Ends so many times apart make the scale logarithmic; else the fast ones would be one blot."""


@dataclass(frozen=True)
class Dot:
    """One run."""

    x: float
    dropped: bool


@dataclass(frozen=True)
class Strip:
    """One row's drawing; positions in the viewBox, 200 wide."""

    dots: tuple[Dot, ...]
    scored: float | None
    label: str
    """The same in words, for those who do not see it."""


@dataclass(frozen=True)
class Strips:
    """The strips of a leaderboard, by result id, and the ends of their scale."""

    by_id: Mapping[str, Strip]
    scale: tuple[Quantity, Quantity] | None
    """None where all values are one point."""
    logarithmic: bool = False


@dataclass(frozen=True)
class _Scale:
    """From the least to the greatest value of a leaderboard."""

    low: float
    high: float
    logarithmic: bool

    def place(self, value: float) -> float:
        """Where ``value`` stands in the viewBox."""
        if self.low == self.high:
            return _WIDTH / 2
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(_INSET + share * (_WIDTH - 2 * _INSET), 2)


def make_strips(listings: Sequence[Listing]) -> Strips:
    """Strips of ``listings``, which share one unit."""
    scored = {each.id: [score for _, score in run_scores(each)] for each in listings}
    values = [s.value for scores in scored.values() for s in scores if s.value is not None]
    values += [e.entry.result.value for e in listings if e.entry.result.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    scale = _Scale(low, high, logarithmic=low > 0 and high / low > _DECADE)
    strips = {each.id: _strip(each, scored[each.id], scale) for each in listings}
    if low == high:
        return Strips(strips, None)
    unit = listings[0].shown_unit
    return Strips(strips, (for_people(low, unit), for_people(high, unit)), scale.logarithmic)


def _strip(listing: Listing, scores: Sequence[RunScore], scale: _Scale) -> Strip:
    measured = [(score.value, score.dropped) for score in scores if score.value is not None]
    words = [
        f"{for_people(value, listing.shown_unit)}{' (dropped)' if dropped else ''}"
        for value, dropped in measured
    ]
    value = listing.entry.result.value
    return Strip(
        dots=tuple(Dot(scale.place(value), dropped) for value, dropped in measured),
        scored=None if value is None else scale.place(value),
        label=f"Score {listing.score}; runs: {', '.join(words) or 'none'}",
    )
