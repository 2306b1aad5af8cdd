"""The page of all results and its data, without a browser."""

import gzip
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from explore_example import few, many, write
from portal_example import HOSTILE, example

from portal.boards import make_boards
from portal.content import Content
from portal.data_files import write_data
from portal.data_schema import STATUSES
from portal.explore_page import DRAWN, write_explore
from portal.listing import list_results


def _data(page: Path) -> dict[str, Any]:
    told = page.with_name("results.js").read_text("ascii")
    assert told.startswith("levelfieldResults(")
    found: dict[str, Any] = json.loads(told.removeprefix("levelfieldResults(").removesuffix(");\n"))
    return found


def test_it_holds_what_the_data_hold_and_their_snapshot(tmp_path: Path) -> None:
    content = Content(tuple(make_boards(list_results(example()))))
    write_data(tmp_path, content)
    write_explore(tmp_path, content)
    results = json.loads((tmp_path / "data/results.json").read_text("utf-8"))
    data = _data(tmp_path / "explore/index.html")
    assert data["snapshot"] == results["snapshot"]
    assert sorted(data["ids"]) == [row["id"] for row in results["results"]]
    page = (tmp_path / "explore/index.html").read_text("utf-8")
    assert f"<code>{data['snapshot']}</code>" in page
    assert "Image classification" in page


def test_each_column_tells_each_row(tmp_path: Path) -> None:
    data = _data(write(tmp_path, list(few())))
    by_id = {row["id"]: row for row in few()}
    for column in data["columns"]:
        assert len(column["codes"]) == len(data["ids"])
        assert set(column["codes"]) == set(range(len(column["texts"])))
        for at, name in enumerate(data["ids"]):
            if column["name"] in ("started", "trust"):
                continue
            held = column["numbers"][at] if "numbers" in column else None
            held = column["values"][column["codes"][at]] if "values" in column else held
            assert held == by_id[name][column["name"]]


def test_the_first_rows_are_in_the_page_with_links_and_statuses(tmp_path: Path) -> None:
    page = write(tmp_path, many(DRAWN + 50))
    text, data = page.read_text("utf-8"), _data(page)
    links = re.findall(r'<a href="\.\./x/([^/]*)/index\.html"', text)
    assert links == data["ids"][:DRAWN]
    assert text.count('<span class="tag') == DRAWN
    assert STATUSES["refused"][2] in text
    assert f"you see the first {DRAWN} of {DRAWN + 50} results" in text


def test_leaderboards_follow_each_other_best_first(tmp_path: Path) -> None:
    rows = {row["id"]: row for row in few()}
    ordered = [rows[name] for name in _data(write(tmp_path, list(few())))["ids"]]
    assert [row["round"] for row in ordered][-1] == "practice"
    for row, following in pairwise(ordered):
        same = row["round"] == following["round"] and row["scenario"] == following["scenario"]
        if same and following["errors"] == 0:
            assert row["errors"] == 0
            better = row["value"] >= following["value"]
            assert better == bool(row["higher_is_better"]) or row["value"] == following["value"]


def test_what_is_not_stated_has_the_last_code(tmp_path: Path) -> None:
    columns = {column["name"]: column for column in _data(write(tmp_path, list(few())))["columns"]}
    assert columns["precision"]["values"] == ["fp32", "int8", None]
    assert columns["precision"]["texts"][-1] == "not stated"


def test_hostile_names_are_text(tmp_path: Path) -> None:
    page = write(tmp_path, list(few()))
    assert "<script>alert" not in page.read_text("utf-8")
    assert HOSTILE in _data(page)["columns"][0]["values"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    ours, theirs = write(tmp_path / "a", many(300)), write(tmp_path / "b", many(300)[::-1])
    assert ours.read_bytes() == theirs.read_bytes()
    assert ours.with_name("results.js").read_bytes() == theirs.with_name("results.js").read_bytes()


def test_no_results_make_an_empty_table(tmp_path: Path) -> None:
    assert "No results have been published yet." in write(tmp_path, []).read_text("utf-8")


@pytest.mark.parametrize("count", [1, 10_000])
def test_the_page_stays_within_its_budget(tmp_path: Path, count: int) -> None:
    page = write(tmp_path, many(count))
    linked = re.findall(r'(?:src|href)="(?:\.\./)(static/[^"]+)"', page.read_text("utf-8"))
    assert {"static/explore.js", "static/explore.css", "static/site.css"} <= set(linked)
    files = [page, *(tmp_path / name for name in linked)]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 150_000
