"""The intent log in a bundle: read strictly, others' lines hidden, its signatures and its place."""

import base64
import binascii
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from harness.errors import LevelfieldError
from harness.intents import Line, Signer
from harness.records import Identifier, Record, Scenario, Sha256
from submissions.envelope import VerificationError, pre_authentication_encoding
from submissions.keys import Keyring, load_private
from submissions.public_key import PublicKey
from submissions.statement import Opened, Subject, open_statement, seal_statement
from submissions.strict_json import read_record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from submissions.log_entry import LogEntry

RUN_INTENT = "urn:levelfield:predicate/run-intent/v1"
MAX_LINES = 100_000

_HEAD_TYPE = "application/vnd.levelfield.intent+json"
"""Payload type of what a line's signature covers, so that it can stand for nothing else."""


class RunIntents(Record):
    """The predicate by which a log's lines so far are registered with a round."""

    round: Identifier
    lines: Annotated[int, Field(ge=1, le=MAX_LINES)]
    """How many there were."""
    last: Sha256
    """Digest of the last of them, and through it of all."""


@dataclass(frozen=True)
class SignedLines:
    """Whose signatures a log's lines bear."""

    signed: int
    unsigned: int
    key_ids: tuple[str, ...]


@dataclass(frozen=True)
class Registration:
    """A statement in a round's log of how far somebody's intent log reached."""

    entry: int
    """Its place in the round's log, which is its time."""
    lines: int
    fault: str | None
    """Why the log at hand does not continue what was registered, if it does not."""


def read_log(data: bytes, where: str) -> tuple[Line, ...]:
    """Read a log strictly; `LevelfieldError` names the line that is not canonical or is none."""
    if data and not data.endswith(b"\n"):
        raise LevelfieldError(f"{where}: its last line has no end; copy the log again")
    texts = data.split(b"\n")[:-1]
    if len(texts) > MAX_LINES:
        raise LevelfieldError(f"{where}: more than {MAX_LINES} lines; begin a new log")
    lines = []
    for number, text in enumerate(texts, 1):
        line = read_record(Line, text, f"{where}:{number}")
        if line.to_bytes() != text + b"\n":
            raise LevelfieldError(
                f"{where}:{number}: not in canonical form (RFC 8785); copy the log again"
            )
        lines.append(line)
    return tuple(lines)


def log_for(data: bytes, where: str, shown: Collection[tuple[str, Scenario]]) -> bytes:
    """The log as a bundle holds it: bodies only of lines about the results that are ``shown``.

    ``shown`` has workloads with scenarios. A last line that was never finished is left out.
    """
    whole = data[: data.rfind(b"\n") + 1]
    return b"".join(
        (line if (line.head.workload, line.head.scenario) in shown else line.hidden()).to_bytes()
        for line in read_log(whole, where)
    )


def signer(path: Path) -> Signer:
    """Signs a line's head with the private key at ``path``; `LevelfieldError` as `load_private`."""
    key = load_private(path)
    key_id = PublicKey.of(key).key_id

    def sign(head: bytes) -> tuple[str, str]:
        signature = key.sign(pre_authentication_encoding(_HEAD_TYPE, head))
        return key_id, base64.b64encode(signature).decode()

    return sign


def check_signatures(
    lines: Sequence[Line], keyring: Keyring, organisation: str | None, where: str
) -> SignedLines:
    """Verify every signature in a log; lines without one are counted, and shown as that.

    `VerificationError` for a signature that does not hold, by a key that the keyring does not
    have, or by one of another than ``organisation`` (None takes any).
    """
    held: dict[str, PublicKey] = {}
    signed = 0
    for number, line in enumerate(lines, 1):
        if line.key_id is None and line.signature is None:
            continue
        place = f"{where}:{number}"
        key_id = line.key_id or ""
        if key_id not in held:
            held[key_id] = _key(key_id, keyring, organisation, place)
        _check_signature(line, held[key_id], place)
        signed += 1
    return SignedLines(signed, len(lines) - signed, tuple(held))


def _key(key_id: str, keyring: Keyring, organisation: str | None, where: str) -> PublicKey:
    entry = keyring.find(key_id)
    if entry is None:
        raise VerificationError(
            f"{where}: signed by an unknown key ({key_id[:16]!a}); add the organisation's key to "
            "your keyring if you trust it"
        )
    if organisation not in (None, entry.organisation):
        raise VerificationError(
            f"{where}: signed with the key of {entry.organisation}, but the runs are those of "
            f"{organisation}; only its own key can announce them"
        )
    return entry.key


def _check_signature(line: Line, key: PublicKey, where: str) -> None:
    try:
        signature = base64.b64decode(line.signature or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"{where}: its signature is not base64: {error}") from error
    message = pre_authentication_encoding(_HEAD_TYPE, line.head.to_bytes())
    if not key.verifies(signature, message):
        raise VerificationError(
            f"{where}: bad signature: the key {key.key_id[:16]} did not sign this line; it was "
            "changed after it was written"
        )


def register(lines: Sequence[Line], key: "Ed25519PrivateKey") -> bytes:
    """A signed statement of how far the log reaches, for the round's log.

    Once that holds it, no line so far can be changed or left out. `LevelfieldError` if the log is
    empty.
    """
    if not lines:
        raise LevelfieldError("the intent log is empty; run something, or set slots aside first")
    last = lines[-1]
    predicate = RunIntents(round=last.head.round, lines=len(lines), last=last.digest)
    return seal_statement(Subject.of(last.digest), RUN_INTENT, predicate, key)


def check_registered(lines: Sequence[Line], opened: Opened[RunIntents], where: str) -> None:
    """`VerificationError` unless ``lines`` continue what was registered."""
    said = opened.predicate
    if opened.subject != Subject.of(said.last):
        raise VerificationError(f"{where}: its subject is not the line that it names; remove it")
    if len(lines) < said.lines:
        raise VerificationError(
            f"{where}: {said.lines} lines were registered, the log has {len(lines)}; lines were "
            "taken out"
        )
    line = lines[said.lines - 1]
    if (line.digest, line.head.round) != (said.last, said.round):
        raise VerificationError(
            f"{where}: line {said.lines} is not the one that was registered; the log was rewritten"
        )


def registrations(
    lines: Sequence[Line],
    entries: Sequence["LogEntry"],
    read_envelope: Callable[[str], bytes],
    keyring: Keyring,
    organisation: str,
) -> list[Registration]:
    """What ``organisation`` registered in a round's log, against the log ``lines`` at hand.

    `VerificationError` for a statement that was not signed by a key of its own at that time.
    """
    found = []
    for index, entry in enumerate(entries):
        if (entry.predicate_type, entry.actor) == (RUN_INTENT, organisation):
            where = f"entry {index}"
            own = [key for key in keyring.at(index) if key.organisation == organisation]
            data = read_envelope(entry.envelope)
            opened = open_statement(data, where, own, RUN_INTENT, RunIntents)
            fault = None
            try:
                check_registered(lines, opened, where)
            except VerificationError as error:
                fault = str(error)
            found.append(Registration(index, opened.predicate.lines, fault))
    return found
