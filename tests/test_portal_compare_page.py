"""Results side by side: a small file of each, an index of all, and the ways that lead there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from compare_example import CONTENT, OFFLINE, REFUSED, TRAININGS, write_page_alone

from portal.board_page import write_boards
from portal.compare_page import compare_address
from portal.result_page import write_result


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page_alone(tmp_path_factory.mktemp("compare") / "site")


def _files(site: Path) -> dict[str, dict[str, Any]]:
    files = sorted((site / "compare" / "data").iterdir())
    return {path.stem: _argument(path, "levelfieldResult") for path in files}


def _argument(path: Path, function: str) -> Any:
    """What a script hands to ``function``, the only thing that it does."""
    found = re.fullmatch(rf"{function}\((.*)\);\n", path.read_text("ascii"))
    assert found, path
    return json.loads(found[1])


# --- files ----------------------------------------------------------------------------------------


def test_every_result_has_a_small_file_and_stands_in_the_index(site: Path) -> None:
    files = _files(site)
    index = _argument(site / "compare" / "index-data.js", "levelfieldIndex")
    assert [one["id"] for one in index] == [one.id for one in CONTENT.listings]
    assert set(files) == set(CONTENT.by_id)
    assert all(record["id"] == name for name, record in files.items())
    sizes = [path.stat().st_size for path in (site / "compare" / "data").iterdir()]
    assert max(sizes) < 6_000


def test_a_file_holds_what_the_tests_ask_and_no_more_than_the_runs_give(site: Path) -> None:
    files = _files(site)
    train, offline = files[TRAININGS[0].id], files[OFFLINE[0].id]
    assert len(train["estimate"]["runs"]) == len(train["runs"]) == 5
    assert train["speed"]["estimate"]["freedom"] == 4
    assert offline["estimate"] is offline["speed"] is offline["interval"] is None
    assert (offline["training"], len(offline["runs"])) == (False, 1)


def test_a_lost_run_is_counted_and_no_infinity_is_written(site: Path) -> None:
    record = _files(site)[REFUSED.id]
    assert record["lost"] == 1
    assert len(record["runs"]) == 2


def test_leaderboards_and_results_lead_here(tmp_path: Path) -> None:
    write_boards(tmp_path, CONTENT)
    board = (tmp_path / TRAININGS[0].board_address).read_text("utf-8")
    assert compare_address(TRAININGS).replace("&", "&amp;") in board
    practice = next(one for one in CONTENT.listings if not one.rankable)
    assert "compare/index.html?" not in (tmp_path / practice.board_address).read_text("utf-8")
    write_result(tmp_path, TRAININGS[0])
    result = (tmp_path / TRAININGS[0].address).read_text("utf-8")
    assert f'href="../../compare/index.html?a={TRAININGS[0].id}"' in result


def test_an_address_has_two_to_six() -> None:
    assert compare_address(TRAININGS[:1]) == ""
    assert compare_address(CONTENT.listings).count("=") == 6


def test_same_results_same_bytes(site: Path, tmp_path: Path) -> None:
    again = write_page_alone(tmp_path / "site")
    for path in (site / "compare").rglob("*.*"):
        assert path.read_bytes() == (again / path.relative_to(site)).read_bytes()
