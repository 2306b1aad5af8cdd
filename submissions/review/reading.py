"""From a round's folder to what the replay takes: each entry's envelope, opened and judged."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import LevelfieldError
from harness.records import Record
from submissions.countersignature import COUNTERSIGNATURE, Countersignature
from submissions.envelope import VerificationError, unseal
from submissions.keys import KeyEntry, Keyring
from submissions.layout import MANIFEST
from submissions.log_entry import LogEntry
from submissions.manifest import Manifest, read_manifest
from submissions.review.case import (
    Checked,
    Content,
    Countersigned,
    Elsewhere,
    Logged,
    Missing,
    Refused,
    Signer,
    Submitted,
)
from submissions.review.citation import mismatch
from submissions.review.event import REVIEW_EVENT, Citation, ReviewEvent
from submissions.round_folder import MAX_ENVELOPE_BYTES, RoundFolder, RoundInfo, read_inside
from submissions.round_log import RoundLog
from submissions.scan import MAX_FILE_BYTES
from submissions.statement import (
    BENCHMARK_RESULT,
    BenchmarkResult,
    Subject,
    read_statement,
)
from submissions.strict_json import parse
from submissions.verdict import TEST_RESULT, Verdict

_MODELS: dict[str, type[Record]] = {
    BENCHMARK_RESULT: BenchmarkResult,
    TEST_RESULT: Verdict,
    COUNTERSIGNATURE: Countersignature,
    REVIEW_EVENT: ReviewEvent,
}
_MAX_MANIFEST_BYTES = 2**24
NOT_CITED = "cite it again with --at"
"""How the refusal of an event ends whose citations are not of its bundle."""


@dataclass(frozen=True)
class RoundReader:
    """A round's folder with what is needed to open its envelopes."""

    folder: RoundFolder
    info: RoundInfo
    keyring: Keyring

    @classmethod
    def of(cls, folder: RoundFolder) -> "RoundReader":
        """The folder's reader; `LevelfieldError` if its round or its keyring cannot be read."""
        return cls(folder, folder.info(), RoundLog.open(folder).keyring())

    def entries(self) -> list[Logged]:
        """Every entry of the log, opened with the keys that were valid at its place."""
        pointers = list(RoundLog.open(self.folder).entries())
        found = [self.logged(index, entry) for index, entry in enumerate(pointers)]
        releases = [index for index, entry in enumerate(pointers) if entry.kind == "keyring"]
        if releases and self._signatures_digest() != pointers[releases[-1]].envelope:
            # Another keyring could make a reviewer's objection a stranger's.
            reason = f"{self.folder.keyring} is not the keyring that the log names last"
            found[releases[-1]] = replace(found[releases[-1]], content=Missing(reason))
        return found

    def _signatures_digest(self) -> str | None:
        path = self.folder.keyring_signatures
        if not path.exists():
            return None
        data = read_inside(self.folder.root, path.name, MAX_ENVELOPE_BYTES)
        return hashlib.sha256(data).hexdigest()

    def logged(self, index: int, entry: LogEntry) -> Logged:
        """One entry with its envelope from the folder; `Missing` if that is not there whole."""
        place = (index, entry.envelope, entry.subject)
        if entry.kind == "commit":
            return Logged(*place, Elsewhere())
        try:
            data = self.folder.read_envelope(entry.envelope)
        except LevelfieldError as error:
            return Logged(*place, Missing(str(error)))
        if entry.kind == "keyring":
            return Logged(*place, Elsewhere())
        return self.opened(index, entry, data)

    def opened(self, index: int, entry: LogEntry, data: bytes) -> Logged:
        """One entry, whose envelope is ``data``, as it counts at place ``index``."""
        where = f"events/{entry.envelope}.dsse.json"
        try:
            payload, keys = unseal(data, where, self.keyring.at(index))
            content = self._content(payload, where, entry)
        except VerificationError as error:
            return Logged(index, entry.envelope, entry.subject, Refused(str(error)))
        return Logged(index, entry.envelope, entry.subject, content, signers(keys))

    def _content(self, payload: bytes, where: str, entry: LogEntry) -> Content:
        fields = _parsed(payload, where)
        kind = fields.get("predicateType")
        # A pointer that says something else than its envelope could hide an objection.
        if not isinstance(kind, str) or kind != entry.predicate_type:
            told = str(kind)[:80]
            return Missing(f"{where} is a {told!a}, and the log says {entry.predicate_type}")
        if kind not in _MODELS:
            return Elsewhere()
        statement = read_statement(payload, where, kind, _MODELS[kind])
        subject = statement.subject[0]
        if subject != Subject.of(subject.digest.sha256):
            raise VerificationError(f"{where}: its subject's name is not of its digest; sign again")
        if subject.name != entry.subject:
            return Missing(f"{where} is about {subject.name}, and the log says {entry.subject}")
        return self._judged(statement.predicate, subject, where)

    def _judged(self, said: Record, subject: Subject, where: str) -> Content:
        if isinstance(said, BenchmarkResult):
            self._check_round(said.round, where)
            results = [f"results/{claim.workload}/{claim.scenario}" for claim in said.results]
            return Submitted(said.submitter, said.nonce, tuple(results))
        if isinstance(said, Countersignature):
            self._check_round(said.round, where)
            return Countersigned(said.statement)
        if isinstance(said, Verdict):
            if not said.judged_by(self.info.round):
                raise VerificationError(f"{where}: not by the rules of round {self.info.round}")
            return Checked(() if said.passed else said.failedTests or (said.result,))
        assert isinstance(said, ReviewEvent)
        self._check_event(said, subject, where)
        return said

    def _check_round(self, name: str, where: str) -> None:
        if name != self.info.round:
            raise VerificationError(
                f"{where}: of round {name}, this one is {self.info.round}; submit it there"
            )

    def _check_event(self, event: ReviewEvent, subject: Subject, where: str) -> None:
        if not event.target.startswith("results/") and event.target != subject.name:
            raise VerificationError(f"{where}: its target is another bundle than its subject")
        for citation in event.at:
            if reason := self._mismatch(citation, subject):
                raise VerificationError(f"{where}: {reason}; {NOT_CITED}")

    def _mismatch(self, citation: Citation, subject: Subject) -> str | None:
        """Why a citation is not of the bundle; None also where that cannot be told.

        A bundle that is not here whole proves nothing against an event: then the event counts.
        """
        try:
            bundle = self.find(subject)
            if bundle is None or citation.file not in bundle.intact([citation.file]):
                return None
            return mismatch(citation, bundle.manifest, bundle.read)
        except LevelfieldError:
            return None

    def find(self, subject: Subject) -> "HeldBundle | None":
        """The bundle with this very manifest, if it lies in the folder."""
        for _, name, path in self.folder.bundles():
            if name == subject.name and (held := self.held(path)).subject == subject:
                return held
        return None

    def held(self, path: Path) -> "HeldBundle":
        """The bundle at ``path`` by its manifest alone."""
        data = read_inside(path, MANIFEST, _MAX_MANIFEST_BYTES)
        return HeldBundle(path, read_manifest(data), Subject.of(hashlib.sha256(data).hexdigest()))


