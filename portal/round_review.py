"""A round's folder as its pages show it: the verified log, keys, where bundles stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from submissions.checkpoint import Note
from submissions.keys import KeyEntry, Keyring
from submissions.log_entry import LogEntry
from submissions.review.case import Case, Logged, lineage
from submissions.review.reading import RoundReader
from submissions.review.replay import Replay
from submissions.review.status import Status
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog


@dataclass(frozen=True)
class RoundReview:
    """One round that is under review, or was."""

    folder: RoundFolder
    info: RoundInfo
    keyring: Keyring
    note: Note | None
    """The log's checkpoint with its signatures."""
    entries: tuple[LogEntry, ...] | None
    """Of the verified log; none if it cannot be replayed, as the statuses then say."""
    logged: tuple[Logged, ...]
    """Every entry, opened."""

    @classmethod
    def of(cls, root: Path, anchors: Sequence[KeyEntry] = ()) -> Self:
        """Verify and replay the log of the round in folder ``root``: one replay serves every page.

        With ``anchors``, root keys that the reader trusts, those must have signed its keyring.
        `LevelfieldError` for a log that is not what its checkpoint says; what is missing the
        statuses tell.
        """
        folder = RoundFolder(root)
        reader, log = RoundReader.of(folder), RoundLog.open(folder)
        log.keyring(anchors)
        logged = tuple(reader.entries())
        entries = None if Replay(logged).missing else log.verify()
        return cls(folder, reader.info, reader.keyring, log.note, entries, logged)

    @property
    def name(self) -> str:
        """The round's."""
        return self.info.round

    @cached_property
    def replay(self) -> Replay:
        """The books of all bundles."""
        return Replay(self.logged)

    @cached_property
    def statuses(self) -> Mapping[str, Status]:
        """By bundle id, in the order of submission."""
        return self.replay.statuses()

    @cached_property
    def places(self) -> Mapping[str, Logged]:
        """Entries by the digests of their envelopes."""
        return {entry.envelope: entry for entry in reversed(self.logged)}

    @cached_property
    def ignored(self) -> Mapping[int, str]:
        """By place in the log, why an entry counts for nothing."""
        cases = self.replay.cases.values()
        found = [*self.replay.unplaced, *(one for case in cases for one in case.ignored)]
        return {one.index: one.reason for one in found}

    @cached_property
    def by_bundle(self) -> Mapping[str, Sequence[Logged]]:
        """Entries about each bundle, in order."""
        found: dict[str, list[Logged]] = {}
        for entry in self.logged:
            found.setdefault(entry.bundle or "", []).append(entry)
        return found

    def history(self, bundle: str) -> list[Logged]:
        """Entries about a bundle and those that it amends, in order."""
        cases = self.replay.cases
        held = [one.bundle for one in lineage(cases[bundle], cases)]
        found = [entry for name in held for entry in self.by_bundle[name]]
        return sorted(found, key=lambda entry: entry.index)

    def counting(self, case: Case) -> list[Logged]:
        """Entries about a bundle that count, in order."""
        return [one for one in self.by_bundle[case.bundle] if one.index not in self.ignored]

    def organisations(self, role: str) -> list[str]:
        """Those whose keys have the role now, sorted."""
        keys = self.keyring.at(len(self.logged))
        return sorted({key.organisation for key in keys if role in key.roles})

    def bundle_folders(self) -> list[Path]:
        """Folders of the bundles that the log knows, by submitter and id."""
        return [path for _, name, path in self.folder.bundles() if name in self.statuses]
