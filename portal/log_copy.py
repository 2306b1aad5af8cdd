"""A round's log on the site as the files that it is, so that anybody can verify it from there."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from portal.round_review import RoundReview
from submissions.receipt import MAX_RECEIPT_BYTES
from submissions.round_folder import read_inside
from submissions.round_log import CHECKPOINT, RoundLog
from submissions.tiles import Tiles

_MAX_KEYRING_BYTES = 2**22
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say: the same log gives the same bytes."""


def copy_log(review: RoundReview, folder: Path, archive: Path) -> None:
    """Write the files of the log to ``folder``, and to a zip at ``archive``.

    `LevelfieldError` for an envelope that has changed since the log was verified. Of a log that
    cannot be replayed nothing is copied.
    """
    if review.entries is None or review.note is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as zipped:
        for path, data in log_files(review):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
            member = zipfile.ZipInfo(f"{review.name}/{path}", _FIRST_DATE)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            zipped.writestr(member, data)


def log_files(review: RoundReview) -> Iterator[tuple[str, bytes]]:
    """Paths, as in a round's folder, and bytes of all that ``log verify`` reads.

    Checkpoint and tiles are those of the entries that were verified.
    """
    folder, entries = review.folder, review.entries or ()
    assert review.note is not None  # a log that was verified has a checkpoint
    yield folder.round_file.name, review.info.to_json().encode()
    for held in (folder.keyring, folder.keyring_signatures):
        if os.path.lexists(held):
            yield held.name, read_inside(folder.root, held.name, _MAX_KEYRING_BYTES)
    yield f"log/{CHECKPOINT}", review.note.to_bytes()
    grown = Tiles(folder.log, 0).grown([entry.to_bytes() for entry in entries])
    for path, data in sorted(grown.items()):
        yield f"log/{path}", data
    for entry in entries:
        if entry.kind != "commit":
            yield envelope_path(entry.envelope), folder.read_envelope(entry.envelope)
        if entry.kind == "reveal":
            path = RoundLog.open(folder).opening_path(entry.subject or "")
            yield path, read_inside(folder.root, path, MAX_RECEIPT_BYTES)


def envelope_path(envelope: str) -> str:
    """Where the envelope with this digest lies in a round's folder."""
    return f"events/{envelope}.dsse.json"
