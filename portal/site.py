"""``publish``: a whole static site from bundles, built aside and put in place at the end."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import LevelfieldError
from portal.boards import make_boards
from portal.content import Content
from portal.facts import slim
from portal.kept import forget, kept
from portal.listing import Listing, Published, list_results
from portal.pages import WRITERS
from portal.rendering import STATIC, pages_are_private
from portal.replications import replications
from portal.result_page import write_result
from portal.round_review import RoundReview
from portal.run_page import write_run
from portal.slots import fill_slots
from portal.source import Opened, Source
from submissions.mlperf_jobs import in_order

__all__ = ["Published", "publish", "publish_sources"]

MARKER = ".levelfield-site"
_MARKER_TEXT = "levelfield/site/v1\n"


@dataclass(frozen=True)
class Making:
    """How a site is made."""

    reviews: Sequence[RoundReview] = ()
    """Rounds whose folders are published too."""
    jobs: int = 1
    """Bundles that are read at a time, each by a process of its own if more than one."""
    private: bool = False
    """Whether every page says that it is not for the public."""
    cache: Path | None = None
    """Folder in which the pages of bundles are kept, so that those without a change are reused."""
    told: Callable[[str, int, int], None] = lambda *_: None
    """Hears what is being done, and how much of how much is."""


def publish(entries: Sequence[Published], out: Path, reviews: Sequence[RoundReview] = ()) -> Path:
    """As `publish_sources`, of bundles that are in memory."""
    return publish_sources([Opened(one) for one in entries], out, Making(reviews=reviews))


def publish_sources(sources: Sequence[Source], out: Path, making: Making) -> Path:
    """Build the site of ``sources`` in folder ``out`` and return its index page.

    The same sources give the same bytes. A site that is there is replaced only once the new one
    is whole. `LevelfieldError` if ``out`` exists and is not a site, or cannot be written.
    """
    _check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as aside,
            pages_are_private(making.private),
        ):
            new = Path(aside) / "new"
            _build(sources, new, making)
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


def _build(sources: Sequence[Source], site: Path, making: Making) -> None:
    shutil.copytree(STATIC, site / "static", copy_function=shutil.copyfile)
    (site / MARKER).write_text(_MARKER_TEXT, "utf-8")
    listings = list(_each(sources, site, making))
    content = Content(tuple(make_boards(listings)), tuple(making.reviews))
    for number, write in enumerate(WRITERS):
        making.told("pages of all results", number, len(WRITERS))
        write(site, content)
    for listing in content.listings:
        fill_slots(site, listing, content.listings)
    if making.cache:
        forget(making.cache)


def _each(sources: Sequence[Source], site: Path, making: Making) -> Iterator[Listing]:
    """Every result, slim, its own pages written; of a bundle that is named twice only once."""
    found: dict[str, tuple[Source, list[Listing]]] = {}
    work = partial(_write_source, site, making.private, making.cache)
    with closing(in_order(work, sources, making.jobs)) as made:
        for number, source in enumerate(sources):
            making.told("bundles", number, len(sources))
            for listing in next(made):
                name = listing.published.bundle.id
                if found.setdefault(name, (source, []))[0] is source:
                    found[name][1].append(listing)
    said = replications(
        [listings[0].published for _, listings in found.values() if listings],
        lambda one: _whole(found[one.bundle.id][0], one.bundle.id),
    )
    for name in sorted(found):
        listings = found[name][1]
        shared = replace(listings[0].published, replications=said.get(name, ()))
        yield from (replace(listing, published=shared) for listing in listings)


def _whole(source: Source, name: str) -> Published:
    return next(one for one in source.read() if one.bundle.id == name)


def _write_source(site: Path, private: bool, cache: Path | None, source: Source) -> list[Listing]:
    """Write the pages of a source's results, or take those that are kept; the results, slim."""
    key = source.key() if cache else ""
    with pages_are_private(private):
        if cache and key:
            folder = cache / f"{key}{'-private' * private}"
            return kept(folder, site, partial(_write_results, source))
        return _write_results(source, site)


def _write_results(source: Source, site: Path) -> list[Listing]:
    found: list[Listing] = []
    for published in source.read():
        for listing in list_results([published]):
            write_result(site, listing)
            for evidence in listing.entry.runs:
                write_run(site, listing, evidence)
        found += slim(published)
    return found
