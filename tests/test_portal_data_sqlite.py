"""The SQLite file: keys that hold, indexes that are used, views that order, words for Datasette."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.data_rows import rows_of
from portal.data_schema import TABLES, VIEWS
from portal.data_sqlite import datasette_metadata, write_sqlite
from portal.listing import list_results

ROWS = rows_of(Content(tuple(make_boards(list_results(example())))))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("sqlite") / "results.sqlite"
    write_sqlite(path, ROWS)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def test_keys_hold(database: sqlite3.Connection) -> None:
    assert database.execute("pragma foreign_key_check").fetchall() == []
    assert database.execute("pragma integrity_check").fetchone()[0] == "ok"
    for table in TABLES[1:]:
        (key,) = database.execute(f"pragma foreign_key_list({table.name})").fetchall()
        assert (key["table"], key["from"], key["to"]) == ("results", "result", "id")


def test_a_run_of_no_result_is_found(database: sqlite3.Connection) -> None:
    database.execute("insert into runs (result, number) values ('nobody', 1)")
    assert database.execute("pragma foreign_key_check").fetchall() != []
    database.rollback()


@pytest.mark.parametrize(
    "question",
    [
        "results where round = '2026.1' and workload = 'x'",
        "results where organisation = 'x'",
        "results where system = 'x'",
        "runs where result = 'x'",
        "runs where run = 'x'",
        "findings where result = 'x'",
        "findings where rule = 'x'",
    ],
)
def test_likely_questions_use_an_index(database: sqlite3.Connection, question: str) -> None:
    plan = database.execute(f"explain query plan select * from {question}").fetchall()
    assert "USING INDEX" in plan[0]["detail"]


def test_the_leaderboard_view_orders_as_the_boards_do(database: sqlite3.Connection) -> None:
    boards = make_boards(list_results(example()))
    ours = {listing.id for board in boards for listing in board.ranked}
    rows = database.execute("select * from leaderboard").fetchall()
    assert {row["result"] for row in rows} == ours
    for board in boards:
        ids = [listing.id for listing in board.ranked]
        found = [row for row in rows if row["result"] in ids]
        assert [row["result"] for row in found] == ids
        assert [row["rank"] for row in found] == [listing.rank for listing in board.ranked]
        assert [row["place"] for row in found] == [*range(1, len(ids) + 1)]


def test_the_other_views_count_what_is_there(database: sqlite3.Connection) -> None:
    refusing = [row for row in ROWS["findings"] if row["refuses"]]
    assert len(database.execute("select * from refusals").fetchall()) == len(refusing) > 0
    counted = {row["organisation"]: row for row in database.execute("select * from organisations")}
    acme = [row for row in ROWS["results"] if row["organisation"] == "Acme Computing"]
    assert counted["Acme Computing"]["results"] == len(acme)
    assert counted["Acme Computing"]["standing"] == sum(row["errors"] == 0 for row in acme)
    assert counted["Acme Computing"]["first"] == sum(row["rank"] == 1 for row in acme)


def test_datasette_is_told_of_every_column(database: sqlite3.Connection) -> None:
    told = json.loads(json.dumps(datasette_metadata("0" * 16)))["databases"]["results"]
    names = {row["name"] for row in database.execute("pragma table_list")}
    assert told["tables"].keys() == {table.name for table in TABLES} | {v.name for v in VIEWS}
    assert told["tables"].keys() <= names
    for table in TABLES:
        columns = {row["name"] for row in database.execute(f"pragma table_info({table.name})")}
        assert told["tables"][table.name]["columns"].keys() == columns


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_sqlite(tmp_path / "a", ROWS)
    write_sqlite(tmp_path / "b", ROWS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_rows_make_empty_tables(tmp_path: Path) -> None:
    write_sqlite(tmp_path / "empty", {table.name: [] for table in TABLES})
    with closing(sqlite3.connect(tmp_path / "empty")) as connection:
        assert connection.execute("select count(*) from leaderboard").fetchone() == (0,)
