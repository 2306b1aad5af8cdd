"""The docket of a round: what its log says so far, and what may be added to it."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import LevelfieldError, UsageError
from submissions.envelope import VerificationError, unseal
from submissions.keys import KeyEntry, PublicKey
from submissions.log_entry import LogEntry
from submissions.manifest import bundle_id
from submissions.review.case import Case, Logged, Refused, Submitted, Vote, votes_on
from submissions.review.citation import cite
from submissions.review.event import REVIEW_EVENT, Citation, Kind, ReviewEvent
from submissions.review.reading import HeldBundle, RoundReader
from submissions.review.replay import Replay
from submissions.round_folder import MAX_ENVELOPE_BYTES, RoundFolder, read_inside
from submissions.round_log import RoundLog
from submissions.statement import seal_statement
from submissions.strict_json import parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ATTESTATIONS = "attestations/*.dsse.json"


@dataclass(frozen=True)
class Left:
    """An envelope that the log may not take in, and why."""

    envelope: str
    reason: str


class Docket:
    """A round's folder, read; entries that were added wait for `append` by the log's keeper."""

    def __init__(self, folder: RoundFolder) -> None:
        """Read the whole log; `LevelfieldError` if round, keyring or log cannot be read."""
        self.folder = folder
        self.reader = RoundReader.of(folder)
        self.entries = self.reader.entries()
        """Those that wait are the last ones."""
        self.replay = Replay(self.entries)
        self.waiting: list[LogEntry] = []
        self._data: dict[str, bytes] = {}

    @property
    def next_index(self) -> int:
        """Where the next entry will stand."""
        return len(self.entries)

    def organisation(self, key: "Ed25519PrivateKey") -> str:
        """Whose key it is by the round's keyring; `LevelfieldError` for a stranger's."""
        key_id = PublicKey.of(key).key_id
        for entry in self.reader.keyring.at(self.next_index):
            if entry.key_id == key_id:
                return entry.organisation
        raise LevelfieldError(
            f"key {key_id[:16]}: not in {self.folder.keyring}, or no longer valid; "
            "ask the round's chair to add it"
        )

    def case(self, name: str) -> Case:
        """The case of a bundle by its id, the beginning of it, or its folder's path."""
        name = Path(name).name
        found = [case for bundle, case in self.replay.cases.items() if bundle.startswith(name)]
        if len(found) != 1 or len(name) < 4:
            raise UsageError(
                f"{name[:100]!a}: {len(found)} submitted bundles are called so; "
                "levelfield review status lists them"
            )
        return found[0]

    def event(self, name: str, case: Case) -> str:
        """The envelope whose digest begins with ``name``, of an entry in the log."""
        found = [entry.envelope for entry in self.entries if entry.envelope.startswith(name)]
        if len(found) != 1 or len(name) < 6:
            raise UsageError(
                f"--on {name[:64]!a}: {len(found)} events are called so; "
                f"levelfield review show {case.bundle} lists them"
            )
        return found[0]

    def votes(self, envelope: str, case: Case) -> list[Vote]:
        """Votes that count on an event."""
        return votes_on(envelope, case, self.replay.cases)

    def cite(self, case: Case, places: Sequence[str]) -> tuple[Citation, ...]:
        """Citations of ``FILE:LINES`` in the bundle; errors as of `cite`."""
        held = self.held(case)
        return tuple(cite(place, held.manifest, held.checked) for place in places)

    def held(self, case: Case) -> HeldBundle:
        """The bundle in the folder by its manifest; `LevelfieldError` if it is not there."""
        path = self.folder.bundle_path(case.submitter, case.bundle)
        for _, _, found in self.folder.bundles():
            if found == path and (held := self.reader.held(path)).subject.name == case.bundle:
                return held
        raise LevelfieldError(f"{path}: not there, or another bundle; copy it back")

    def say(
        self, case: Case, kind: Kind, key: "Ed25519PrivateKey", **fields: Any
    ) -> tuple[str, ReviewEvent]:
        """Sign a review event about ``case`` and keep it; its envelope's digest, and the event.

        `LevelfieldError`, with nothing written, if it would not count; `UsageError` if the
        event is not one of its kind.
        """
        fields = {"target": case.bundle, **fields}
        try:
            event = ReviewEvent(type=kind, by=self.organisation(key), **fields)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(f"{kind} of bundle {case.bundle}: {reason}; see --help") from error
        data = seal_statement(self.held(case).subject, REVIEW_EVENT, event, key)
        return self.add(data, f"{kind} of bundle {case.bundle}"), event

    def add(self, data: bytes, what: str) -> str:
        """Keep an envelope that will count; `LevelfieldError`, with nothing written, else."""
        envelope = self._take(data, what)
        self.folder.write_envelope(data)
        return envelope

    def _take(self, data: bytes, what: str) -> str:
        entry, logged = self._considered(data)
        if reason := self._refusal(logged):
            raise LevelfieldError(f"{what}: refused: {reason}")
        self.waiting.append(entry)
        self.entries.append(logged)
        self._data[entry.envelope] = data
        self.replay.take(logged)
        return entry.envelope

    def append(self, log_key: "Ed25519PrivateKey") -> list[int]:
        """Append what was added to the log, and return where it stands."""
        for data in self._data.values():
            self.folder.write_envelope(data)
        indices = RoundLog.open(self.folder).append(self.waiting, log_key)
        self.waiting.clear()
        self._data.clear()
        return indices

    def add_pending(self, without: Collection[str] = ()) -> list[Left]:
        """Add every envelope in the folder that the log lacks, and write nothing; what is refused.

        Those about the bundles ``without`` stay where they are.
        Submissions come first, then what speaks against a bundle, and *publish* last; within that
        an event comes after those that it refers to.
        """
        pending, left = self._pending()
        found = [
            (envelope, data)
            for envelope, data in pending.items()
            if self._considered(data)[1].bundle not in without
        ]
        waiting = dict(sorted(found, key=lambda item: self._order(item[1])))
        moved = True
        while moved:
            moved = False
            for envelope, data in list(waiting.items()):
                if self._refusal(self._considered(data)[1]) is None:
                    self._take(data, envelope)
                    del waiting[envelope]
                    moved = True
                    break
        return left + [
            Left(envelope, self._refusal(self._considered(data)[1]) or "")
            for envelope, data in waiting.items()
        ]

    def _refusal(self, logged: Logged) -> str | None:
        present = {name for _, name, _ in self.folder.bundles()}
        if isinstance(logged.content, Submitted) and logged.bundle not in present:
            return f"bundle {logged.bundle} does not lie in {self.folder.root}; hand it in too"
        return self.replay.refusal_of(logged)

    def _pending(self) -> tuple[dict[str, bytes], list[Left]]:
        """Envelopes that are not logged, by their digests, and those that cannot be read."""
        known, left = {entry.envelope for entry in self.entries}, []
        read = {}
        for path in self._envelope_paths():
            name = path.relative_to(self.folder.root).as_posix()
            try:
                data = read_inside(self.folder.root, name, MAX_ENVELOPE_BYTES)
            except LevelfieldError as error:
                left.append(Left(name, str(error)))
                continue
            if path.parent == self.folder.events and path != self.folder.envelope_path(
                digest_of(data)
            ):
                left.append(Left(name, "its SHA-256 differs from its name; copy the file back"))
            elif digest_of(data) not in known:
                read[digest_of(data)] = data
        return read, left

    def _envelope_paths(self) -> Iterator[Path]:
        for envelope in self.folder.envelopes():
            yield self.folder.envelope_path(envelope)
        for _, _, path in self.folder.bundles():
            yield from sorted(path.glob(_ATTESTATIONS))

    def _order(self, data: bytes) -> tuple[int, str]:
        logged = self._considered(data)[1]
        kind = getattr(logged.content, "type", type(logged.content).__name__)
        order = ("Submitted", "withdraw", "recuse", "objection")
        last = len(order) + (kind == "publish")
        return order.index(kind) if kind in order else last, logged.envelope

    def _considered(self, data: bytes) -> tuple[LogEntry, Logged]:
        """The entry that would point to ``data``, and what it would say at the next place."""
        envelope, index = digest_of(data), self.next_index
        try:
            payload, keys = unseal(data, envelope[:16], self.reader.keyring.at(index))
            entry = _pointer(envelope, payload, keys)
        except LevelfieldError as error:
            nothing = LogEntry(
                envelope=envelope, subject=None, predicate_type="unknown", actor="unknown",
                kind="statement",
            )  # fmt: skip
            return nothing, Logged(index, envelope, None, Refused(str(error)))
        return entry, self.reader.opened(index, entry, data)


def digest_of(data: bytes) -> str:
    """SHA-256 of an envelope, in hex."""
    return hashlib.sha256(data).hexdigest()


def _pointer(envelope: str, payload: bytes, keys: tuple[KeyEntry, ...]) -> LogEntry:
    """The log's entry for a statement; what it says is judged by `RoundReader.opened`."""
    fields = parse(payload, envelope[:16])
    try:
        sha256 = fields["subject"][0]["digest"]["sha256"]
        return LogEntry(
            envelope=envelope,
            subject=bundle_id(sha256),
            predicate_type=fields["predicateType"],
            actor=keys[0].organisation,
            kind="statement",
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise VerificationError(f"{envelope[:16]}: is no statement about a bundle") from error
