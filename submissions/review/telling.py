"""A bundle's status and the history of its review in words, for a terminal."""

from collections.abc import Iterable, Iterator

from submissions.review.case import Ignored, Logged
from submissions.review.event import ReviewEvent
from submissions.review.status import Status

STATUS_HEADER = ["bundle", "submitter", "state", "level", "why"]


def status_rows(statuses: Iterable[Status]) -> list[list[str]]:
    """A row a bundle, under `STATUS_HEADER`."""
    return [[one.bundle, one.submitter, one.state, one.level, one.why] for one in statuses]


def details(status: Status) -> Iterator[str]:
    """Every fact about one bundle, a line each."""
    yield f"bundle {status.bundle} of {status.submitter}: {status.state}, {status.level}"
    yield f"  {status.why}"
    for path, level in status.levels.items():
        yield f"  {path}: {level}"
    told = {
        "check": status.check,
        "assigned to": ", ".join(status.assigned),
        "reviewed by": ", ".join(status.reviewed_by),
        "countersigned by": ", ".join(status.countersigned_by),
        "recused": ", ".join(status.recused),
        "amends": status.supersedes,
        "amended by": status.superseded_by,
        "frozen": "yes" if status.frozen else "",
    }
    yield from (f"  {name}: {text}" for name, text in told.items() if text)
    for one in status.objections:
        rule = f" {one.event.rule}" if one.event.rule else ""
        yield (
            f"  objection {one.envelope[:12]}{rule} by {one.event.by}: "
            f"{one.closed or ('conceded, open' if one.conceded else 'open')}"
        )
    yield from waiver_lines(status)
    for effect in status.effects:
        yield f"  reclassified: {_line(effect)}"
    for text in status.errata:
        yield f"  erratum: {_line(text)}"
    for replica in status.replications:
        yield f"  replicated by {replica.by}: {replica.outcome} ({replica.target})"
    yield from ignored_lines(status.ignored)


def waiver_lines(status: Status) -> Iterator[str]:
    """Rules that do not count against the bundle: which, why, with what effect, who voted how."""
    for waiver in status.waivers:
        yield (
            f"  waived {waiver.rule} (entry {waiver.index}): {_line(waiver.reason)}; "
            f"effect: {_line(waiver.effect)}; votes: {', '.join(waiver.votes)}"
        )


def ignored_lines(ignored: Iterable[Ignored]) -> Iterator[str]:
    """Entries that count for nothing."""
    for one in ignored:
        yield f"  entry {one.index} does not count ({one.what}): {_line(one.reason)}"


def history(entries: Iterable[Logged], bundles: Iterable[str]) -> Iterator[str]:
    """What the log says about ``bundles``, a line an entry."""
    wanted = set(bundles)
    for entry in entries:
        if entry.bundle not in wanted:
            continue
        content = entry.content
        what = content.type if isinstance(content, ReviewEvent) else type(content).__name__.lower()
        yield f"{entry.index:5} {entry.envelope[:12]} {what} by {entry.by or 'nobody known'}"
        if isinstance(content, ReviewEvent):
            yield from _said(content)


def _said(event: ReviewEvent) -> Iterator[str]:
    named = {
        "rule": event.rule,
        "on": event.refers_to and event.refers_to[:12],
        "for": event.decision,
        "reviewer": event.reviewer,
        "by bundle": event.superseded_by,
        "replica": event.replica and f"{event.replica}: {event.outcome}",
        "effect": _line(event.effect),
        "target": event.target if "/" in event.target else None,
    }
    for name, value in named.items():
        if value:
            yield f"        {name} {value}"
    for citation in event.at:
        yield f"        at {citation.text}"
    for line in event.text.splitlines():
        yield f"        | {_line(line)}"


def _line(text: str) -> str:
    """Somebody else's text in one line, control characters escaped."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
