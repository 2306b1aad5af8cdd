"""Facts: what pages of several results take from the logs of each, so that no logs are kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from harness.events import EventLog
from harness.telemetry.log import TelemetryLog
from portal.listing import Listing, Published, list_results
from rules.submission import RunEvidence

_Value = TypeVar("_Value")

_FACTS: dict[str, Callable[[Listing], Any]] = {}


def fact(function: Callable[[Listing], _Value]) -> Callable[[Listing], _Value]:
    """Mark a function of a result's logs whose value a slim listing keeps.

    The value must hold no log and be one that can be pickled.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    _FACTS[name] = function

    @wraps(function)
    def known(listing: Listing) -> _Value:
        if listing.facts is None:
            return function(listing)
        value: _Value = listing.facts[name]
        return value

    return known


def slim(published: Published) -> list[Listing]:
    """The results of a bundle without what their runs logged, but with all facts of it."""
    whole = list_results([published])
    entries = tuple(
        replace(listing.entry, runs=tuple(map(_without_logs, listing.entry.runs)))
        for listing in whole
    )
    submission = replace(published.bundle.submission, entries=entries, intents=None)
    shared = replace(published, bundle=replace(published.bundle, submission=submission))
    return [
        replace(listing, published=shared, entry=entry, facts=_facts(listing))
        for listing, entry in zip(whole, entries, strict=True)
    ]


def with_published(listings: Sequence[Listing], published: Published) -> list[Listing]:
    """``listings`` of one bundle, with more that is said of it."""
    return [replace(listing, published=published) for listing in listings]


def _facts(listing: Listing) -> dict[str, Any]:
    return {name: function(listing) for name, function in _FACTS.items()}


def _without_logs(evidence: RunEvidence) -> RunEvidence:
    return replace(
        evidence, log=EventLog(()), queries=None, answers=None, telemetry=TelemetryLog(())
    )
