"""A bundle's status, as it follows from its case: state, level, and why it is no higher."""

from enum import StrEnum
from typing import Literal

from harness.records import Record
from submissions.review.case import (
    Case,
    Cases,
    Ignored,
    Objection,
    Replica,
    Waiver,
    lineage,
    open_objections,
)

Level = Literal["L0", "L1", "L2", "L3", "L4"]
REVIEWS_NEEDED = 2
"""Organisations other than the submitter, each of which has finished a review."""


class State(StrEnum):
    """Where a bundle stands."""

    UNKNOWN = "cannot be told"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under review"
    OBJECTED = "objected"
    AMENDED = "amended"
    ACCEPTED = "accepted"
    PUBLISHED = "published"
    REJECTED = "rejected"
    VOID = "void"
    WITHDRAWN = "withdrawn"


_STANDING = (State.SUBMITTED, State.UNDER_REVIEW, State.ACCEPTED, State.PUBLISHED)
"""States in which a level above L1 can be shown."""


class Status(Record):
    """What a reader is told about one bundle; plain data, to be shown as it is."""

    bundle: str
    submitter: str
    state: State
    level: Level
    """The lowest of its results'."""
    levels: dict[str, Level]
    """Of each result, by its path."""
    why: str
    """In one sentence, why the state is this one and what would raise it."""
    check: Literal["none", "passed", "failed"]
    assigned: tuple[str, ...]
    reviewed_by: tuple[str, ...]
    countersigned_by: tuple[str, ...]
    recused: tuple[str, ...]
    objections: tuple[Objection, ...]
    """All, also those that are closed, and those to the bundles that this one amends."""
    waivers: tuple[Waiver, ...]
    effects: tuple[str, ...]
    """Of verdicts that reclassified."""
    errata: tuple[str, ...]
    replications: tuple[Replica, ...]
    supersedes: str | None
    superseded_by: str | None
    frozen: bool
    ignored: tuple[Ignored, ...]
    """Entries about this bundle that count for nothing, each with its reason."""

    @property
    def open_objections(self) -> int:
        """How many stand."""
        return sum(not objection.closed for objection in self.objections)


def status_of(case: Case, cases: Cases, missing: str = "") -> Status:
    """The status of ``case``; ``missing`` is why the log cannot be replayed, if it cannot be."""
    state, why = (State.UNKNOWN, missing) if missing else standing(case, cases)
    levels = {path: "L0" if missing else _level(case, state, path) for path in case.results}
    return Status(
        bundle=case.bundle,
        submitter=case.submitter,
        state=state,
        level=min(levels.values(), default="L0"),
        levels=levels,
        why=why,
        check=_check(case),
        assigned=tuple(sorted(case.assigned)),
        reviewed_by=_reviewers(case),
        countersigned_by=tuple(sorted(case.countersigned - case.recused)),
        recused=tuple(sorted(case.recused)),
        objections=tuple(
            sorted(
                (one for held in lineage(case, cases) for one in held.objections.values()),
                key=lambda objection: objection.index,
            )
        ),
        waivers=tuple(case.waivers),
        effects=tuple(case.effects),
        errata=tuple(case.errata),
        replications=tuple(case.replications.values()),
        supersedes=case.supersedes,
        superseded_by=case.superseded_by,
        frozen=case.frozen,
        ignored=tuple(case.ignored),
    )


def standing(case: Case, cases: Cases) -> tuple[State, str]:
    """The state and its reason; what speaks against a bundle comes before what speaks for it."""
    if case.withdrawn:
        return State.WITHDRAWN, f"{case.submitter} withdrew it"
    if case.void:
        return State.VOID, f"void by verdict {case.void[:12]}"
    if case.superseded_by:
        return State.AMENDED, f"bundle {case.superseded_by} takes its place"
    if case.rejected:
        return State.REJECTED, f"rejected by verdict {case.rejected[:12]}; appeal, or amend it"
    if standing_objections := open_objections(case, cases):
        first = standing_objections[0]
        return State.OBJECTED, (
            f"{first.event.by} objects (entry {first.index}, {first.envelope[:12]}); "
            "it stands until its author drops it or a verdict closes it"
        )
    if lacking := _lacking(case):
        begun = case.assigned or case.done or case.countersigned
        return State.UNDER_REVIEW if begun else State.SUBMITTED, lacking
    if case.published is None:
        return State.ACCEPTED, "checked and reviewed; the chair has not published it"
    return State.PUBLISHED, f"accepted, and published by entry {case.published}"


def _lacking(case: Case) -> str:
    """What a bundle without objections lacks to be accepted; empty if nothing."""
    check = _check(case)
    if check == "none":
        return "no checker has given a verdict yet"
    if check == "failed":
        return f"the check failed: {', '.join(sorted(_failed(case)))}"
    missing = REVIEWS_NEEDED - len(_reviewers(case))
    if missing > 0:
        return f"{missing} of {REVIEWS_NEEDED} reviews by other organisations are to be done"
    return ""


def _reviewers(case: Case) -> tuple[str, ...]:
    return tuple(sorted(case.done - case.recused))


def _check(case: Case) -> Literal["none", "passed", "failed"]:
    checks = {by: failed for by, failed in case.checks.items() if by not in case.recused}
    if not checks:
        return "none"
    return "failed" if _failed(case) else "passed"


def _failed(case: Case) -> set[str]:
    """Rules that failed in anybody's last check and are not waived; a recusal removes none."""
    failed = {rule for found in case.checks.values() for rule in found}
    return failed - {waiver.rule for waiver in case.waivers}


def _level(case: Case, state: State, result: str) -> Level:
    if state not in _STANDING or _check(case) != "passed" or not case.countersigned - case.recused:
        return "L1"
    if case.attested:
        return "L4"
    found = [one for one in case.replications.values() if one.target in (case.bundle, result)]
    equal = any(one.outcome == "equal" and one.by not in case.recused for one in found)
    return "L3" if equal and all(one.outcome != "different" for one in found) else "L2"
