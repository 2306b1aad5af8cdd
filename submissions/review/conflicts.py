"""Who may say what about whose bundle, and when: each refusal with its reason, by name."""

from collections import Counter
from collections.abc import Callable

from submissions.review.case import Case, Logged, Step
from submissions.review.event import Kind
from submissions.review.status import State, standing

_ROLES: dict[Kind, tuple[str, ...]] = {
    "review-assigned": ("root",),
    "review-done": ("review",),
    "recuse": ("review", "replicate", "root"),
    "objection": ("review",),
    "second": ("review",),
    "drop": ("review", "root"),
    "response": ("submit",),
    "concede": ("submit",),
    "amend": ("submit",),
    "replicate-request": ("review", "root"),
    "replicate-grant": ("root",),
    "replicate-refuse": ("root",),
    "replicate-result": ("replicate",),
    "vote": ("review",),
    "verdict": ("root",),
    "appeal": ("submit",),
    "withdraw": ("submit",),
    "erratum": ("submit", "root"),
    "freeze": ("root",),
    "publish": ("root",),
}
_SUBMITTERS_OWN = ("response", "concede", "amend", "appeal", "withdraw")
_OTHERS_ONLY = (
    "review-done", "objection", "second", "drop", "vote", "verdict", "replicate-result",
    "replicate-refuse",
)  # fmt: skip
_NOT_WHEN_RECUSED = (
    "review-done", "objection", "second", "vote", "verdict", "replicate-result",
)  # fmt: skip
_REFERS: dict[Kind, tuple[Kind, ...]] = {
    "second": ("objection",),
    "drop": ("objection",),
    "response": ("objection",),
    "concede": ("objection",),
    "vote": ("objection", "response", "appeal"),
    "verdict": ("objection", "response", "appeal"),
    "appeal": ("verdict",),
    "replicate-grant": ("replicate-request",),
    "replicate-refuse": ("replicate-request",),
}


def refusal(step: Step) -> str | None:
    """Why an event may not be made by those who signed it, at this place; None if it may."""
    event = step.event
    particular = _PARTICULAR.get(event.type)
    return (
        impersonation(event.by, step.logged)
        or conflict(event.type, event.by, step.case)
        or lacking_role(_ROLES[event.type], step.logged)
        or _reference(step)
        or _closed(step)
        or (particular(step) if particular else None)
    )


def impersonation(by: str, logged: Logged) -> str | None:
    """Why the keys that signed may not speak for ``by``: they are another's."""
    if logged.by != by:
        return f"it speaks for {by}, and {logged.by or 'nobody'} signed it"
    return None


def lacking_role(roles: tuple[str, ...], logged: Logged) -> str | None:
    """Why the keys that signed may not say this: the keyring gives them none of ``roles``."""
    if logged.roles & set(roles):
        return None
    held = ", ".join(sorted(logged.roles)) or "no role"
    who, wanted = logged.by or "nobody", " or ".join(roles)
    return f"the keyring gives {who} {held} at entry {logged.index}, not {wanted}"


def self_review(by: str, case: Case) -> str | None:
    """Why ``by`` may not judge this bundle: it is its own."""
    if by == case.submitter:
        return f"self-review: {by} is the submitter of bundle {case.bundle}"
    return None


def conflict(kind: str, by: str, case: Case) -> str | None:
    """Why ``by`` has no part in this event: its own bundle, another's bundle, or recused."""
    if kind in _SUBMITTERS_OWN and by != case.submitter:
        return f"{kind} is for the submitter, {case.submitter}, alone; {by} is not"
    if kind in _OTHERS_ONLY and (reason := self_review(by, case)):
        return reason
    if kind in _NOT_WHEN_RECUSED and by in case.recused:
        return f"{by} has recused itself from bundle {case.bundle}"
    return None


