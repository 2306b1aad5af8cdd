"""The site's content to take away: JSON, CSV, SQLite, what Datasette needs, and a feed."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portal.content import Content
from portal.data_queries import QUERIES
from portal.data_rows import Row, rows_of, snapshot_of
from portal.data_schema import RESULTS, TABLES, VIEWS, Table
from portal.data_sqlite import datasette_metadata, write_sqlite
from portal.feed import NEWEST, write_feed
from portal.quantities import for_people
from portal.rendering import plural, write_page

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ABOUT = {
    "results.json": "All three tables as lists of objects, under their names, and the snapshot’s "
    "id under “snapshot”.",
    "results.csv": "The table results. Text that a spreadsheet would take for a formula has an "
    "apostrophe before it.",
    "results.sqlite": "All three tables with their keys, indexes and views.",
    "metadata.json": "What the columns mean, for Datasette, with the questions below.",
    "changes.atom": f"The newest {NEWEST} results as a feed, by the start of their newest run.",
}


def write_data(site: Path, content: Content) -> None:
    """Write the results as files, and the page that describes them: same input, same bytes."""
    folder, rows = site / "data", rows_of(content)
    snapshot = snapshot_of(rows)
    folder.mkdir(parents=True)
    _write_json(folder / "results.json", {"snapshot": snapshot, **rows})
    (folder / "results.csv").write_text(_csv(RESULTS, rows[RESULTS.name]), "utf-8", newline="")
    write_sqlite(folder / "results.sqlite", rows)
    _write_json(folder / "metadata.json", datasette_metadata(snapshot))
    write_feed(site, content)
    _write_page(site, snapshot, plural(len(rows[RESULTS.name]), "result"))


def _write_page(site: Path, snapshot: str, size: str) -> None:
    files = [
        {
            "name": name,
            "about": text,
            "size": for_people((site / "data" / name).stat().st_size, "B"),
        }
        for name, text in _ABOUT.items()
    ]
    write_page(
        site,
        "data/index.html",
        "data.html",
        here="data",
        snapshot=snapshot,
        size=size,
        files=files,
        tables=TABLES,
        views=VIEWS,
        queries=QUERIES,
    )


def _write_json(path: Path, found: dict[str, Any]) -> None:
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _csv(table: Table, rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    names = [name for name, _, _ in table.columns]
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
