"""What a site is published from: each source gives bundles, judged, and can be asked again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from portal.imported import read_imported
from portal.kept import code_digest
from portal.listing import Published
from portal.round_review import RoundReview
from rules.borrowing import sources_of
from rules.round import read_round
from rules.rule import check as judge
from rules.submission import Submission
from submissions.attestation import appraise
from submissions.bundle import Bundle, fingerprint, id_of
from submissions.keys import Keyring
from submissions.manifest import bundle_id
from submissions.mlperf_imported import ImportedRound


class Source(Protocol):
    """Gives one bundle, or those that have to be read together."""

    def read(self) -> Sequence[Published]:
        """The bundles, whole; the same every time."""

    def key(self) -> str:
        """A digest of all that decides what `read` gives; empty if it is to be read each time."""


@dataclass(frozen=True)
class Opened:
    """A bundle that is in memory."""

    published: Published

    def read(self) -> Sequence[Published]:
        """See `Source`."""
        return (self.published,)

    def key(self) -> str:
        """See `Source`."""
        return ""


@dataclass(frozen=True)
class Neighbours:
    """All bundles that are published, of which some may have lent hyperparameters to others."""

    paths: tuple[Path, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Path]:
        """Asked for only if some bundle has borrowed."""
        return {id_of(path): path for path in self.paths}

    def named_by(self, submission: Submission) -> list[Path]:
        """The bundles from which ``submission`` borrowed, as far as they are here."""
        named = [one.bundle for entry in submission.entries for one in sources_of(entry.runs)]
        return [self.by_id[name] for name in dict.fromkeys(named) if name in self.by_id]


@dataclass(frozen=True)
class OnDisk:
    """A bundle in a folder or a zip."""

    path: Path
    trusted: Keyring
    neighbours: Neighbours
    review: RoundReview | None = None
    """Of the round's folder in which it lies, if that was named: only then the round's own keys
    count, for else a folder like one could bring the keys that vouch for what is in it."""
    large: bool = False

    def read(self) -> Sequence[Published]:
        """See `Source`."""
        bundle = Bundle.open(self.path, large=self.large)
        lenders = map(Bundle.open, self.neighbours.named_by(bundle.submission))
        others = [lender.submission for lender in lenders]
        report = judge(bundle.submission, read_round(bundle.submission.round), others=others)
        if self.review is None:
            return (Published(bundle, report, appraise(bundle, self.trusted)),)
        verification = appraise(bundle, self.review.keyring, self.review.entries)
        standing = self.review.statuses.get(bundle.id)
        return (Published(bundle, report, verification, standing=standing),)

    def key(self) -> str:
        """See `Source`; every file is hashed for it."""
        found = fingerprint(self.path, large=self.large)
        lenders = []
        if found.may_borrow:
            claims = Bundle.open(self.path, logs=False, large=self.large).submission
            lenders = self.neighbours.named_by(claims)
        digest = hashlib.sha256(code_digest().encode())
        for text in (
            str(self.path.absolute()),
            found.manifest_sha256,
            *found.attestations,
            *map(id_of, lenders),
            *_words_of(self.review, bundle_id(found.manifest_sha256)),
            self.trusted.to_json(),
        ):
            digest.update(text.encode() + b"\0")
        return digest.hexdigest()


def _words_of(review: RoundReview | None, bundle: str) -> list[str]:
    if review is None:
        return []
    status = review.statuses.get(bundle)
    logged = [entry.envelope for entry in review.logged]
    return [review.keyring.to_json(), *logged, status.model_dump_json() if status else "none"]


@dataclass(frozen=True)
class OfOneSubmitter:
    """What one submitter has in an imported round: some rules compare all of it."""

    imported: ImportedRound
    folders: tuple[Path, ...]
    trusted: Keyring

    def read(self) -> Sequence[Published]:
        """See `Source`."""
        return list(read_imported(replace(self.imported, bundles=self.folders), self.trusted))

    def key(self) -> str:
        """See `Source`: an import is read each time."""
        return ""
