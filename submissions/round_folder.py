"""A round's folder: where the keyring, the log, the envelopes and the bundles of a round lie."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Record
from submissions.scan import read_plain
from submissions.strict_json import read_record

MAX_ENVELOPE_BYTES = 2**20

_MAX_ROUND_BYTES = 2**12
_SUFFIX = ".dsse.json"
# Names that others gave are shown and joined to paths; only such as a round gives are looked at.
_ENVELOPE = re.compile(r"[0-9a-f]{64}\.dsse\.json")
_SUBMITTER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_BUNDLE = re.compile(r"[a-z2-7]{20}")
_OWN = ("log", "events", "receipts")
"""Folders of the round itself, which no submitter can be named after."""


class RoundInfo(Record):
    """``round.json``: which round the folder is of, and under which name its log is known."""

    record: Literal["levelfield/round-folder/v1"] = Field(
        default="levelfield/round-folder/v1", alias="schema"
    )
    round: Identifier
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Random, so that nothing said in one round can be said again in another."""
    origin: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9._-]*)*$", max_length=128)
    ]
    """The log's name in its checkpoints, as ``levelfield.example/2026.1``."""


@dataclass(frozen=True)
class RoundFolder:
    """The places in a round's folder. Nothing that is read here has been verified by itself."""

    root: Path

    @classmethod
    def of_round(cls, name: str) -> Self:
        """Where the round ``name`` lies in a results repository, the current folder."""
        return cls(Path("submissions", "rounds", name))

    @classmethod
    def create(cls, root: Path, info: RoundInfo) -> Self:
        """Make a new folder with its ``round.json``; `LevelfieldError` if there is one already."""
        folder = cls(root)
        if os.path.lexists(folder.round_file):
            raise LevelfieldError(f"{folder.round_file}: exists already; choose another folder")
        write_whole(folder.round_file, info.to_json().encode())
        return folder

    @property
    def round_file(self) -> Path:
        """``round.json``."""
        return self.root / "round.json"

    @property
    def keyring(self) -> Path:
        """``keyring.json``."""
        return self.root / "keyring.json"

    @property
    def keyring_signatures(self) -> Path:
        """``keyring.dsse.json``: the root keys' signatures over the keyring."""
        return self.root / "keyring.dsse.json"

    @property
    def log(self) -> Path:
        """Folder of the log: its checkpoint and its tiles."""
        return self.root / "log"

    @property
    def events(self) -> Path:
        """Folder of the envelopes that the log points to."""
        return self.root / "events"

    @property
    def receipts(self) -> Path:
        """Folder of receipts."""
        return self.root / "receipts"

    def bundle_path(self, submitter: str, bundle_id: str) -> Path:
        """Where a bundle lies; `LevelfieldError` for a submitter named as a folder of the round."""
        if submitter in _OWN:
            raise LevelfieldError(
                f"submitter {submitter}: that folder is the round's; choose a name"
            )
        return self.root / submitter / bundle_id

    def envelope_path(self, sha256: str) -> Path:
        """Where the envelope with this digest lies."""
        return self.events / f"{sha256}{_SUFFIX}"

    def info(self) -> RoundInfo:
        """Read ``round.json``; `UsageError` if it is not there, for then this is no such folder."""
        if not self.round_file.exists():
            raise UsageError(
                f"{self.root}: no round.json; make the folder with levelfield log init"
            )
        data = read_inside(self.root, "round.json", _MAX_ROUND_BYTES)
        return read_record(RoundInfo, data, str(self.round_file))

    def read_envelope(self, sha256: str) -> bytes:
        """The envelope with this digest; `LevelfieldError` if it is missing or changed."""
        path = f"events/{sha256}{_SUFFIX}"
        if not os.path.lexists(self.root / path):
            raise LevelfieldError(f"{path}: missing, though it is referred to; copy the file back")
        data = read_inside(self.root, path, MAX_ENVELOPE_BYTES)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise LevelfieldError(f"{path}: its SHA-256 differs from its name; copy the file back")
        return data

    def write_envelope(self, data: bytes) -> str:
        """Keep an envelope under its digest, which is returned; the same one twice is one."""
        sha256 = hashlib.sha256(data).hexdigest()
        write_whole(self.envelope_path(sha256), data)
        return sha256

    def envelopes(self) -> tuple[str, ...]:
        """Digests that name the envelopes in ``events``, sorted; their content is not looked at."""
        if not self.events.is_dir():
            return ()
        names = sorted(path.name for path in self.events.iterdir())
        return tuple(name.removesuffix(_SUFFIX) for name in names if _ENVELOPE.fullmatch(name))

    def bundles(self) -> Iterator[tuple[str, str, Path]]:
        """Submitter, bundle id and folder of each bundle, sorted, by the folders' names alone."""
        for submitter in sorted(self.root.iterdir()):
            named = _SUBMITTER.fullmatch(submitter.name) and submitter.name not in _OWN
            if not named or not submitter.is_dir():
                continue
            for path in sorted(submitter.iterdir()):
                if _BUNDLE.fullmatch(path.name) and (path / "manifest.json").is_file():
                    yield submitter.name, path.name, path


def read_inside(root: Path, path: str, limit: int) -> bytes:
    """The bytes of a plain file below ``root``, ``limit`` at most, never reached through a link.

    `LevelfieldError` names the file and the reason.
    """
    try:
        status = os.lstat(root / path)
        if (root / path).resolve() != root.resolve() / path:
            raise LevelfieldError(f"{path}: reached through a symbolic link; refused")
    except OSError as error:
        raise LevelfieldError(
            f"{root / path}: cannot be read: {error.strerror}; copy the folder again"
        ) from error
    if stat.S_ISREG(status.st_mode) and status.st_size > limit:
        raise LevelfieldError(f"{path}: larger than {limit} bytes; refused, copy the folder again")
    return read_plain(root, path, status.st_size)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that at every moment either the old one or the new one is there, whole."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise LevelfieldError(
            f"{path}: cannot be written: {error.strerror}; make room or mend the permissions"
        ) from error
