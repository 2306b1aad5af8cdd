"""The trust strip of a result: who signed, checked, started, reviewed and repeated it."""

from dataclasses import dataclass

from portal.facts import fact
from portal.listing import Listing
from portal.rendering import plural
from portal.replications import Repeated
from rules.intent_accounts import account_of
from rules.replication import Replicated
from submissions.review.status import State, Status

_GOOD = (State.ACCEPTED, State.PUBLISHED)
_BAD = (State.UNKNOWN, State.REJECTED, State.VOID, State.WITHDRAWN)


@dataclass(frozen=True)
class TrustItem:
    """One line of the trust strip: an icon, a kind for its colour, a sentence."""

    kind: str
    icon: str
    text: str


def trust_items(listing: Listing) -> list[TrustItem]:
    """The trust strip: who signed, what was checked, what the check said."""
    published = listing.published
    files = plural(len(published.bundle.manifest.files), "file")
    items = [
        _signature(listing),
        TrustItem("", "✓", f"Manifest: {files}, each with the SHA-256 that the manifest gives."),
        _checker(listing),
    ]
    if listing.imported:
        return items
    items += _started(listing)
    items += [_replication(repeated) for repeated in listing.replications]
    items += _review(listing.published.standing)
    return [*items, TrustItem("", "◆", f"Trust level {listing.trust}.")]


def _replication(repeated: Repeated) -> TrustItem:
    if repeated.verdict is Replicated.DIFFERENT:
        return TrustItem("bad", "✕", repeated.text)
    kind, icon = ("", "✓") if repeated.raises else ("warn", "!")
    return TrustItem(kind, icon, repeated.text)


@fact
def _started(listing: Listing) -> list[TrustItem]:
    """How many runs were started for the result, where the bundle has a log of them."""
    lines = listing.published.bundle.submission.intents
    if lines is None:
        return []
    account = account_of(listing.entry, lines)
    told = account.text.partition(": ")[2]
    hidden = any(account.left_out.values())
    return [TrustItem("warn" if hidden else "", "!" if hidden else "✓", f"Runs: {told}.")]


def _review(standing: Status | None) -> list[TrustItem]:
    """Where the bundle stands in its round's log: state and why, objections, waivers, errata."""
    if standing is None:
        return []
    state = standing.state
    kind = "bad" if state in _BAD else "" if state in _GOOD else "warn"
    icon = {"bad": "✕", "warn": "!", "": "✓"}[kind]
    found = [TrustItem(kind, icon, f"Review: {state}. {standing.why}.")]
    if standing.reviewed_by:
        found.append(TrustItem("", "✓", f"Reviewed by {', '.join(standing.reviewed_by)}."))
    if standing.open_objections:
        number = plural(standing.open_objections, "open objection")
        found.append(TrustItem("bad", "✕", f"{number}."))
    found += [
        TrustItem("warn", "!", f"Waived: {one.rule}, because {one.reason}; effect: {one.effect}.")
        for one in standing.waivers
    ]
    return found + [TrustItem("warn", "!", f"Erratum: {text}") for text in standing.errata]


def _signature(listing: Listing) -> TrustItem:
    if listing.imported:
        return TrustItem("warn", "!", f"{listing.trust.capitalize()}: nobody vouches for it here.")
    verification = listing.published.verification
    if verification is None or not verification.signed_by:
        return TrustItem("warn", "!", "Not signed: nobody vouches for these numbers.")
    signers = " and ".join(
        f"{signatory.organisation} with key {signatory.key_id[:16]}…"
        for signatory in verification.signed_by
    )
    return TrustItem("", "✓", f"Signed by {signers}")


def _checker(listing: Listing) -> TrustItem:
    report = listing.published.report
    if listing.imported:
        return _readings(listing)
    counts = (
        f"Checker: {plural(len(report.passed), 'rule')} passed, {len(listing.warnings)} warned, "
        f"{plural(len(listing.errors), 'error')}; {len(report.not_applicable)} did not apply."
    )
    if listing.errors:
        return TrustItem("bad", "✕", counts)
    return TrustItem("warn" if listing.warnings else "", "!" if listing.warnings else "✓", counts)


def _readings(listing: Listing) -> TrustItem:
    """What both readings of an imported result come to."""
    strict = plural(len(listing.warnings), "finding")
    if listing.errors:
        return TrustItem("bad", "✕", f"Its own tools refuse it; our strict reading: {strict}.")
    said = f"Its own tools accept it; our strict reading: {strict}."
    return TrustItem("warn" if listing.warnings else "", "!" if listing.warnings else "✓", said)
