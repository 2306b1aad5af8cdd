"""The log of a round: entries are appended and never change, and every reader can prove it."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.errors import LevelfieldError, UsageError
from submissions.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    cosign,
    read_note,
    sign_checkpoint,
)
from submissions.envelope import VerificationError
from submissions.keyring_release import KEYRING_RELEASE, open_signed, root_keys
from submissions.keys import KeyEntry, Keyring, PublicKey
from submissions.log_entry import LogEntry, read_entry
from submissions.merkle import EMPTY_ROOT, inclusion_ranges, leaf_hash
from submissions.receipt import (
    MAX_RECEIPT_BYTES,
    Opening,
    Receipt,
    check_signed,
    find_commitment,
    log_keys,
)
from submissions.round_folder import MAX_ENVELOPE_BYTES, RoundFolder, read_inside, write_whole
from submissions.strict_json import read_record
from submissions.tiles import Tiles

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHECKPOINT = "checkpoint"
MAX_ENTRIES = 100_000
"""Ten events for each of 10,000 results; a reader's memory holds them within 200 MB."""

_WHERE = f"log/{CHECKPOINT}"
_MAX_KEYRING_BYTES = 2**22


@dataclass
class RoundLog:
    """A round's log as its checkpoint has it. `open` reads little; only `verify` believes it."""

    folder: RoundFolder
    origin: str
    note: Note | None
    """None before the first checkpoint."""
    tiles: Tiles

    @classmethod
    def open(cls, folder: RoundFolder) -> Self:
        """Open the log; without a checkpoint it is empty.

        `LevelfieldError` if the checkpoint is none, or of another log than ``round.json`` names.
        """
        origin, note = folder.info().origin, None
        if os.path.lexists(folder.log / CHECKPOINT):
            note = read_note(read_inside(folder.root, _WHERE, MAX_NOTE_BYTES), _WHERE)
            if note.checkpoint.origin != origin:
                raise VerificationError(
                    f"{_WHERE}: of the log {note.checkpoint.origin}, not of {origin}; "
                    "it belongs to another round, copy the log again"
                )
        size = note.checkpoint.size if note else 0
        if size > MAX_ENTRIES:
            raise VerificationError(
                f"{_WHERE}: {size} entries; a round's log has {MAX_ENTRIES} at most, do not read it"
            )
        return cls(folder, origin, note, Tiles(folder.log, size))

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.tiles.size

    @property
    def checkpoint(self) -> Checkpoint:
        """Size and root as the log states them."""
        return self.note.checkpoint if self.note else Checkpoint(self.origin, 0, EMPTY_ROOT)

    def entry(self, index: int) -> LogEntry:
        """One entry; `LevelfieldError` if there is none at ``index``."""
        self._check_index(index)
        return read_entry(self.tiles.entry(index), f"entry {index}")

    def entries(self, upto: int | None = None) -> Iterator[LogEntry]:
        """The entries in order, those before ``upto`` only where it is given."""
        for index, data in enumerate(self.tiles.entries()):
            if upto is not None and index >= upto:
                return
            yield read_entry(data, f"entry {index}")

    def find(self, envelope: str) -> int | None:
        """Where the envelope with this digest was logged."""
        for index, entry in enumerate(self.entries()):
            if entry.envelope == envelope:
                return index
        return None

    def prove(self, index: int) -> Receipt:
        """A receipt for one entry, from the tiles; `LevelfieldError` if there is none there."""
        self._check_index(index)
        proof = self.tiles.prove(inclusion_ranges(index, self.size))
        assert self.note is not None  # a log with an entry has a checkpoint
        return Receipt(
            index=index,
            entry=self.entry(index),
            proof=tuple(step.hex() for step in proof),
            checkpoint=self.note.to_bytes().decode(),
        )

    def append(self, entries: Sequence[LogEntry], signing_key: "Ed25519PrivateKey") -> list[int]:
        """Append entries, sign the new checkpoint, and return where they stand.

        With no entries the checkpoint alone is written, as a new log needs one. Tiles are written
        first and the checkpoint last, so that whatever stops it, the log of before is whole.
        `LevelfieldError`, with nothing appended: a key that may not sign the log, a log that is
        not what its checkpoint says, an envelope that is not there, or logged already.
        """
        self.folder.log.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder):
            present = self.open(self.folder)
            self.note, self.tiles = present.note, present.tiles
            self._check_sound(signing_key)
            self._check_new(entries)
            data = [entry.to_bytes() for entry in entries]
            files = self.tiles.grown(data)
            for path, content in files.items():
                write_whole(self.folder.log / path, content)
            grown = Tiles(self.folder.log, self.size + len(data))
            checkpoint = Checkpoint(self.origin, grown.size, grown.tree_root())
            if self.note is None or entries:
                self._write_note(sign_checkpoint(checkpoint, signing_key))
            first, self.tiles = self.size, grown
        return list(range(first, first + len(data)))

    def cosign(self, name: str, key: "Ed25519PrivateKey", time_s: int) -> Note:
        """Add the cosignature of witness ``name`` to the checkpoint that was opened.

        `VerificationError` if the log has grown meanwhile: the witness has not seen that yet.
        """
        with _locked(self.folder):
            present = self.open(self.folder).note
            if present is None or present.checkpoint != self.checkpoint:
                raise VerificationError(f"{_WHERE}: the log has grown meanwhile; witness it again")
            note = cosign(present, name, key, time_s)
            self._write_note(note)
        return note

    def keyring(self, anchors: Sequence[KeyEntry] = ()) -> Keyring:
        """The round's own keyring; of one that names root keys, their signatures are checked.

        With ``anchors``, root keys that the reader trusts, those must have signed it.
        `LevelfieldError` if it is not there, or as `open_signed` has it.
        """
        where = str(self.folder.keyring)
        data = read_inside(self.folder.root, self.folder.keyring.name, _MAX_KEYRING_BYTES)
        keyring = Keyring.from_bytes(data, where)
        if keyring.threshold is None and not anchors:
            return keyring
        name = self.folder.keyring_signatures.name
        if not os.path.lexists(self.folder.keyring_signatures):
            raise VerificationError(f"{where}: its root keys have not signed it; use keys sign")
        signatures = read_inside(self.folder.root, name, MAX_ENVELOPE_BYTES)
        return open_signed(data, signatures, where, anchors)

    def keyring_entry(self) -> LogEntry | None:
        """The entry for the root keys' signatures over the present keyring, if not logged yet."""
        path = self.folder.keyring_signatures
        if not os.path.lexists(path):
            return None
        actor = root_keys(self.keyring(), str(self.folder.keyring))[0].organisation
        data = read_inside(self.folder.root, path.name, MAX_ENVELOPE_BYTES)
        envelope = self.folder.write_envelope(data)
        if self.find(envelope) is not None:
            return None
        return LogEntry(
            envelope=envelope,
            subject=None,
            predicate_type=KEYRING_RELEASE,
            actor=actor,
            kind="keyring",
        )

    def verify(self, keyring: Keyring | None = None) -> tuple[LogEntry, ...]:
        """Replay the whole log and return its entries.

        The checkpoint is signed by the log's key in ``keyring`` (the round's own if None); every
        entry is canonical, and none stands twice; every envelope is there and has its digest; each
        reveal has its commitment before it; all tiles, and the root, are those of the entries.
        `LevelfieldError` names what is not so.
        """
        if self.note is None:
            raise VerificationError(f"{_WHERE}: missing; a log without one proves nothing")
        check_signed(self.note, keyring or self.keyring(), self.origin, _WHERE)
        # Parsed one by one, which bounds what a leaf can hold, before all are held together.
        entries = tuple(self.entries())
        self._check_tree([leaf_hash(entry.to_bytes()) for entry in entries])
        _check_once(entries)
        for index, entry in enumerate(entries):
            if entry.kind != "commit":
                self.folder.read_envelope(entry.envelope)
            if entry.kind == "reveal":
                self._check_reveal(entry, entries[:index])
        return entries

    def opening_path(self, bundle: str) -> str:
        """Where in the round's folder the opening for a revealed bundle lies."""
        return f"receipts/{bundle}.opening.json"

    def _write_note(self, note: Note) -> None:
        write_whole(self.folder.log / CHECKPOINT, note.to_bytes())
        self.note = note

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise UsageError(f"entry {index}: the log has {self.size} entries, the first is 0")

    def _check_sound(self, signing_key: "Ed25519PrivateKey") -> None:
        """What is about to be signed continues what was signed, by whoever may do so."""
        if self.folder.keyring.exists():
            keyring, key = self.keyring(), PublicKey.of(signing_key)
            if key.key_id not in {entry.key_id for entry in log_keys(keyring, self.size + 1)}:
                raise LevelfieldError(
                    f"{self.folder.root}: the key {key.key_id[:16]} may not sign this log; "
                    "hand in the envelope and let the log's keeper append it"
                )
            if self.note is not None:
                check_signed(self.note, keyring, self.origin, _WHERE)
        if self.tiles.tree_root() != self.checkpoint.root:
            raise VerificationError(f"{_WHERE}: not the root of the tiles; copy the log again")
        self.tiles.check_last_entries()

    def _check_new(self, entries: Sequence[LogEntry]) -> None:
        if self.size + len(entries) > MAX_ENTRIES:
            raise LevelfieldError(f"{self.folder.log}: full: a log has {MAX_ENTRIES} entries")
        logged = {entry.envelope: index for index, entry in enumerate(self.entries())}
        for index, entry in enumerate(entries, self.size):
            if entry.envelope in logged:
                raise LevelfieldError(
                    f"envelope {entry.envelope[:16]}: logged already as entry "
                    f"{logged[entry.envelope]}; a statement is logged once"
                )
            logged[entry.envelope] = index
            if entry.kind != "commit":
                self.folder.read_envelope(entry.envelope)

    def _check_tree(self, leaves: Sequence[bytes]) -> None:
        for path, data in Tiles(self.folder.log, 0).grown_hashes(leaves).items():
            if read_inside(self.folder.log, path, len(data)) != data:
                raise VerificationError(
                    f"log/{path}: not the tree of the log's entries; copy the log again"
                )
        if self.tiles.tree_root() != self.checkpoint.root:
            raise VerificationError(
                f"{_WHERE}: its root is not that of the entries: one was changed, added or "
                "removed; copy the log again"
            )

    def _check_reveal(self, entry: LogEntry, before: Sequence[LogEntry]) -> None:
        path = self.opening_path(entry.subject or "")
        opening = read_record(Opening, read_inside(self.folder.root, path, MAX_RECEIPT_BYTES), path)
        if (opening.origin, opening.revealed(entry.envelope)) != (self.origin, entry):
            raise VerificationError(f"{path}: not the opening of this reveal; copy the file back")
        find_commitment(opening, before, path)


def _check_once(entries: Sequence[LogEntry]) -> None:
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        first = seen.setdefault(entry.envelope, index)
        if first != index:
            raise VerificationError(
                f"entry {index}: says again what entry {first} says; a statement is logged once"
            )


@contextmanager
def _locked(folder: RoundFolder) -> Iterator[None]:
    """Only one process appends at a time; the lock goes with the process."""
    handle = os.open(folder.log, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
