"""Commit, then reveal: a bundle that was promised before the deadline is shown after it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.bundle import Bundle
from submissions.envelope import VerificationError
from submissions.log_entry import LogEntry
from submissions.manifest import bundle_id
from submissions.receipt import MAX_RECEIPT_BYTES, Opening, find_commitment
from submissions.round_folder import read_inside, write_whole
from submissions.round_log import RoundLog
from submissions.statement import BENCHMARK_RESULT, BenchmarkResult, open_statement
from submissions.strict_json import read_record

_NAME = re.compile(r"[a-z2-7]{20}\.opening\.json")


def read_opening(path: Path) -> Opening:
    """The opening of a commitment, from a file; `LevelfieldError` if it is none."""
    return read_record(Opening, read_inside(path.parent, path.name, MAX_RECEIPT_BYTES), str(path))


def attested(bundle: Bundle, log: RoundLog) -> bytes:
    """The envelope in which the bundle's submitter claims its results.

    `VerificationError` if there is none that a key of the round's keyring signed.
    """
    reason = "it holds no attestation"
    for path, data in sorted(bundle.attestations.items()):
        try:
            _check(log, bundle.manifest.submitter, bundle.manifest_sha256, data, path)
        except VerificationError as error:
            reason = str(error)
        else:
            return data
    raise VerificationError(f"{bundle.id}: not signed as this round needs it: {reason}; sign it")


def reveal(log: RoundLog, opening: Opening, envelope: bytes) -> LogEntry:
    """Lay the statement and its opening into the round's folder; the entry that is to be appended.

    `LevelfieldError`, with nothing written, if the statement is not of the promised bundle, or
    the promise is not in the log.
    """
    where = f"bundle {opening.bundle}"
    if opening.origin != log.origin:
        raise VerificationError(
            f"{where}: promised in the log {opening.origin}, not in {log.origin}; reveal it there"
        )
    _check(log, opening.submitter, opening.manifest_sha256, envelope, where)
    find_commitment(opening, tuple(log.entries()), where)
    write_whole(log.folder.root / log.opening_path(opening.bundle), opening.to_json().encode())
    return opening.revealed(log.folder.write_envelope(envelope))


def waiting_reveals(log: RoundLog) -> tuple[list[LogEntry], dict[str, str]]:
    """Entries for what was revealed in the folder and is not in the log yet.

    Also why an opening is refused, by its path: one that is bad must not hold up the others.
    """
    logged = {entry.envelope for entry in log.entries()}
    waiting = [sha256 for sha256 in log.folder.envelopes() if sha256 not in logged]
    found, refused = list[LogEntry](), dict[str, str]()
    for path in sorted(log.folder.receipts.glob("*.opening.json")):
        if not _NAME.fullmatch(path.name):
            continue
        try:
            found += _kept_by(log, read_opening(path), waiting)
        except LevelfieldError as error:
            refused[f"receipts/{path.name}"] = str(error)
    return found, refused


def _kept_by(log: RoundLog, opening: Opening, waiting: Sequence[str]) -> Iterator[LogEntry]:
    for sha256 in waiting:
        data = log.folder.read_envelope(sha256)
        try:
            _check(log, opening.submitter, opening.manifest_sha256, data, sha256)
        except VerificationError:
            continue  # another statement, which is logged as such
        yield reveal(log, opening, data)


def _check(
    log: RoundLog, submitter: str, manifest_sha256: str, envelope: bytes, where: str
) -> None:
    trusted = log.keyring().at(log.size)
    opened = open_statement(envelope, where, trusted, BENCHMARK_RESULT, BenchmarkResult)
    if opened.subject.digest.sha256 != manifest_sha256:
        raise VerificationError(
            f"{where}: the statement is about bundle {opened.subject.name}, promised was "
            f"{bundle_id(manifest_sha256)}; reveal the bundle that was committed to"
        )
    for entry in opened.signed_by:
        if entry.organisation != submitter or "submit" not in entry.roles:
            raise VerificationError(
                f"{where}: signed with a key of {entry.organisation} ({', '.join(entry.roles)}), "
                f"the submitter is {submitter}; sign it with the submitter's own key"
            )
