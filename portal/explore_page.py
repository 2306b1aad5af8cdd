"""All results in one table: its first rows as HTML, all rows as columns for the script."""

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

from portal.content import Content
from portal.data_rows import Row
from portal.data_schema import STATUSES
from portal.explore_columns import Column, Titles, make_columns
from portal.rendering import write_page

DRAWN = 200
"""Rows that are in the page at a time."""


def write_explore(site: Path, content: Content) -> None:
    """Write the table of what ``data/results.json`` holds, so that both are one snapshot."""
    data = json.loads((site / "data/results.json").read_text("utf-8"))
    write_table(site, data["results"], data["snapshot"], _titles(content))


def _titles(content: Content) -> Titles:
    some = [board.any for board in content.boards]
    return Titles(
        rounds={listing.round.name: listing.round.title for listing in some},
        workloads={listing.entry.result.workload: listing.workload_title for listing in some},
    )


def write_table(site: Path, results: Sequence[Row], snapshot: str, titles: Titles) -> None:
    """Write ``explore/``: the page, and ``results.js``, which a page from a file can load too."""
    columns, rows = make_columns(titles), _in_order(results)
    shown = [column for column in columns if column.shown]
    write_page(
        site,
        "explore/index.html",
        "explore.html",
        here="explore",
        columns=columns,
        shown=shown,
        width=sum(column.width for column in shown),
        rows=[(row["page"], [_cell(column, row) for column in shown]) for row in rows[:DRAWN]],
        count=len(rows),
        drawn=DRAWN,
        snapshot=snapshot,
    )
    data = {
        "snapshot": snapshot,
        "drawn": DRAWN,
        "ids": [row["id"] for row in rows],
        "columns": [_packed(column, rows) for column in columns],
    }
    told = json.dumps(data, separators=(",", ":"))
    (site / "explore/results.js").write_text(f"levelfieldResults({told});\n", "utf-8")


def _in_order(results: Iterable[Row]) -> list[Row]:
    """Leaderboard by leaderboard, best first; rounds that rank before others, the newest first."""
    rows = list(results)
    newest: dict[str, int] = {}
    for row in rows:
        newest[row["round"]] = max(newest.get(row["round"], 0), row["started_ms"] or 0)

    def place(row: Row) -> tuple[Any, ...]:
        board = (row["round"], row["workload"], row["scenario"], row["division"])
        stands = row["errors"] == 0 and row["value"] is not None
        better = (row["value"] or 0.0) * (-1 if row["higher_is_better"] else 1)
        first = (not row["rankable"], -newest[row["round"]])
        return (*first, *board, not stands, better, row["id"])

    return sorted(rows, key=place)


def _cell(column: Column, row: Row) -> dict[str, Any]:
    """What the page and the script show alike."""
    tag = STATUSES[row["status"]] if column.name == "status" else None
    return {"text": column.shows(row), "number": column.number, "tag": tag}


def _packed(column: Column, rows: Sequence[Row]) -> dict[str, Any]:
    packed: dict[str, Any] = {
        "name": column.name,
        "title": column.title,
        "shown": column.shown,
        "filtered": column.filtered,
        "within": column.within,
        "width": column.width,
    }
    if column.number:
        packed["numbers"] = [column.value(row) for row in rows]
        values, codes = _coded(rows, column.shows, key=str)
        return packed | {"texts": values, "codes": codes}
    texts = {column.value(row): column.shows(row) for row in rows}
    values, codes = _coded(rows, column.value, key=lambda value: _rank(value, texts[value]))
    packed |= {"values": values, "texts": [texts[value] for value in values], "codes": codes}
    if column.name == "status":
        packed["tags"] = [STATUSES[value][:2] for value in values]
    return packed


def _coded(
    rows: Sequence[Row], value: Callable[[Row], Hashable], key: Callable[[Any], Any]
) -> tuple[list[Any], list[int]]:
    """The distinct values, ordered by ``key``, and the number of its value for each row."""
    found = [value(row) for row in rows]
    values = sorted(set(found), key=key)
    codes = {each: code for code, each in enumerate(values)}
    return values, [codes[each] for each in found]


def _rank(value: str | None, text: str) -> tuple[bool, str, str]:
    """What is not stated comes last."""
    return (value is None, text.casefold(), value or "")
