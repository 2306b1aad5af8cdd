"""A round's folder as its pages show it: the verified log, keys, where bundles stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from submissions.keys import Keyring
from submissions.log_entry import LogEntry
from submissions.review.status import Status
from submissions.round_folder import RoundFolder, RoundInfo


@dataclass(frozen=True)
class RoundReview:
    """One round that is under review, or was."""

    folder: RoundFolder
    info: RoundInfo
    keyring: Keyring
    entries: tuple[LogEntry, ...] | None
    """Of the verified log; none if it cannot be replayed."""
    statuses: Mapping[str, Status]
    """By bundle id."""
