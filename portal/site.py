"""``publish``: a whole static site from bundles, built aside and put in place at the end."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import LevelfieldError
from harness.records import HIGHER_IS_BETTER, Scenario
from portal.board_view import board_view
from portal.boards import Board, make_boards
from portal.constraint_chips import chips
from portal.data_files import TABLES, write_data
from portal.disturbance_view import disturbance_lines, disturbed_bands
from portal.listing import Listing, Published, list_results
from portal.log_page import log_lines
from portal.margins import margins
from portal.quantities import for_people
from portal.rendering import STATIC, write_page
from portal.replications import with_replications
from portal.result_page import write_result
from portal.run_facts import run_facts
from portal.strips import make_strips
from portal.telemetry_figures import telemetry_figures
from rules.disturbance import disturbances
from rules.submission import RunEvidence

__all__ = ["Published", "publish"]

MARKER = ".levelfield-site"
_MARKER_TEXT = "levelfield/site/v1\n"
_RAW = ("queries.npy", "answers.jsonl", "telemetry.jsonl", "output.txt", "run.json")


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
    boards = make_boards(listings)
    shutil.copytree(STATIC, site / "static", copy_function=shutil.copyfile)
    (site / MARKER).write_text(_MARKER_TEXT, "utf-8")
    write_data(site / "data", boards)
    _write_home(site, boards)
    _write_data_page(site)
    for board in boards:
        _write_board(site, board)
        for listing in board.listings:
            write_result(site, listing, listings)
            for evidence in listing.entry.runs:
                _write_run(site, listing, evidence)


def _write_home(site: Path, boards: Sequence[Board]) -> None:
    newest_first = sorted(boards, key=lambda board: (not board.any.rankable, -_newest(board)))
    groups: dict[tuple[str, str], list[Board]] = {}
    for board in newest_first:
        groups.setdefault((board.any.round.title, board.any.workload_title), []).append(board)
    listings = [listing for board in boards for listing in board.listings]
    write_page(
        site,
        "index.html",
        "home.html",
        here="home",
        groups=[
            {"round": round_title, "workload": workload, "boards": sorted(group, key=_by_scenario)}
            for (round_title, workload), group in groups.items()
        ],
        practice=any(not listing.rankable for listing in listings),
        imported=next((one.published.imported for one in listings if one.imported), None),
        bundles=_bundle_rows(listings),
    )


def _newest(board: Board) -> int:
    """When the board's newest run started, in ms."""
    return max((e.run.started_ms for li in board.listings for e in li.entry.runs), default=0)


def _by_scenario(board: Board) -> tuple[int, str]:
    result = board.any.entry.result
    return (list(Scenario).index(result.scenario), result.division)


def _bundle_rows(listings: Sequence[Listing]) -> list[dict[str, Any]]:
    grouped: dict[str, list[Listing]] = {}
    for listing in listings:
        grouped.setdefault(listing.published.bundle.id, []).append(listing)
    rows = []
    for bundle_id in sorted(grouped):
        published = grouped[bundle_id][0].published
        findings = published.report.findings
        errors = sum(map(published.refuses, findings))
        rows.append(
            {
                "id": bundle_id,
                "published": published,
                "listings": grouped[bundle_id],
                "errors": errors,
                "warnings": len(findings) - errors,
                "newest_ms": _newest(Board(tuple(grouped[bundle_id]), ())),
            }
        )
    return sorted(rows, key=lambda row: (-row["newest_ms"], row["id"]))


def _write_board(site: Path, board: Board) -> None:
    strips, found = make_strips(board.ranked), margins(board.ranked)
    write_page(
        site,
        board.address,
        "leaderboard.html",
        board=board,
        shared=board.any,
        higher_is_better=HIGHER_IS_BETTER[board.any.entry.result.metric],
        strips=strips,
        view=board_view(board.ranked),
        margins=found,
        without_luck=any(each.without_luck for each in found.values()),
        crumbs=((f"{board.any.workload_title}: {board.any.scenario_title.lower()}", ""),),
    )


def _write_run(site: Path, listing: Listing, evidence: RunEvidence) -> None:
    bundle, address = listing.published.bundle, listing.run_address(evidence)
    data = bundle.read(evidence.file("events.log"))
    shown, disturbed = _shown_lines(listing, evidence), disturbances(evidence)
    held = {file.path: file.sha256 for file in bundle.manifest.files}
    # Of an import, whose logs are a hundred times longer, the site holds the lines that it shows.
    copied = () if listing.imported else _RAW
    others = [name for name in copied if evidence.file(name) in held]
    write_page(
        site,
        address,
        "run.html",
        listing=listing,
        run=evidence.run,
        number=listing.number(evidence),
        lines=log_lines(data, evidence.log, shown),
        length=data.count(b"\n") + (not data.endswith(b"\n")),
        file=evidence.file("events.log"),
        sha256=held[evidence.file("events.log")],
        others=others,
        facts=run_facts(evidence),
        limits=chips(evidence.run.constraints),
        figures=telemetry_figures(evidence, disturbed_bands(evidence, disturbed)),
        disturbances=disturbance_lines(evidence, disturbed),
        crumbs=(
            (f"{listing.workload_title}: {listing.scenario_title.lower()}", listing.board_address),
            (listing.system_name, listing.address),
            (f"Run {listing.number(evidence)}", ""),
        ),
    )
    folder = (site / address).parent
    if not listing.imported:
        (folder / "events.log").write_bytes(data)
    for name in others:
        (folder / name).write_bytes(bundle.read(evidence.file(name)))


def _shown_lines(listing: Listing, evidence: RunEvidence) -> set[int] | None:
    """Lines of an imported log that its page shows, with those of findings; none: all lines."""
    if not listing.imported:
        return None
    file, log = evidence.file("events.log"), evidence.log
    pointed = {one.line for one in listing.findings if one.file == file and one.line}
    return {one.line for one in log.events} | {one.line for one in log.broken} | pointed


def _write_data_page(site: Path) -> None:
    about = {
        "results.json": "All three tables as lists of objects.",
        "results.csv": "The table results. Text that a spreadsheet would take for a formula "
        "has an apostrophe before it.",
        "results.sqlite": "All three tables, with their keys.",
    }
    files = [
        {
            "name": name,
            "about": text,
            "size": for_people((site / "data" / name).stat().st_size, "B"),
        }
        for name, text in about.items()
    ]
    write_page(site, "data/index.html", "data.html", here="data", files=files, tables=TABLES)
