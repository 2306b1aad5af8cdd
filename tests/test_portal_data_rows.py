"""Rows of the downloads: what is said of a result, and the name of it all."""

from dataclasses import replace

import pytest
from portal_example import example, finding, published, system, training_run

from portal.boards import make_boards
from portal.content import Content
from portal.data_rows import rows_of, snapshot_of, status_of
from portal.data_schema import STATUSES, TABLES, Table
from portal.listing import Listing, Published, list_results

CONTENT = Content(tuple(make_boards(list_results(example()))))
ROWS = rows_of(CONTENT)


def _one(round_name: str, *seconds: float, refused: bool = False) -> Published:
    runs = [training_run(n, s) for n, s in enumerate(seconds, 1)]
    findings = (finding(),) if refused else ()
    return published(system("A", "B"), runs, round_name=round_name, findings=findings)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_row_has_exactly_the_columns_that_are_described(table: Table) -> None:
    names = [name for name, _, _ in table.columns]
    assert ROWS[table.name]
    assert all(list(row) == names for row in ROWS[table.name])
    types = {"TEXT": str, "INTEGER": int, "REAL": (int, float)}
    for name, kind, _ in table.columns:
        for row in ROWS[table.name]:
            assert row[name] is None or isinstance(row[name], types[kind]), (name, row[name])


def test_the_status_is_that_of_the_pages() -> None:
    assert {row["status"] for row in ROWS["results"]} == {"passed", "practice", "refused"}
    assert STATUSES.keys() == {"passed", "imported", "practice", "unscored", "refused"}
    for row in ROWS["results"]:
        assert (row["status"] == "refused") == (row["errors"] > 0)
    (refused,) = list_results([_one("2026.1", 8, 9, 10, 11, 12, refused=True)])
    assert status_of(refused) == "refused"
    assert status_of(_unscored(refused)) == "unscored"


def _unscored(listing: Listing) -> Listing:
    result = listing.entry.result.model_copy(update={"value": None})
    report = listing.published.report.model_copy(update={"findings": ()})
    clean = replace(listing.published, report=report)
    return replace(listing, published=clean, entry=replace(listing.entry, result=result))


def test_a_finding_that_is_told_and_refuses_nothing_says_so() -> None:
    by_severity = {row["severity"]: row["refuses"] for row in ROWS["findings"]}
    assert by_severity == {"error": 1, "warning": 0}


def test_the_snapshot_changes_with_any_value_and_not_with_order() -> None:
    name = snapshot_of(ROWS)
    assert name == snapshot_of(rows_of(Content(CONTENT.boards[::-1])))
    changed = {**ROWS, "runs": [{**ROWS["runs"][0], "samples": 1}, *ROWS["runs"][1:]]}
    assert snapshot_of(changed) != name