@dataclass(frozen=True)
class HeldBundle:
    """A bundle in a round's folder of which only the manifest has been read."""

    root: Path
    manifest: Manifest
    subject: Subject

    def read(self, path: str) -> bytes:
        """A file's bytes, not yet compared with the manifest."""
        sizes = {file.path: file.size for file in self.manifest.files}
        return read_inside(self.root, path, min(sizes[path], MAX_FILE_BYTES))

    def checked(self, path: str) -> bytes:
        """A file's bytes; `LevelfieldError` if they are not those of the manifest."""
        if path not in self.intact([path]):
            raise LevelfieldError(f"{self.root / path}: changed since it was packed; copy it back")
        return self.read(path)

    def intact(self, paths: Sequence[str]) -> set[str]:
        """Those of ``paths`` that are not here changed: as in the manifest, or in no manifest."""
        digests = {file.path: file.sha256 for file in self.manifest.files}
        return {
            path
            for path in paths
            if path not in digests or hashlib.sha256(self.read(path)).hexdigest() == digests[path]
        }


def signers(keys: Sequence[KeyEntry]) -> tuple[Signer, ...]:
    """Who signed, with their roles."""
    return tuple(Signer(key.organisation, frozenset(key.roles), key.key_id) for key in keys)


def _parsed(payload: bytes, where: str) -> dict[str, object]:
    try:
        fields = parse(payload, where)
    except LevelfieldError as error:
        raise VerificationError(str(error)) from error
    if not isinstance(fields, dict):
        raise VerificationError(f"{where}: its payload is no statement; sign again")
    return fields
