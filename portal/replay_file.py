"""A round's whole log as a script that the browser's verifier replays, loaded for that alone."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from portal.listing import safe
from portal.round_review import RoundReview
from submissions.log_entry import LogEntry
from submissions.review.case import Refused
from submissions.review.reading import NOT_CITED
from submissions.round_folder import MAX_ENVELOPE_BYTES, read_inside

MAX_ENTRIES = 20_000
"""A longer log only the command line replays: an entry takes some 1.7 kB of the script."""
MAX_BYTES = 2**26
"""Of the script: a log of long statements only the command line replays, too."""
_MAX_KEYRING_BYTES = 2**22


def write_replays(site: Path, reviews: Sequence[RoundReview]) -> dict[str, str]:
    """Write ``verify/logs/<round>.js`` for every round whose log a browser can replay.

    Returns by round why it cannot; empty where it can. `LevelfieldError` for an envelope that has
    changed since the log was verified.
    """
    return {review.name: _write(site, review) for review in reviews}


def _write(site: Path, review: RoundReview) -> str:
    if review.entries is None or review.note is None:
        return "The log cannot be replayed at all."
    if len(review.entries) > MAX_ENTRIES:
        return (
            f"The log has {len(review.entries)} entries; a browser replays {MAX_ENTRIES} at most."
        )
    too_large = f"The log is too large for a browser, which replays {MAX_BYTES >> 20} MiB at most."
    if _least(review) > MAX_BYTES:
        return too_large
    # A string within a string: the verifier reads it with its own strict parser.
    text = log_text(review)
    if len(text) > MAX_BYTES:
        return too_large
    path = site / f"verify/logs/{safe(review.name)}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'levelfield.logs["{review.name}"] = {json.dumps(text)};\n', "ascii")
    return ""


def _least(review: RoundReview) -> int:
    """Bytes that the envelopes take, before they are all read."""
    held = [one.envelope for one in review.entries or () if one.kind != "commit"]
    return sum(review.folder.envelope_path(name).stat().st_size for name in held)


def log_text(review: RoundReview) -> str:
    """The log as JSON: checkpoint, keyring, and its entries in order, each with its envelope."""
    assert review.note is not None
    folder = review.folder
    keyring = read_inside(folder.root, folder.keyring.name, _MAX_KEYRING_BYTES)
    log = {
        "round": review.name,
        "checkpoint": review.note.to_bytes().decode(),
        "keyring": base64.b64encode(keyring).decode(),
        "signatures": _signatures(review),
        "entries": [
            {"entry": json.loads(entry.to_bytes()), "envelope": _envelope(review, entry)}
            for entry in review.entries or ()
        ],
        "doubted": dict(_doubted(review)),
    }
    return json.dumps(log, sort_keys=True, separators=(",", ":"))


def _envelope(review: RoundReview, entry: LogEntry) -> str | None:
    if entry.kind == "commit":
        return None
    return base64.b64encode(review.folder.read_envelope(entry.envelope)).decode()


def _signatures(review: RoundReview) -> str | None:
    path = review.folder.keyring_signatures
    if not path.exists():
        return None
    data = read_inside(review.folder.root, path.name, MAX_ENVELOPE_BYTES)
    return base64.b64encode(data).decode()


def _doubted(review: RoundReview) -> Iterator[tuple[str, str]]:
    """Entries that cite lines which are not the bundle's: only who holds it can tell."""
    for one in review.logged:
        if isinstance(one.content, Refused) and NOT_CITED in one.content.reason:
            yield str(one.index), one.content.reason
