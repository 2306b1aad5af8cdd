"""Receipts: an entry is provably in a log; commitments: a bundle promised now, shown later."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from harness.errors import LevelfieldError
from harness.records import Identifier, Record, Sha256
from submissions.checkpoint import Checkpoint, Note, read_note, signed_by_log
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, Keyring
from submissions.log_entry import LogEntry
from submissions.manifest import bundle_id
from submissions.merkle import leaf_hash, verify_inclusion
from submissions.round_folder import read_inside
from submissions.statement import BENCHMARK_RESULT
from submissions.strict_json import read_record

MAX_RECEIPT_BYTES = 2**18


class Receipt(Record):
    """One entry of a log with the proof that it is in the tree of a signed checkpoint."""

    record: Literal["levelfield/receipt/v1"] = Field(
        default="levelfield/receipt/v1", alias="schema"
    )
    index: Annotated[int, Field(ge=0)]
    entry: LogEntry
    proof: Annotated[tuple[Sha256, ...], Field(max_length=64)]
    """Hashes from the leaf's sibling upwards (RFC 6962, section 2.1.1)."""
    checkpoint: str
    """The signed note, as the log had it."""

    def verify(self, keyring: Keyring, origin: str, where: str) -> Checkpoint:
        """The checkpoint of the log ``origin`` that holds the entry; no log is needed.

        `VerificationError` for a checkpoint that is not the log's, or a proof that does not hold.
        """
        note = read_note(self.checkpoint.encode(), where)
        checkpoint = check_signed(note, keyring, origin, where)
        proof = [bytes.fromhex(step) for step in self.proof]
        leaf = leaf_hash(self.entry.to_bytes())
        if not verify_inclusion(leaf, self.index, checkpoint.size, proof, checkpoint.root):
            raise VerificationError(
                f"{where}: the log has no such entry at {self.index}; ask for the receipt anew"
            )
        return checkpoint


def read_receipt(path: Path) -> Receipt:
    """A receipt from a file of the reader's; it has not been verified."""
    data = read_inside(path.parent, path.name, MAX_RECEIPT_BYTES)
    return read_record(Receipt, data, str(path))


def check_signed(note: Note, keyring: Keyring, origin: str, where: str) -> Checkpoint:
    """The checkpoint, if it is the log's of this name, signed by a key that may sign logs.

    `VerificationError` otherwise, as `signed_by_log` has it.
    """
    checkpoint = note.checkpoint
    if checkpoint.origin != origin:
        raise VerificationError(
            f"{where}: a checkpoint of {checkpoint.origin}, not of {origin}; it is another log's"
        )
    signed_by_log(note, log_keys(keyring, checkpoint.size), where)
    return checkpoint


def log_keys(keyring: Keyring, size: int) -> tuple[KeyEntry, ...]:
    """Keys that may sign a log of ``size`` entries: those with the role *log* or *root*."""
    valid = keyring.at(max(size - 1, 0))
    return tuple(entry for entry in valid if {"log", "root"} & set(entry.roles))


class Opening(Record):
    """What a commitment stands for. Secret until the bundle is revealed, public from then on."""

    record: Literal["levelfield/opening/v1"] = Field(
        default="levelfield/opening/v1", alias="schema"
    )
    origin: str
    submitter: Identifier
    manifest_sha256: Sha256
    nonce: Sha256
    """32 random bytes, so that nobody can find the bundle by trying."""

    @classmethod
    def new(cls, origin: str, submitter: str, manifest_sha256: str) -> Self:
        """A commitment to a bundle in the log ``origin``."""
        nonce = secrets.token_hex(32)
        return cls(origin=origin, submitter=submitter, manifest_sha256=manifest_sha256, nonce=nonce)

    @property
    def bundle(self) -> str:
        """The bundle's id."""
        return bundle_id(self.manifest_sha256)

    @property
    def commitment(self) -> str:
        """SHA-256 of the nonce and the manifest's digest, 32 bytes each."""
        return hashlib.sha256(bytes.fromhex(self.nonce + self.manifest_sha256)).hexdigest()

    def committed(self) -> LogEntry:
        """The entry that promises a bundle without naming it."""
        return commitment_entry(self.commitment, self.submitter)

    def revealed(self, envelope: str) -> LogEntry:
        """The entry that keeps the promise: the submitter's statement, by its envelope's digest."""
        return LogEntry(
            envelope=envelope,
            subject=self.bundle,
            predicate_type=BENCHMARK_RESULT,
            actor=self.submitter,
            kind="reveal",
        )


def commitment_entry(commitment: str, submitter: str) -> LogEntry:
    """The entry for a commitment that ``submitter`` made."""
    return LogEntry(
        envelope=commitment,
        subject=None,
        predicate_type=BENCHMARK_RESULT,
        actor=submitter,
        kind="commit",
    )


def find_commitment(opening: Opening, entries: Sequence[LogEntry], where: str) -> int:
    """Where among ``entries`` the opened commitment was logged.

    `LevelfieldError` if it was not: then the bundle is another than the one that was promised.
    """
    wanted = opening.committed()
    for index, entry in enumerate(entries):
        if entry == wanted:
            return index
    raise LevelfieldError(
        f"{where}: {opening.submitter} committed to no such bundle before; "
        "reveal the bundle that was committed to, with its own opening"
    )
