"""The example questions: each is asked, and answered right."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.data_queries import QUERIES
from portal.data_rows import rows_of
from portal.data_sqlite import write_sqlite
from portal.listing import list_results

ROWS = rows_of(Content(tuple(make_boards(list_results(example())))))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    path: Path = tmp_path_factory.mktemp("queries") / "results.sqlite"
    write_sqlite(path, ROWS)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {one.name: [dict(row) for row in connection.execute(one.sql)] for one in QUERIES}


def test_every_question_has_an_answer(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers.keys() == {query.name for query in QUERIES}
    assert all(answers.values())


def test_the_answers_are_right(answers: dict[str, list[dict[str, Any]]]) -> None:
    fastest = answers["fastest_training"]
    assert [row["system"] for row in fastest] == [
        "Rack server with two sockets",
        "Laptop 7840U",
    ]
    energies = [row["energy_j"] for row in answers["least_energy"] if row["scenario"] == "train"]
    assert energies == sorted(energies)
    assert len(energies) == 2
    spread = [row["most"] / row["least"] for row in answers["spread_of_runs"]]
    assert spread == sorted(spread, reverse=True)
    assert min(spread) > 1
    assert {row["rule"] for row in answers["why_refused"]} == {"TRAIN-3", "AUDIT-4"}
