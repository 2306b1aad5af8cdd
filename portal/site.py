"""``publish``: a whole static site from bundles, built aside and put in place at the end."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import LevelfieldError
from harness.events import many_logs
from portal.boards import make_boards
from portal.content import Content
from portal.facts import slim
from portal.kept import forget, kept
from portal.listing import Listing, Published, list_results
from portal.pages import WRITERS
from portal.rendering import STATIC, pages_are_private, prepare
from portal.replications import replications
from portal.result_page import write_result
from portal.round_review import RoundReview
from portal.run_page import write_run
from portal.slots import fill_slots
from portal.source import Opened, Source
from submissions.mlperf_jobs import every, in_order

__all__ = ["Published", "publish", "publish_sources"]

MARKER = ".levelfield-site"
_MARKER_TEXT = "levelfield/site/v1\n"
_AT_ONCE = 16
"""Sources that a process is given together."""


def _quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Making:
    """How a site is made."""

    reviews: Sequence[RoundReview] = ()
    """Rounds whose folders are published too."""
    jobs: int = 1
    """Bundles that are read at a time, each by a process of its own if more than one."""
    round_name: str | None = None
    """Of which round alone; none: of all."""
    private: bool = False
    """Whether every page says that it is not for the public."""
    cache: Path | None = None
    """Folder in which the pages of bundles are kept, so that those without a change are reused."""
    told: Callable[[str, int, int], None] = _quiet
    """Hears what is being done, and how much of how much is."""


def publish(entries: Sequence[Published], out: Path, reviews: Sequence[RoundReview] = ()) -> Path:
    """As `publish_sources`, of bundles that are in memory."""
    index, _ = publish_sources([Opened(one) for one in entries], out, Making(reviews=reviews))
    return index


def publish_sources(sources: Sequence[Source], out: Path, making: Making) -> tuple[Path, list[str]]:
    """Build the site of ``sources`` in folder ``out``; its index page, and ids of its bundles.

    The same sources give the same bytes. A site that is there is replaced only once the new one
    is whole. `LevelfieldError` if ``out`` exists and is not a site, or cannot be written, or if
    no source is of the round that is wanted.
    """
    _check_replaceable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as aside,
            pages_are_private(making.private),
        ):
            new = Path(aside) / "new"
            content = _build(sources, new, making)
            _swap(new, out, old=Path(aside) / "old")
    except OSError as error:
        raise LevelfieldError(
            f"--out {out}: cannot be written: {error.strerror}; free space or choose another folder"
        ) from error
    return out / "index.html", [one.bundle.id for one in content.published]


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


def _build(sources: Sequence[Source], site: Path, making: Making) -> Content:
    shutil.copytree(STATIC, site / "static", copy_function=shutil.copyfile)
    (site / MARKER).write_text(_MARKER_TEXT, "utf-8")
    listings = list(_each(sources, site, making))
    if making.round_name and not listings:
        raise LevelfieldError(f"--round {making.round_name}: no bundle is of it; name another")
    reviews = (one for one in making.reviews if making.round_name in (None, one.name))
    content = Content(tuple(make_boards(listings)), tuple(reviews))
    tasks = [partial(write, site, content) for write in WRITERS]
    for number, _ in enumerate(every(tasks, making.jobs), 1):
        making.told("pages of all results", number, len(WRITERS))
    shares = [content.listings[at :: making.jobs] for at in range(making.jobs)]
    for _ in every([partial(_fill, site, one, content) for one in shares], making.jobs):
        pass
    if making.cache:
        forget(making.cache)
    return content


def _fill(site: Path, listings: Sequence[Listing], content: Content) -> None:
    for listing in listings:
        fill_slots(site, listing, content.listings)


def _each(sources: Sequence[Source], site: Path, making: Making) -> Iterator[Listing]:
    """Every result, slim, its own pages written; of a bundle that is named twice only once."""
    found: dict[str, tuple[Source, list[Listing]]] = {}
    for source, listings in _written(sources, site, making):
        for listing in listings:
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


def _written(
    sources: Sequence[Source], site: Path, making: Making
) -> Iterator[tuple[Source, list[Listing]]]:
    """Each source with its results. What sources share goes to a process once for many of them."""
    size = max(1, min(_AT_ONCE, len(sources) // (4 * making.jobs)))
    parts = [sources[at : at + size] for at in range(0, len(sources), size)]
    if making.jobs > 1:
        prepare()
    work = partial(_write_sources, site, replace(making, reviews=(), told=_quiet))
    with closing(in_order(work, parts, making.jobs)) as made:
        for number, part in enumerate(parts):
            making.told("bundles", number * size, len(sources))
            yield from zip(part, next(made), strict=True)


def _write_sources(site: Path, making: Making, sources: Sequence[Source]) -> list[list[Listing]]:
    with pages_are_private(making.private), many_logs():
        return [_write_source(site, making, source) for source in sources]


def _whole(source: Source, name: str) -> Published:
    return next(one for one in source.read() if one.bundle.id == name)


def _write_source(site: Path, making: Making, source: Source) -> list[Listing]:
    """Write the pages of a source's results, or take those that are kept; the results, slim."""
    write = partial(_write_results, source, making)
    key = source.key() if making.cache else ""
    if not making.cache or not key:
        return write(site)
    name = hashlib.sha256(f"{key} {making.private} {making.round_name}".encode()).hexdigest()
    return kept(making.cache / name, site, write)


def _write_results(source: Source, making: Making, site: Path) -> list[Listing]:
    found: list[Listing] = []
    for published in source.read():
        if making.round_name not in (None, published.bundle.submission.round):
            continue
        for listing in list_results([published]):
            write_result(site, listing)
            for evidence in listing.entry.runs:
                write_run(site, listing, evidence)
        found += slim(published)
    return found
