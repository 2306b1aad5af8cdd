"""``publish``: a whole static site from bundles, built aside and put in place at the end."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.errors import LevelfieldError
from portal.boards import make_boards
from portal.content import Content
from portal.listing import Published, list_results
from portal.pages import WRITERS
from portal.rendering import STATIC
from portal.replications import with_replications
from portal.result_page import write_result
from portal.run_page import write_run

__all__ = ["Published", "publish"]

MARKER = ".levelfield-site"
_MARKER_TEXT = "levelfield/site/v1\n"


def publish(entries: Sequence[Published], out: Path) -> Path:
    """Build the site of ``entries`` in folder ``out`` and return its index page.

    The same entries give the same bytes. A site that is there is replaced only once the new one
    is whole. `LevelfieldError` if ``out`` exists and is not a site, or cannot be written.
    """
    _check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as aside:
            new = Path(aside) / "new"
            _build(with_replications(entries), new)
            _swap(new, out, old=Path(aside) / "old")
    except OSError as error:
        raise LevelfieldError(
            f"--out {out}: cannot be written: {error.strerror}; free space or choose another folder"
        ) from error
    return out / "index.html"


def _swap(new: Path, out: Path, old: Path) -> None:
    """Put ``new`` in the place of ``out``; if that fails, ``out`` is what it was."""
    if out.exists():
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise


def _check_replaceable(out: Path) -> None:
    if not out.exists() or (out / MARKER).is_file():
        return
    if not out.is_dir() or any(out.iterdir()):
        raise LevelfieldError(
            f"--out {out}: exists and is not a Levelfield site; choose another folder"
        )


def _build(entries: Sequence[Published], site: Path) -> None:
    unique = {published.bundle.id: published for published in entries}
    listings = list_results([*unique.values()])
    content = Content(tuple(make_boards(listings)))
    shutil.copytree(STATIC, site / "static", copy_function=shutil.copyfile)
    (site / MARKER).write_text(_MARKER_TEXT, "utf-8")
    for write in WRITERS:
        write(site, content)
    for listing in content.listings:
        write_result(site, listing, content.listings)
        for evidence in listing.entry.runs:
            write_run(site, listing, evidence)
