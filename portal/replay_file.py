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


def can_be_replayed(review: RoundReview) -> bool:
    """Whether the log is here whole, signed, and short enough for a browser."""
    return (
        review.entries is not None
        and review.note is not None
        and len(review.entries) <= MAX_ENTRIES
    )


def write_replays(site: Path, reviews: Sequence[RoundReview]) -> None:
    """Write ``verify/logs/<round>.js`` for every round whose log a browser can replay.

    `LevelfieldError` for an envelope that has changed since the log was verified.
    """
    for review in filter(can_be_replayed, reviews):
        path = site / f"verify/logs/{safe(review.name)}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        # A string within a string: the verifier reads it with its own strict parser.
        text = json.dumps(log_text(review))
        path.write_text(f'levelfield.logs["{review.name}"] = {text};\n', "ascii")


def log_text(review: RoundReview) -> str:
    """The log as JSON: its checkpoint, its entries in order, each with its envelope."""
    assert review.note is not None
    log = {
        "round": review.name,
        "checkpoint": review.note.to_bytes().decode(),
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
