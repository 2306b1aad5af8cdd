"""Witnesses and readers remember what a log said, and refuse one that has since been rewritten."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.errors import LevelfieldError, UsageError
from submissions.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Cosignature,
    Note,
    cosigned_by,
    read_note,
    signed_by_log,
)
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, Keyring, PublicKey
from submissions.merkle import consistency_ranges, verify_consistency
from submissions.receipt import check_signed, log_keys
from submissions.round_folder import read_inside, write_whole
from submissions.round_log import RoundLog

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Memory:
    """The last checkpoint of each log that one reader, or one witness, has seen and believed."""

    root: Path

    def path(self, origin: str) -> Path:
        """The file for the log of this name."""
        return self.root / quote(origin, safe="")

    def last(self, origin: str) -> Note | None:
        """What was kept last; None of a log that was never seen."""
        path = self.path(origin)
        return read_checkpoint(path) if os.path.lexists(path) else None

    def keep(self, note: Note) -> None:
        """Remember this checkpoint instead of the one before."""
        write_whole(self.path(note.checkpoint.origin), note.to_bytes())


def read_checkpoint(path: Path) -> Note:
    """A checkpoint from a file of the reader's; `LevelfieldError` if it is none."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; name a checkpoint that was kept")
    return read_note(read_inside(path.parent, path.name, MAX_NOTE_BYTES), str(path))


def check_growth(log: RoundLog, earlier: Checkpoint, where: str) -> None:
    """Whether the log has only grown since ``earlier``, proved from its tiles (RFC 6962, 2.1.2).

    `VerificationError` if it is another log, the log shrank, or was rewritten.
    """
    now = log.checkpoint
    if earlier.origin != now.origin:
        raise VerificationError(
            f"{where}: a checkpoint of {earlier.origin}, not of {now.origin}; name the same log's"
        )
    if now.size < earlier.size:
        raise VerificationError(
            f"{log.folder.log}: the log shrank: {earlier.size} entries were seen ({where}), now it "
            f"has {now.size}; do not trust it, ask its keeper for the entries that are gone"
        )
    # Of equal sizes no hash is needed: the roots themselves must be equal.
    proof = log.tiles.prove(consistency_ranges(earlier.size, now.size))
    if not verify_consistency(earlier.size, now.size, proof, earlier.root, now.root):
        raise VerificationError(
            f"{log.folder.log}: the log was rewritten: no consistency between the {earlier.size} "
            f"entries that were seen ({where}) and the {now.size} of now; do not trust it, and "
            "show both checkpoints to the others of the round"
        )


def check_kept(log: RoundLog, keyring: Keyring, kept: Note, where: str) -> None:
    """Hold the log to a checkpoint that somebody kept: signed by the log, it has only grown since.

    `VerificationError` as `check_signed` and `check_growth` have it.
    """
    check_signed(kept, keyring, log.origin, where)
    check_growth(log, kept.checkpoint, where)


def check_seen(log: RoundLog, keyring: Keyring, memory: Memory) -> Note | None:
    """What the log said when it was seen last, if it has only grown since; None of a new log.

    `VerificationError` as `check_growth` has it, or if what was kept is not signed by the log.
    """
    earlier, where = memory.last(log.origin), str(memory.path(log.origin))
    if earlier is not None:
        check_kept(log, keyring, earlier, where)
    return earlier


def witness(
    log: RoundLog, keyring: Keyring, memory: Memory, key: "Ed25519PrivateKey", time_s: int
) -> Note:
    """Cosign the log's checkpoint as the witness whose ``key`` it is, and write it back.

    The log is verified whole first, and must have only grown since this witness saw it last.
    `LevelfieldError` if not, or if the keyring does not give the key the role *witness*.
    """
    log.verify(keyring)
    if log.note is None:
        raise VerificationError(f"{log.folder.log}: no checkpoint; there is nothing to witness")
    entry = _witness_entry(keyring, log.size, key)
    check_seen(log, keyring, memory)
    # Kept before it is given away: whatever happens then, no other history gets this signature.
    memory.keep(log.note)
    return log.cosign(entry.organisation, key, time_s)


def check_witnessed(
    note: Note, keyring: Keyring, wanted: int, since_s: int | None = None
) -> tuple[Cosignature, ...]:
    """The witnesses that count: one an organisation, its latest word, none of the log's own.

    `VerificationError` if they are fewer than ``wanted``, or if ``since_s`` is given and none of
    them has looked since (a log that is held still for some readers looks like that).
    """
    where, size = f"checkpoint of {note.checkpoint.origin}", note.checkpoint.size
    keepers = signed_by_log(note, log_keys(keyring, size), where)
    own = {entry.organisation for entry in keepers}
    found = cosigned_by(note, _witnesses(keyring, size), where)
    latest = _latest(one for one in found if one.entry.organisation not in own)
    if len(latest) < wanted:
        raise VerificationError(
            f"{where}: not witnessed: {len(latest)} of {wanted} organisations cosigned it; wait "
            "for the round's witnesses, and do not rely on it before"
        )
    if since_s is not None and max((one.time_s for one in latest), default=-1) < since_s:
        raise VerificationError(
            f"{where}: frozen: no witness has seen it lately; fetch the log from another place"
        )
    return latest


def _latest(found: Iterable[Cosignature]) -> tuple[Cosignature, ...]:
    ordered = sorted(found, key=lambda one: one.time_s)
    return tuple({one.entry.organisation: one for one in ordered}.values())


def _witnesses(keyring: Keyring, size: int) -> tuple[KeyEntry, ...]:
    """Those that count at the last entry, and those that were admitted since it was logged."""
    places = (max(size - 1, 0), size)
    return tuple(
        entry
        for entry in keyring.keys
        if "witness" in entry.roles and any(entry.counts_at(place) for place in places)
    )


def _witness_entry(keyring: Keyring, size: int, key: "Ed25519PrivateKey") -> KeyEntry:
    key_id = PublicKey.of(key).key_id
    for entry in _witnesses(keyring, size):
        if entry.key_id == key_id:
            return entry
    raise LevelfieldError(
        f"key {key_id[:16]}: the keyring does not give it the role witness; "
        "have the round's root keys enter it"
    )
