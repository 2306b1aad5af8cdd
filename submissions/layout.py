"""Which paths may be in a bundle, and what the file at each is for."""

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from harness.errors import LevelfieldError
from harness.records import Audit, Mode, Run

MANIFEST = "manifest.json"
SYSTEM = "system.json"
ATTESTATIONS = "attestations"
RESULTS = "results"
RESULT = "result.json"
OFFICIAL = "official"
"""Folder of an imported bundle in which the files of its source that are no logs lie."""
OFFICIAL_SYSTEM = f"{OFFICIAL}/system.json"
SEARCH = "search.json"
INTENTS = "intents.jsonl"
"""The round's log of runs that were started, what is of other results hidden."""
ENVELOPE = ".dsse.json"
SSH_SIGNATURE = ".sshsig"
"""Ends of attestations: a signed statement, and a signature over a statement beside it."""
REPLICATION = "replication.json"
"""Only in a replication bundle: of what, and what came out."""
FURTHER = "further"
"""Folder of a replication bundle in which performance runs beyond the result's one lie."""

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_SCALING = re.compile(r"official/[a-z0-9][a-z0-9_.-]{0,63}\.scaling\.json")
_FURTHER = re.compile(r"further/run_[0-9]{1,3}")
_ATTESTATION = re.compile(
    r"attestations/(?:([0-9a-f]{16})\.(?:dsse|statement)\.json|[0-9a-f]{16}\.([0-9a-f]{16})\.sshsig)"
)


class Role(StrEnum):
    """What a file of a bundle is for."""

    SYSTEM = "system"
    RESULT = "result"
    SEARCH = "search"
    RUN = "run"
    EVENTS = "events"
    TELEMETRY = "telemetry"
    QUERIES = "queries"
    ANSWERS = "answers"
    OUTPUT = "output"
    OFFICIAL = "official"
    INTENTS = "intents"
    REPLICATION = "replication"


RESULT_FILES = {RESULT: Role.RESULT, SEARCH: Role.SEARCH}
RUN_FILES = {
    "run.json": Role.RUN,
    "events.log": Role.EVENTS,
    "telemetry.jsonl": Role.TELEMETRY,
    "queries.npy": Role.QUERIES,
    "answers.jsonl": Role.ANSWERS,
    "output.txt": Role.OUTPUT,
}


def files_of(run: Run) -> set[str]:
    """Names of exactly the files that a run of this mode leaves in its folder."""
    names = {"run.json", "events.log", "telemetry.jsonl"}
    if run.mode is not Mode.TRAINING:
        names.add("queries.npy")
    if run.mode is Mode.ACCURACY or run.audit in (Audit.SAMPLED_ANSWERS, Audit.TOKENS):
        names.add("answers.jsonl")
    if run.command is not None:
        names.add("output.txt")
    return names


def check_path(path: str) -> None:
    """Refuse with `LevelfieldError` whatever is not a plain relative path on every file system."""
    if len(path) > 200:
        _refuse(path, "longer than 200 characters")
    for segment in path.split("/"):
        if reason := _against(segment):
            _refuse(path, reason)


@lru_cache(maxsize=1024)
def _against(segment: str) -> str | None:
    """What a path may not have such a part for; the same few names come again and again."""
    if segment in ("", ".", ".."):
        return "absolute, or with an empty or dotted part"
    if not _SEGMENT.fullmatch(segment):
        return "characters other than A-Z a-z 0-9 . _ -"
    if len(segment) > 100:
        return "a part longer than 100 characters"
    if segment[0] in ".-":
        return "a part that begins with a dot or a dash"
    if segment.endswith("."):
        return "a part that ends with a dot"
    if _DEVICE.fullmatch(segment):
        return "a name that Windows reserves for a device"
    return None


def check_distinct(paths: Iterable[str]) -> None:
    """Refuse paths, or folders of them, that a file system which ignores case would merge."""
    seen: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            part = "/".join(parts[:length])
            other = seen.setdefault(part.lower(), part)
            if other != part:
                _refuse(path, f"differs from {other!a} only in upper and lower case")


def role_of(path: str) -> Role:
    """The role of the file at ``path`` in a bundle; `LevelfieldError` for a path with none."""
    parts = path.split("/")
    if path == SYSTEM:
        return Role.SYSTEM
    if path == INTENTS:
        return Role.INTENTS
    if path == OFFICIAL_SYSTEM or _SCALING.fullmatch(path):
        return Role.OFFICIAL
    if path == REPLICATION:
        return Role.REPLICATION
    if _FURTHER.fullmatch("/".join(parts[:2])) and len(parts) == 3 and parts[2] in RUN_FILES:
        return RUN_FILES[parts[2]]
    if parts[0] == RESULTS and len(parts) == 4 and parts[3] in RESULT_FILES:
        return RESULT_FILES[parts[3]]
    if parts[0] == RESULTS and len(parts) == 5 and parts[4] in RUN_FILES:
        return RUN_FILES[parts[4]]
    raise LevelfieldError(f"{path!a}: no such file belongs in a bundle; remove it, pack again")


def scaling_path(benchmark: str) -> str:
    """Where in an imported bundle the factor that was published for ``benchmark`` lies."""
    return f"{OFFICIAL}/{benchmark}.scaling.json"


def is_attestation(path: str) -> bool:
    """Whether ``path`` is where an attestation lies."""
    return _ATTESTATION.fullmatch(path) is not None


def is_named_after(path: str, data: bytes) -> bool:
    """Whether the attestation at ``path`` bears the beginning of its own digest in its name."""
    named = _ATTESTATION.fullmatch(path)
    return named is not None and _short(data) in named.groups()


def signature_path(statement: bytes, signature: bytes) -> str:
    """Where OpenSSH's ``signature`` over ``statement`` lies."""
    return f"{ATTESTATIONS}/{_short(statement)}.{_short(signature)}{SSH_SIGNATURE}"


def signed_by_ssh(signature: str) -> str:
    """Where the statement lies that the signature at this path is over."""
    return f"{signature.removesuffix(SSH_SIGNATURE).rpartition('.')[0]}.statement.json"


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _refuse(path: str, reason: str) -> None:
    raise LevelfieldError(f"{ascii(path)[:240]}: refused as a path: {reason}; pack the runs again")
