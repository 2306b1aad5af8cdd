"""Logs of a review as the replay takes them: who said what, in order; no keys, no files."""

import hashlib
from collections.abc import Sequence
from typing import Any

from submissions.review.case import Checked, Content, Countersigned, Logged, Signer, Submitted
from submissions.review.event import Citation, ReviewEvent
from submissions.review.replay import replay
from submissions.review.status import Status

A, B = "a" * 20, "b" * 20
RESULTS = ("results/toy/offline", "results/toy/train")
ROLES = {
    "acme": ("submit",),
    "both": ("submit", "review", "replicate"),
    "lab": ("review", "replicate"),
    "uni": ("review",),
    "inst": ("review",),
    "chair": ("root",),
}
CITATION = Citation(file="system.json", sha256="0" * 64, first=1, last=2, lines_sha256="1" * 64)


class Book:
    """A log that grows; each entry's envelope is named after its place."""

    def __init__(self, submitter: str = "acme") -> None:
        self.entries: list[Logged] = []
        self.statement = self.say(submitter, Submitted(submitter, "0" * 32, RESULTS))

    def say(self, by: str, content: Content, bundle: str = A) -> str:
        """Append ``content``, signed with the key of ``by``; its envelope."""
        index = len(self.entries)
        envelope = hashlib.sha256(b"%d" % index).hexdigest()
        signer = Signer(by, frozenset(ROLES.get(by, ())))
        self.entries.append(Logged(index, envelope, bundle, content, (signer,)))
        return envelope

    def event(self, by: str, kind: str, bundle: str = A, **fields: Any) -> str:
        """Append a review event."""
        event = ReviewEvent(type=kind, by=by, target=bundle, **fields)  # type: ignore[arg-type]
        return self.say(by, event, bundle)

    def accepted(self) -> "Book":
        """Checked, countersigned, and reviewed by two."""
        self.say("lab", Checked(()))
        self.say("lab", Countersigned(self.statement))
        self.event("lab", "review-done")
        self.event("uni", "review-done")
        return self

    def status(self, bundle: str = A) -> Status:
        return replay(self.entries)[bundle]

    def reason(self) -> str:
        """Why the last entry was ignored; empty if it counted."""
        last = len(self.entries) - 1
        ignored = [one for status in replay(self.entries).values() for one in status.ignored]
        return next((one.reason for one in ignored if one.index == last), "")


def levels(entries: Sequence[Logged]) -> dict[str, int]:
    """Each bundle's level as a number."""
    return {bundle: int(status.level[1]) for bundle, status in replay(entries).items()}
