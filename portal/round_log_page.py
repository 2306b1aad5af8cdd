"""The logs of rounds: checkpoint, signatures and entries, beside the files themselves."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.log_copy import copy_log, envelope_path
from portal.rendering import write_page
from portal.review_addresses import PAGE, log_address, thread_address
from portal.round_review import RoundReview
from portal.thread import described
from submissions.checkpoint import signed_by_log
from submissions.envelope import VerificationError
from submissions.log_entry import LogEntry
from submissions.receipt import log_keys
from submissions.round_log import CHECKPOINT
from submissions.witness import check_witnessed

_KINDS = {"commit": "Promise of a bundle", "reveal": "Promise kept", "keyring": "Keyring signed"}
"""What an entry is, where that is not what its statement says."""


@dataclass(frozen=True)
class Line:
    """One entry on its page."""

    index: int
    entry: LogEntry
    tag: tuple[str, str, str]
    """Kind for the colour, icon and words."""
    thread: str
    """Address of the entry in its bundle's thread."""
    file: str
    """Name of its envelope beside the page; empty for a promise, which has none."""
    ignored: str


def write_round_logs(site: Path, content: Content) -> None:
    """Write ``log/index.html``, and of each round the pages and files of its log."""
    write_page(
        site,
        "log/index.html",
        "round_logs.html",
        here="log",
        rounds=[(review, log_address(review)) for review in content.reviews],
    )
    for review in content.reviews:
        folder = (site / log_address(review)).parent
        copy_log(review, folder, folder.with_name(archive_name(review)))
        for page in range(1, pages(review) + 1):
            _write(site, review, page)


def archive_name(review: RoundReview) -> str:
    """The zip of the log, beside the folder of the round."""
    return f"{review.name}.zip"


def pages(review: RoundReview) -> int:
    """How many pages the log takes; one if it is empty, or cannot be shown."""
    return max(1, -(-len(review.entries or ()) // PAGE))


def _write(site: Path, review: RoundReview, page: int) -> None:
    entries = review.entries or ()
    first = (page - 1) * PAGE
    write_page(
        site,
        log_address(review, page),
        "round_log.html",
        here="log",
        crumbs=(("Logs", "log/index.html"), (review.name, "" if page == 1 else log_address(review)))
        + (() if page == 1 else ((f"Page {page}", ""),)),
        review=review,
        page=page,
        pages=[(number, log_address(review, number)) for number in range(1, pages(review) + 1)],
        lines=[
            _line(review, index, entry)
            for index, entry in enumerate(entries[first : first + PAGE], first)
        ],
        folder=log_address(review).removesuffix("index.html"),
        archive=archive_name(review),
        checkpoint=f"log/{CHECKPOINT}",
        signatures=_signatures(review),
    )


def _line(review: RoundReview, index: int, entry: LogEntry) -> Line:
    thread = thread_address(review, entry.subject or "")
    kind, icon, words = described(review.logged[index].content)
    return Line(
        index,
        entry,
        ("plain", "◆", _KINDS[entry.kind]) if entry.kind in _KINDS else (kind, icon, words),
        f"{thread}#E{index}" if thread else "",
        "" if entry.kind == "commit" else envelope_path(entry.envelope),
        review.ignored.get(index, ""),
    )


def _signatures(review: RoundReview) -> list[tuple[str, str, str]]:
    """Kind, icon and sentence of each signature under the checkpoint, and of each that is bad."""
    note = review.note
    if note is None:
        return []
    keys = log_keys(review.keyring, note.checkpoint.size)
    try:
        keepers = signed_by_log(note, keys, "the checkpoint")
        witnesses = check_witnessed(note, review.keyring, 0)
    except VerificationError as error:
        return [("bad", "✕", str(error))]
    return [
        *(
            ("", "✓", f"Signed for the log by {one.organisation}, key {one.key_id[:16]}…")
            for one in keepers
        ),
        *(
            ("", "✓", f"Witnessed by {one.entry.organisation} on {_time(one.time_s)}")
            for one in witnesses
        ),
        *([] if witnesses else [("warn", "!", "No witness has signed it yet")]),
    ]


def _time(seconds: int) -> str:
    """A witness's clock for people."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"
    return f"{moment:%Y-%m-%d %H:%M} UTC"
