"""The downloads as one SQLite file, and what Datasette shows beside its columns."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.data_queries import QUERIES
from portal.data_rows import Rows
from portal.data_schema import FINDINGS, RESULTS, RUNS, TABLES, VIEWS, Table

if TYPE_CHECKING:
    from sqlite_utils import Database


def write_sqlite(path: Path, rows: Rows) -> None:
    """Write every table with its keys and indexes, and the views."""
    from sqlite_utils import Database

    database = Database(path)
    try:
        for table in TABLES:
            _create(database, table)
            database.table(table.name).insert_all(rows[table.name])
        for view in VIEWS:
            database.create_view(view.name, view.sql)
    finally:
        database.close()


def _create(database: "Database", table: Table) -> None:
    created = database.table(table.name).create(
        {name: _PYTHON_TYPES[kind] for name, kind, _ in table.columns},
        pk=table.key or None,
        foreign_keys=[("result", RESULTS.name, "id")] if table in (RUNS, FINDINGS) else [],
    )
    for columns in table.indexes:
        created.create_index(columns)


def datasette_metadata(snapshot: str) -> dict[str, Any]:
    """What ``datasette results.sqlite -m metadata.json`` shows beside the rows."""
    return {
        "title": "Levelfield results",
        "description": f"Snapshot {snapshot}. Values are in SI base units.",
        "databases": {
            "results": {
                "tables": dict(_described()),
                "queries": {
                    query.name: {"title": query.question, "sql": query.sql} for query in QUERIES
                },
            }
        },
    }


def _described() -> Iterator[tuple[str, dict[str, Any]]]:
    for table in TABLES:
        meanings = {name: meaning for name, _, meaning in table.columns}
        yield table.name, {"description": table.about, "columns": meanings}
    for view in VIEWS:
        yield view.name, {"description": view.about}


_PYTHON_TYPES: dict[str, Any] = {"TEXT": str, "INTEGER": int, "REAL": float}
