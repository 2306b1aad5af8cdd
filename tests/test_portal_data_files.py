"""Downloads: files with one content, nothing that a spreadsheet would run."""

import csv
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from portal_example import HOSTILE, example, published, system, training_run

from portal.boards import make_boards
from portal.content import Content
from portal.data_files import write_data
from portal.data_schema import TABLES, VIEWS
from portal.listing import list_results
from portal.measured import measure


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "data"
    write_data(folder.parent, Content(tuple(make_boards(list_results(example())))))
    return folder


def test_the_three_files_agree(data: Path) -> None:
    from_json = json.loads((data / "results.json").read_text("utf-8"))
    with closing(sqlite3.connect(data / "results.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        for table in TABLES:
            names = [name for name, _, _ in table.columns]
            rows = connection.execute(f"select * from {table.name}").fetchall()
            assert [dict(row) for row in rows] == from_json[table.name]
            assert all(list(row) == names for row in from_json[table.name])
    with (data / "results.csv").open(newline="", encoding="utf-8") as stream:
        from_csv = list(csv.DictReader(stream))
    assert [row["id"] for row in from_csv] == [row["id"] for row in from_json["results"]]
    assert len(from_csv) == 14


def test_the_snapshot_names_the_content_and_changes_with_it(data: Path, tmp_path: Path) -> None:
    found = json.loads((data / "results.json").read_text("utf-8"))
    snapshot = found.pop("snapshot")
    told = json.dumps(found, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(told.encode()).hexdigest().startswith(snapshot)
    assert len(snapshot) == 16
    assert f"<code>{snapshot}</code>" in (data / "index.html").read_text("utf-8")
    write_data(tmp_path, Content(tuple(make_boards(list_results(example()[:2])))))
    other = json.loads((tmp_path / "data/results.json").read_text("utf-8"))
    assert other["snapshot"] != snapshot


def test_the_page_tells_of_every_file_table_column_and_view(data: Path) -> None:
    page = (data / "index.html").read_text("utf-8")
    for path in data.iterdir():
        assert path.name == "index.html" or f'href="{path.name}" download' in page
    for name in [table.name for table in TABLES] + [view.name for view in VIEWS]:
        assert f"<code>{name}</code>" in page
    for table in TABLES:
        assert all(f'<th scope="row">{name}</th>' in page for name, _, _ in table.columns)


def test_values_are_in_si_units(data: Path) -> None:
    results = json.loads((data / "results.json").read_text("utf-8"))["results"]
    laptop = next(r for r in results if r["scenario"] == "single_stream" and r["rank"] == 2)
    assert laptop["unit"] == "s"
    assert 0.001 < laptop["value"] < 0.002


def test_energy_and_cost_are_those_of_the_rules(data: Path) -> None:
    results = json.loads((data / "results.json").read_text("utf-8"))["results"]
    by_id = {row["id"]: row for row in results}
    measured = [found for found in map(measure, list_results(example())) if found]
    listings = [listing for listing in list_results(example()) if measure(listing)]
    assert any(found.energies for found in measured)
    assert any(found.cost for found in measured)
    for listing, found in zip(listings, measured, strict=True):
        row = by_id[listing.id]
        assert row["work"] == found.unit
        widest = found.energies[-1] if found.energies else None
        assert row["energy_j"] == (widest.joules if widest else None)
        assert row["energy_boundary"] == (widest.boundary if widest else None)
        assert (row["cost"] is None) == (found.cost is None)
        assert row["cost"] is None or row["cost"] * found.per[0] == pytest.approx(found.cost)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_formulas_are_defused_in_csv_alone(name: str, tmp_path: Path) -> None:
    entry = published(system(name, HOSTILE), [training_run(n, 8.0 + n) for n in (1, 2, 3)])
    write_data(tmp_path, Content(tuple(make_boards(list_results([entry])))))
    with (tmp_path / "data/results.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert row["system"] == f"'{name}"
    assert row["organisation"] == HOSTILE
    in_json = json.loads((tmp_path / "data/results.json").read_text("utf-8"))
    assert in_json["results"][0]["system"] == name
