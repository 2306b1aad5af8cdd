"""A leaf of a round's log: a pointer to an envelope, never the envelope itself."""

from typing import Annotated, Literal

from pydantic import Field

from harness.errors import LevelfieldError
from harness.records import Identifier, Record, Sha256
from submissions.manifest import canonical
from submissions.strict_json import read_record

MAX_ENTRY_BYTES = 65_535
"""An entry's length is written as two bytes (C2SP tlog-tiles, "Log entries")."""

EntryKind = Literal["statement", "commit", "reveal", "keyring"]


class LogEntry(Record):
    """One leaf: what was said of which bundle, by whom; where it stands in the log is its time."""

    record: Literal["levelfield/log-entry/v1"] = Field(
        default="levelfield/log-entry/v1", alias="schema"
    )
    envelope: Sha256
    """Of the envelope's bytes in the round's ``events``; of a *commit*, the commitment itself."""
    subject: Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")] | None
    """The bundle's id; None where there is none, or where it is not to be known yet."""
    predicate_type: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    actor: Identifier
    """Organisation."""
    kind: EntryKind

    def to_bytes(self) -> bytes:
        """The leaf as the log holds it: canonical JSON (RFC 8785)."""
        return canonical(self)


def read_entry(data: bytes, where: str) -> LogEntry:
    """Read a leaf; `LevelfieldError` unless it is canonical and short enough for the log."""
    if len(data) > MAX_ENTRY_BYTES:
        raise LevelfieldError(f"{where}: larger than {MAX_ENTRY_BYTES} bytes; this is no log entry")
    entry = read_record(LogEntry, data, where)
    if entry.to_bytes() != data:
        raise LevelfieldError(f"{where}: not in canonical form (RFC 8785); copy the log again")
    return entry
