"""The review event: what one organisation says about one bundle, as a statement's predicate."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.records import Identifier, Record, Sha256

REVIEW_EVENT = "urn:levelfield:predicate/review-event/v1"
MAX_TEXT_BYTES = 16 * 1024

Kind = Literal[
    "review-assigned", "review-done", "recuse", "objection", "second", "drop", "response",
    "concede", "amend", "replicate-request", "replicate-grant", "replicate-refuse",
    "replicate-result", "vote", "verdict", "appeal", "withdraw", "erratum", "freeze", "publish",
]  # fmt: skip
Decision = Literal["uphold", "reject", "waive", "reclassify", "void", "attest"]
"""``uphold`` and ``reject`` are of what the verdict refers to; ``attest`` declares level L4."""
Outcome = Literal["equal", "different", "cannot tell"]
BundleId = Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")]
RuleNumber = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,15}-[0-9]{1,3}$")]
_Line = Annotated[int, Field(ge=1, le=2**31)]

_NEEDED: dict[Kind, frozenset[str]] = {
    "review-assigned": frozenset({"reviewer"}),
    "review-done": frozenset(),
    "recuse": frozenset(),
    "objection": frozenset({"text"}),
    "second": frozenset({"refers_to"}),
    "drop": frozenset({"refers_to"}),
    "response": frozenset({"refers_to", "text"}),
    "concede": frozenset({"refers_to"}),
    "amend": frozenset({"superseded_by"}),
    "replicate-request": frozenset(),
    "replicate-grant": frozenset({"refers_to"}),
    "replicate-refuse": frozenset({"refers_to", "text"}),
    "replicate-result": frozenset({"replica", "outcome"}),
    "vote": frozenset({"refers_to", "decision"}),
    "verdict": frozenset({"decision", "text"}),
    "appeal": frozenset({"refers_to", "text"}),
    "withdraw": frozenset({"text"}),
    "erratum": frozenset({"text"}),
    "freeze": frozenset(),
    "publish": frozenset(),
}
_ALLOWED: dict[Kind, frozenset[str]] = {
    "objection": frozenset({"rule", "at"}),
    "response": frozenset({"rule", "at"}),
    "review-done": frozenset({"at"}),
    "replicate-result": frozenset({"at"}),
    "verdict": frozenset({"refers_to", "rule", "at", "effect", "votes"}),
}
_BY_DECISION: dict[Decision, frozenset[str]] = {
    "uphold": frozenset({"refers_to"}),
    "reject": frozenset({"refers_to"}),
    "waive": frozenset({"refers_to", "rule", "effect"}),
    "reclassify": frozenset({"effect"}),
    "void": frozenset(),
    "attest": frozenset(),
}
"""What a verdict needs besides."""


NOT_PLAIN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb"
    r"\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\U000f0000-\U0010ffff"
    + "".join(
        f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(1, 15)
    )
    + "]"
)
"""Controls, marks that turn or hide text, what Unicode sets aside to be drawn as nothing,
surrogates, private use and noncharacters. By number: installations know different Unicodes, and
everybody must refuse the same text."""


class Citation(Record):
    """Lines of a file in the bundle, by their digests."""

    file: Annotated[str, Field(max_length=200)]
    sha256: Sha256
    """Of the whole file, as the manifest has it."""
    first: _Line
    last: _Line
    lines_sha256: Sha256
    """Of the lines with their line ends, as they lie in the file."""

    @property
    def text(self) -> str:
        """``file:first-last``."""
        return f"{self.file}:{self.first}-{self.last}"


class ReviewEvent(Record):
    """The predicate. Every type has its own needs; a field that is not of the type is refused."""

    type: Kind
    by: Identifier
    """Organisation; it must be the signing key's."""
    target: Annotated[str, Field(pattern=r"^([a-z2-7]{20}|results/[a-z0-9_.-]+/[a-z_]+)$")]
    """The bundle's id, or the path of one of its results."""
    rule: RuleNumber | None = None
    at: Annotated[tuple[Citation, ...], Field(max_length=64)] = ()
    refers_to: Sha256 | None = None
    """SHA-256 of another event's envelope."""
    text: str = ""
    """Plain text, 16 KiB at most."""
    reviewer: Identifier | None = None
    superseded_by: BundleId | None = None
    replica: BundleId | None = None
    """The replication's own bundle."""
    outcome: Outcome | None = None
    decision: Decision | None = None
    """Of a verdict; of a vote, what it is for."""
    effect: Annotated[str, Field(max_length=500)] = ""
    """What a waiver or a reclassification comes to."""
    votes: Annotated[tuple[Sha256, ...], Field(max_length=256)] = ()
    """Envelopes of all votes that were cast on what the verdict refers to."""

    @model_validator(mode="after")
    def _has_what_its_type_has(self) -> Self:
        needed = _NEEDED[self.type]
        if self.type == "verdict" and self.decision:
            needed |= _BY_DECISION[self.decision]
        told = {name for name in type(self).model_fields if getattr(self, name)}
        for name in sorted(needed - told):
            raise ValueError(f"{self.type} needs {name}")
        allowed = needed | _ALLOWED.get(self.type, frozenset()) | {"type", "by", "target", "text"}
        for name in sorted(told - allowed):
            raise ValueError(f"{self.type} has no {name}")
        for text in (self.text, self.effect):
            _check_plain(text)
        return self


def _check_plain(text: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise ValueError(f"text longer than {MAX_TEXT_BYTES} bytes")
    if found := NOT_PLAIN.search(text):
        raise ValueError(f"text is not plain: it holds U+{ord(found[0]):04X}")