def _reference(step: Step) -> str | None:
    event, found = step.event, step.referred
    if event.refers_to is None:
        return None
    kinds = _REFERS.get(event.type, ())
    if found is None:
        return f"it refers to {event.refers_to[:12]}, which is no event about this bundle"
    if found.type not in kinds:
        return f"it refers to a {found.type}; a {event.type} is of {' or '.join(kinds)}"
    return None


def _closed(step: Step) -> str | None:
    if step.case.withdrawn and step.event.type != "erratum":
        return f"bundle {step.case.bundle} is withdrawn; only an erratum can be added"
    if step.event.type in ("second", "drop", "concede") and step.about is None:
        return "the objection is closed already"
    return None


def _assigned(step: Step) -> str | None:
    reviewer = step.event.reviewer or ""
    if reviewer in step.case.recused:
        return f"{reviewer} has recused itself from bundle {step.case.bundle}"
    return self_review(reviewer, step.case)


def _second(step: Step) -> str | None:
    if step.referred and step.referred.by == step.event.by:
        return f"{step.event.by} cannot second its own objection"
    return None


def _drop(step: Step) -> str | None:
    author = step.referred.by if step.referred else ""
    if author != step.event.by and "root" not in step.logged.roles:
        return f"the objection is {author}'s; only {author} or the chair may drop it"
    return None


def _amend(step: Step) -> str | None:
    case, new = step.case, step.cases.get(step.event.superseded_by or "")
    if case.frozen:
        return f"bundle {case.bundle} is frozen; ask for an erratum"
    if new is None or new.submitter != case.submitter:
        return f"{case.submitter} has not submitted bundle {step.event.superseded_by}; submit it"
    if new.index <= case.index:
        return f"bundle {new.bundle} was not submitted after the one that it is to amend"
    if new.supersedes or case.superseded_by:
        return "one of the two bundles is part of another amendment"
    return None


def _vote(step: Step) -> str | None:
    if any(vote.by == step.event.by for vote in step.votes):
        return f"{step.event.by} has voted on this already; one organisation, one vote"
    return None


def _verdict(step: Step) -> str | None:
    event, cast = step.event, step.votes
    if {vote.envelope for vote in cast} != set(event.votes):
        return f"it does not count all votes: {len(cast)} were cast, it names {len(event.votes)}"
    tally = Counter(vote.decision for vote in cast)
    appealed = step.referred is not None and step.referred.type == "appeal"
    if appealed and event.decision not in ("uphold", "reject"):
        return "an appeal can only be upheld or rejected"
    if event.decision == "waive" and not tally["waive"]:
        return "a waiver needs votes, and nobody voted for one"
    if tally and event.decision and tally[event.decision] < max(tally.values()):
        told = ", ".join(f"{number} for {name}" for name, number in tally.most_common())
        return f"it decides {event.decision} against the votes: {told}"
    return None


def _appeal(step: Step) -> str | None:
    if step.event.refers_to not in (step.case.rejected, step.case.void):
        return "the verdict that it names does not reject this bundle"
    return None


def _erratum(step: Step) -> str | None:
    if step.event.by != step.case.submitter and "root" not in step.logged.roles:
        return f"an erratum is for the submitter, {step.case.submitter}, or the chair"
    return None


def _publish(step: Step) -> str | None:
    state, why = standing(step.case, step.cases)
    if state is not State.ACCEPTED:
        return f"bundle {step.case.bundle} is {state}, not accepted: {why}"
    return None


def _replicated(step: Step) -> str | None:
    if step.event.replica == step.case.bundle:
        return "a bundle does not replicate itself"
    return None


_PARTICULAR: dict[Kind, Callable[[Step], str | None]] = {
    "review-assigned": _assigned,
    "second": _second,
    "drop": _drop,
    "amend": _amend,
    "vote": _vote,
    "verdict": _verdict,
    "appeal": _appeal,
    "erratum": _erratum,
    "publish": _publish,
    "replicate-result": _replicated,
}
