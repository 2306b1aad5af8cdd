"""How sure a training's score is, in words: its interval, and the time without the luck."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.listing import Listing
from portal.quantities import Quantity, for_people, range_for_people
from portal.rendering import plural
from portal.scores import compared_runs, score_interval, time_without_luck
from rules.repeatability import ReferenceTime
from rules.significance import LEVEL, Interval


@dataclass(frozen=True)
class Margin:
    """What a leaderboard shows beside a score; empty texts and none where nothing can be said."""

    score: str
    """Interval of the score."""
    without_luck: Quantity | None
    """Time per sample times the reference's samples."""
    without_luck_range: str


def margins(listings: Sequence[Listing]) -> dict[str, Margin]:
    """The margin of each of ``listings``, by result id."""
    return {each.id: _margin(each) for each in listings}


def _margin(listing: Listing) -> Margin:
    found, speed = score_interval(listing), time_without_luck(listing)
    return Margin(
        score=_range(listing, found),
        without_luck=for_people(speed.seconds, listing.shown_unit, 4) if speed else None,
        without_luck_range=_range(listing, speed.interval, 4) if speed else "",
    )


def _range(listing: Listing, interval: Interval | None, digits: int = 3) -> str:
    if interval is None:
        return ""
    return range_for_people(interval.low, interval.high, listing.shown_unit, digits)


def describe_margin(listing: Listing) -> list[str]:
    """Sentences for a result's page: how sure its score is; none of inference."""
    runs, speed = compared_runs(listing), time_without_luck(listing)
    if runs is None:
        return []
    count, found = plural(len(runs.seconds), "run"), score_interval(listing)
    level = for_people(LEVEL, "%", 2)
    sentences = [
        f"The {level} interval of the score is {_range(listing, found)}: so as many further runs "
        "would score on average."
        if found
        else f"How far luck moves this score cannot be said from {count}."
    ]
    return [*sentences, _speed(listing, speed)] if speed else sentences


def _speed(listing: Listing, speed: ReferenceTime) -> str:
    reference = speed.match.reference
    per_sample = for_people(speed.seconds / reference.mean, "s", 4)
    interval = _range(listing, speed.interval, 4)
    return (
        f"Without the luck of converging early or late it would be "
        f"{for_people(speed.seconds, listing.shown_unit, 4)}: {per_sample} a sample, times the "
        f"{reference.mean:,.0f} samples that the reference takes at batch size "
        f"{reference.batch_size}{f' (interval {interval})' if interval else ''}."
    )
