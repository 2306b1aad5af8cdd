"""What a round's log has said so far about each bundle: entries in, the books of a replay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from submissions.review.event import Decision, Outcome, ReviewEvent


@dataclass(frozen=True)
class Submitted:
    """A submitter's own statement about its bundle."""

    submitter: str
    nonce: str
    results: tuple[str, ...] = ()
    """Paths of what is claimed, as ``results/<workload>/<scenario>``."""


@dataclass(frozen=True)
class Checked:
    """A checker's verdict: whether the rules were met, and which were not."""

    failed: tuple[str, ...]
    """Numbers of the rules that found an error; empty where the check passed."""


@dataclass(frozen=True)
class Countersigned:
    """A reviewer's countersignature."""

    statement: str
    """SHA-256 of the submitter's envelope that the reviewer looked at."""


@dataclass(frozen=True)
class Elsewhere:
    """What is of no concern to a review: intents, keys, commitments."""


@dataclass(frozen=True)
class Missing:
    """An envelope that the log points to and that is not there, or is not what was logged."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """An envelope that is there and does not hold."""

    reason: str


Content = Submitted | Checked | Countersigned | ReviewEvent | Elsewhere | Missing | Refused


@dataclass(frozen=True)
class Signer:
    """Who signed, with the roles that the keyring gave at that place in the log."""

    organisation: str
    roles: frozenset[str]
    key_id: str = ""


@dataclass(frozen=True)
class Logged:
    """One entry of the log with what its envelope says."""

    index: int
    """Its place in the log, which is the only time that counts."""
    envelope: str
    """SHA-256 of the envelope."""
    bundle: str | None
    content: Content
    signers: tuple[Signer, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Every role that one of its keys has."""
        return frozenset().union(*(signer.roles for signer in self.signers))

    @property
    def by(self) -> str:
        """The organisation that signed; all keys must be of one."""
        names = sorted({signer.organisation for signer in self.signers})
        return " and ".join(names)


@dataclass
class Objection:
    """An objection and what became of it."""

    envelope: str
    index: int
    event: ReviewEvent
    seconded_by: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    """Texts, in order."""
    conceded: bool = False
    closed: str = ""
    """By what; empty while it is open."""


@dataclass(frozen=True)
class Waiver:
    """A rule that does not count against a bundle, by a verdict."""

    rule: str
    reason: str
    effect: str
    votes: tuple[str, ...]
    """``organisation: decision``, a vote each."""
    index: int


@dataclass(frozen=True)
class Ignored:
    """An entry that counts for nothing, and why."""

    index: int
    what: str
    reason: str


@dataclass(frozen=True)
class Vote:
    """One organisation's vote."""

    envelope: str
    by: str
    decision: Decision


@dataclass(frozen=True)
class Replica:
    """What one organisation's replication came to."""

    target: str
    """A result's path, or the bundle's id where it is of every result."""
    by: str
    bundle: str
    outcome: Outcome


@dataclass
class Case:
    """The book of one bundle while a log is replayed."""

    bundle: str
    submitter: str
    nonce: str
    index: int
    """Of the entry that submitted it."""
    results: tuple[str, ...] = ()
    statements: set[str] = field(default_factory=set)
    """Envelopes of the submitter's own statements."""
    supersedes: str | None = None
    superseded_by: str | None = None
    events: dict[str, ReviewEvent] = field(default_factory=dict)
    """Every event that counts, by its envelope, in order."""
    objections: dict[str, Objection] = field(default_factory=dict)
    checks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The last check of each organisation: rules that failed."""
    assigned: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    countersigned: set[str] = field(default_factory=set)
    recused: set[str] = field(default_factory=set)
    replications: dict[tuple[str, str], Replica] = field(default_factory=dict)
    """The last one by target and organisation."""
    votes: dict[str, list[Vote]] = field(default_factory=dict)
    """By the envelope of what was voted on."""
    waivers: list[Waiver] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    """Reclassifications."""
    errata: list[str] = field(default_factory=list)
    rejected: str = ""
    """Envelope of the verdict, while it stands."""
    void: str = ""
    """Envelope of the verdict, while it stands."""
    attested: bool = False
    withdrawn: bool = False
    frozen: bool = False
    published: int | None = None
    ignored: list[Ignored] = field(default_factory=list)


Cases = Mapping[str, Case]


@dataclass(frozen=True)
class Step:
    """One review event in its place: by whom, about which bundle, among which others."""

    event: ReviewEvent
    logged: Logged
    case: Case
    cases: Cases

    @property
    def referred(self) -> ReviewEvent | None:
        """The event that this one refers to, of its bundle or of one that the bundle amends."""
        found = (one.events.get(self.event.refers_to or "") for one in self._held)
        return next((event for event in found if event), None)

    @property
    def about(self) -> "Objection | None":
        """The open objection that this event refers to."""
        found = open_objections(self.case, self.cases)
        return next((one for one in found if one.envelope == self.event.refers_to), None)

    @property
    def votes(self) -> list[Vote]:
        """Votes on what this event refers to."""
        return votes_on(self.event.refers_to, self.case, self.cases)

    @property
    def _held(self) -> Iterator[Case]:
        return lineage(self.case, self.cases)


def votes_on(envelope: str | None, case: Case, cases: Cases) -> list[Vote]:
    """Votes on an event about this bundle; of organisations recused since, none."""
    cast = [vote for one in lineage(case, cases) for vote in one.votes.get(envelope or "", [])]
    return [vote for vote in cast if vote.by not in case.recused]


def lineage(case: Case, cases: Cases) -> Iterator[Case]:
    """The case, then those of the bundles that it amends, newest first."""
    current: Case | None = case
    while current is not None:
        yield current
        # Ends: a bundle amends only bundles that were submitted before it.
        current = cases[current.supersedes] if current.supersedes else None


def open_objections(case: Case, cases: Cases) -> list[Objection]:
    """Objections that stand, those to the bundles that this one amends included, oldest first."""
    found = [
        objection
        for one in lineage(case, cases)
        for objection in one.objections.values()
        if not objection.closed
    ]
    return sorted(found, key=lambda objection: objection.index)
