"""The page of a round: what was asked, who took part, and every system by every benchmark."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.records import Scenario
from portal.boards import Board
from portal.content import Content
from portal.listing import Listing, percentile
from portal.quantities import for_people
from portal.rendering import plural, write_page
from portal.slugs import round_address, system_address
from rules.round import Round

SHOWN_SYSTEMS = 300
_IN_A_CELL = 2


@dataclass(frozen=True)
class Row:
    """One system of the round."""

    any: Listing
    """Some result of it, for its name."""
    cells: tuple[tuple[Listing, ...], ...]
    """Its results, best first, by board."""


def write_rounds(site: Path, content: Content) -> None:
    """Write a page for every round that has results."""
    for name, boards in boards_by_round(content).items():
        _write_round(site, name, boards)


def boards_by_round(content: Content) -> dict[str, list[Board]]:
    """The leaderboards of each round, a workload's scenarios side by side."""
    found: dict[str, list[Board]] = {}
    for board in sorted(content.boards, key=_order):
        found.setdefault(board.any.round.name, []).append(board)
    return found


def _order(board: Board) -> tuple[str, str, int, str]:
    shared = board.any
    scenario = list(Scenario).index(shared.entry.result.scenario)
    return (shared.round.name, shared.workload_title, scenario, shared.division)


def _write_round(site: Path, name: str, boards: Sequence[Board]) -> None:
    listings = [listing for board in boards for listing in board.listings]
    rows = matrix(boards)
    write_page(
        site,
        round_address(name),
        "round.html",
        shared=listings[0],
        boards=boards,
        workloads=Counter(board.any.workload_title for board in boards),
        rows=rows[:SHOWN_SYSTEMS],
        systems=len(rows),
        in_a_cell=_IN_A_CELL,
        counts=_counts(listings, len(rows), len(boards)),
        dates=dates(listings),
        terms=list(_terms([board.any.round for board in boards])),
        crumbs=((f"Round {name}", ""),),
    )


def matrix(boards: Sequence[Board]) -> list[Row]:
    """A row a system, those with most results first."""
    held: dict[str, list[list[Listing]]] = {}
    for column, board in enumerate(boards):
        for listing in board.listings:
            cells = held.setdefault(system_address(listing), [[] for _ in boards])
            cells[column].append(listing)
    rows = [
        Row(next(cell[0] for cell in cells if cell), tuple(map(tuple, cells)))
        for cells in held.values()
    ]
    return sorted(rows, key=lambda row: (-sum(map(len, row.cells)), _name(row)))


def _name(row: Row) -> tuple[str, str]:
    return (row.any.organisation, row.any.system_name)


def _counts(listings: Sequence[Listing], systems: int, boards: int) -> str:
    makers = len({listing.organisation for listing in listings})
    refused = sum(not listing.accepted for listing in listings)
    told = f", {refused:,} of them refused" if refused else ""
    return (
        f"{plural(len(listings), 'result')}{told}, of {plural(systems, 'system')} from "
        f"{plural(makers, 'organisation')}, on {plural(boards, 'leaderboard')}."
    )


def dates(listings: Sequence[Listing]) -> str:
    """When the runs were started, by the clocks of the machines that ran them; maybe empty."""
    started = [run.run.started_ms for each in listings for run in each.entry.runs]
    if not started:
        return ""
    first, last = (f"{_day(found):%-d %B %Y}" for found in (min(started), max(started)))
    return first if first == last else f"{first} to {last}"


def _day(started_ms: int) -> datetime:
    return datetime.fromtimestamp(started_ms / 1000, UTC)


def _terms(rounds: Sequence[Round]) -> Iterator[tuple[str, str]]:
    """What the round asks; an official round asks different things of different benchmarks."""
    one = rounds[0]
    yield "Ranked", "yes" if one.rankable else "no: a round to practise in"
    yield "Divisions", " and ".join(one.divisions)
    runs = sorted({terms.training.runs for terms in rounds})
    counted = " to ".join(f"{count:,}" for count in dict.fromkeys((runs[0], runs[-1])))
    dropped = one.training.drop
    yield "Runs of a training", f"{counted}; the {dropped} fastest and {dropped} slowest dropped"
    if not one.inference:
        return
    floor = for_people(one.accuracy_floor, "%")
    yield "Quality of inference", f"at least {floor} of the reference’s"
    for scenario, terms in one.inference.items():
        name = scenario.value.replace("_", " ").capitalize()
        noun = "samples" if scenario is Scenario.OFFLINE else "queries"
        yield (
            f"{name}, least",
            f"{terms.min_duration_s:g} s and {terms.min_query_count:,} {noun}; "
            f"judged by the {percentile(terms.percentile)}"
            if scenario is not Scenario.OFFLINE
            else f"{terms.min_duration_s:g} s and {terms.min_query_count:,} {noun}",
        )
    audits = ", ".join(audit.value.replace("_", " ") for audit in one.audits.required)
    yield "Audits", audits or "none asked for"
