"""Replays a round's log: each bundle's status, as a pure function of the entries so far."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from submissions.review.case import (
    Case,
    Checked,
    Countersigned,
    Elsewhere,
    Ignored,
    Logged,
    Missing,
    Objection,
    Refused,
    Replica,
    Step,
    Submitted,
    Vote,
    Waiver,
    open_objections,
)
from submissions.review.conflicts import conflict, impersonation, lacking_role, refusal
from submissions.review.event import Kind, ReviewEvent
from submissions.review.status import Status, status_of


def replay(entries: Iterable[Logged]) -> dict[str, Status]:
    """The status of every submitted bundle by its id, in the order of submission.

    An entry that may not count is ignored, with its reason, in its bundle's status. Where an
    envelope is missing nothing can be told: what it said might have been an objection.
    """
    return Replay(tuple(entries)).statuses()


class Replay:
    """The books of all bundles after some entries; `refusal_of` tells about one more."""

    def __init__(self, entries: Sequence[Logged]) -> None:
        """Take in ``entries``, which are in the order of the log."""
        self.cases: dict[str, Case] = {}
        self.missing = ""
        self.unplaced: list[Ignored] = []
        """Ignored entries that are about no bundle of the round."""
        self._seen: dict[str, int] = {}
        for entry in entries:
            self.take(entry)

    def statuses(self) -> dict[str, Status]:
        """The status of every submitted bundle by its id."""
        return {
            bundle: status_of(case, self.cases, self.missing) for bundle, case in self.cases.items()
        }

    def refusal_of(self, entry: Logged) -> str | None:
        """Why ``entry`` would be ignored if it were the next one; None if it would count."""
        if self.missing:
            return self.missing
        if entry.envelope in self._seen:
            return f"entry {self._seen[entry.envelope]} is the same statement"
        content = entry.content
        if isinstance(content, Refused | Missing):
            return content.reason
        if isinstance(content, Elsewhere):
            return None
        if isinstance(content, Submitted):
            return self._submission_refusal(entry, content)
        case = self.cases.get(entry.bundle or "")
        if case is None:
            return f"no bundle {entry.bundle} has been submitted to this round"
        if isinstance(content, ReviewEvent):
            return refusal(Step(content, entry, case, self.cases))
        if isinstance(content, Countersigned) and content.statement not in case.statements:
            return f"{content.statement[:12]} is no statement of the submitter in this log"
        roles = ("review", "root") if isinstance(content, Checked) else ("review",)
        return conflict("review-done", entry.by, case) or lacking_role(roles, entry)

    def _submission_refusal(self, entry: Logged, content: Submitted) -> str | None:
        for case in self.cases.values():
            if case.nonce == content.nonce and case.bundle != entry.bundle:
                return f"replayed: its nonce is that of bundle {case.bundle} (entry {case.index})"
        return impersonation(content.submitter, entry) or lacking_role(("submit",), entry)

    def take(self, entry: Logged) -> None:
        """Take in the next entry."""
        content = entry.content
        if isinstance(content, Elsewhere):
            return
        if isinstance(content, Missing):
            self.missing = self.missing or f"entry {entry.index} is missing: {content.reason}"
            return
        # What is missing is told at the end; until then the rest is taken as if it were whole.
        missing, self.missing = self.missing, ""
        reason = self.refusal_of(entry)
        self.missing = missing
        self._seen.setdefault(entry.envelope, entry.index)
        if reason:
            self._ignore(entry, reason)
        elif isinstance(content, Submitted):
            bundle = entry.bundle or ""
            case = Case(bundle, content.submitter, content.nonce, entry.index, content.results)
            self.cases.setdefault(bundle, case).statements.add(entry.envelope)
        else:
            self._count(entry, self.cases[entry.bundle or ""])

    def _ignore(self, entry: Logged, reason: str) -> None:
        content = entry.content
        what = content.type if isinstance(content, ReviewEvent) else type(content).__name__.lower()
        case = self.cases.get(entry.bundle or "")
        ignored = Ignored(entry.index, f"{what} by {entry.by or 'nobody known'}", reason)
        (case.ignored if case else self.unplaced).append(ignored)

    def _count(self, entry: Logged, case: Case) -> None:
        content = entry.content
        if isinstance(content, Checked):
            case.checks[entry.by] = content.failed
        elif isinstance(content, Countersigned):
            case.countersigned.add(entry.by)
        elif isinstance(content, ReviewEvent):
            if effect := _EFFECTS.get(content.type):
                effect(Step(content, entry, case, self.cases))
            case.events[entry.envelope] = content


def _objected(step: Step) -> None:
    envelope = step.logged.envelope
    step.case.objections[envelope] = Objection(envelope, step.logged.index, step.event)


def _seconded(step: Step) -> None:
    if step.about and step.event.by not in step.about.seconded_by:
        step.about.seconded_by.append(step.event.by)


def _answered(step: Step) -> None:
    if step.about:
        step.about.responses.append(step.event.text)


def _conceded(step: Step) -> None:
    if step.about:
        step.about.conceded = True


def _dropped(step: Step) -> None:
    if step.about:
        step.about.closed = f"dropped by {step.event.by}, entry {step.logged.index}"


def _amended(step: Step) -> None:
    step.case.superseded_by = step.event.superseded_by
    step.cases[step.event.superseded_by or ""].supersedes = step.case.bundle


def _voted(step: Step) -> None:
    event = step.event
    if event.refers_to and event.decision:
        vote = Vote(step.logged.envelope, event.by, event.decision)
        step.case.votes.setdefault(event.refers_to, []).append(vote)


def _decided(step: Step) -> None:
    event, case = step.event, step.case
    if step.referred and step.referred.type == "appeal":
        _decided_appeal(step, step.referred)
        return
    if event.decision in ("reject", "waive", "reclassify"):
        _close(step)
    if event.decision == "uphold":
        case.rejected = step.logged.envelope
    elif event.decision == "void":
        case.void = step.logged.envelope
    elif event.decision == "attest":
        case.attested = True
    elif event.decision == "reclassify":
        case.effects.append(event.effect)
    elif event.decision == "waive" and event.rule:
        told = tuple(f"{vote.by}: {vote.decision}" for vote in step.votes)
        case.waivers.append(Waiver(event.rule, event.text, event.effect, told, step.logged.index))


def _close(step: Step) -> None:
    """Close the objection that a verdict refers to, itself or by way of the response to it."""
    found = step.referred
    asked = found.refers_to if found and found.type == "response" else step.event.refers_to
    for objection in open_objections(step.case, step.cases):
        if objection.envelope == asked:
            objection.closed = f"verdict: {step.event.decision}, entry {step.logged.index}"


def _decided_appeal(step: Step, appeal: ReviewEvent) -> None:
    """An appeal that is upheld undoes the verdict, and closes the objection that it upheld."""
    if step.event.decision != "uphold" or appeal.refers_to is None:
        return
    if appeal.refers_to == step.case.rejected:
        step.case.rejected = ""
        _close(replace(step, event=step.case.events[appeal.refers_to]))
    elif appeal.refers_to == step.case.void:
        step.case.void = ""


def _replicated(step: Step) -> None:
    event = step.event
    if event.outcome and event.replica:
        found = Replica(event.target, event.by, event.replica, event.outcome)
        step.case.replications[event.target, event.by] = found


def _withdrawn(step: Step) -> None:
    step.case.withdrawn = True


def _frozen(step: Step) -> None:
    step.case.frozen = True


def _published(step: Step) -> None:
    step.case.published = step.logged.index


_EFFECTS: dict[Kind, Callable[[Step], None]] = {
    "review-assigned": lambda step: step.case.assigned.add(step.event.reviewer or ""),
    "review-done": lambda step: step.case.done.add(step.event.by),
    "recuse": lambda step: step.case.recused.add(step.event.by),
    "objection": _objected,
    "second": _seconded,
    "drop": _dropped,
    "response": _answered,
    "concede": _conceded,
    "amend": _amended,
    "replicate-result": _replicated,
    "vote": _voted,
    "verdict": _decided,
    "withdraw": _withdrawn,
    "erratum": lambda step: step.case.errata.append(step.event.text),
    "freeze": _frozen,
    "publish": _published,
}
