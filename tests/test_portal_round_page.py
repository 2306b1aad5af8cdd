"""A round's page: every system by every benchmark."""

from dataclasses import replace
from pathlib import Path

import pytest
from portal_example import HOSTILE, all_scenarios, example, published, system

from portal.boards import make_boards
from portal.content import Content
from portal.listing import Published, list_results
from portal.round_page import SHOWN_SYSTEMS, boards_by_round, dates, matrix, write_rounds


def content(entries: list[Published]) -> Content:
    return Content(tuple(make_boards(list_results(entries))))


@pytest.fixture(scope="module")
def shown() -> Content:
    return content(example())


@pytest.fixture(scope="module")
def page(shown: Content, tmp_path_factory: pytest.TempPathFactory) -> str:
    site = tmp_path_factory.mktemp("site")
    write_rounds(site, shown)
    return (site / "r/2026.1/index.html").read_text("utf-8")


def test_every_result_of_the_round_is_in_one_cell(shown: Content) -> None:
    boards = boards_by_round(shown)["2026.1"]
    cells = [listing for row in matrix(boards) for cell in row.cells for listing in cell]
    assert sorted(each.id for each in cells) == sorted(
        each.id for each in shown.listings if each.round.name == "2026.1"
    )
    for row in matrix(boards):
        for board, cell in zip(boards, row.cells, strict=True):
            assert {listing.board_address for listing in cell} <= {board.address}


def test_systems_with_most_results_come_first(shown: Content) -> None:
    rows = matrix(boards_by_round(shown)["2026.1"])
    assert next(row.any.system_name for row in rows) == "Laptop 7840U"


def test_one_name_of_two_organisations_is_two_rows() -> None:
    two = [
        published(system("Box", maker), all_scenarios(1.0), round_name="2026.1")
        for maker in ("Acme", "Initech")
    ]
    assert len(matrix(boards_by_round(content(two))["2026.1"])) == 2


def test_a_score_has_its_rank_and_leads_to_its_result(page: str, shown: Content) -> None:
    best = next(each for each in shown.listings if each.rank == 1)
    link = f'<a class="num" href="../../{best.address}">{best.score}</a>'
    assert f"{link}<br><small>rank 1</small>" in page


def test_a_refused_result_shows_no_number(page: str, shown: Content) -> None:
    refused = next(each for each in shown.listings if each.errors)
    after = page.partition(f'href="../../{refused.address}">')[2]
    assert after.startswith('<span class="tag bad"><span aria-hidden="true">✕</span> refused')


def test_the_terms_and_dates_are_the_rounds(page: str) -> None:
    assert "21 September 2026" in page
    assert "at least 99.0 % of the reference’s" in page
    assert "60 s and 24576 samples" in page.replace("24,576", "24576")
    assert '<td class="num">5; the 1 fastest and 1 slowest dropped</td>' in page


def test_no_runs_have_no_dates(shown: Content) -> None:
    one = shown.listings[0]
    assert dates([replace(one, entry=replace(one.entry, runs=()))]) == ""


def test_practice_says_that_it_is_not_rankable(shown: Content, tmp_path: Path) -> None:
    write_rounds(tmp_path, shown)
    text = (tmp_path / "r/practice/index.html").read_text("utf-8")
    assert "practice: not rankable" in text
    assert "rank 1" not in text
    assert HOSTILE not in text


def test_of_many_systems_the_first_are_shown_and_the_rest_told(
    shown: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SHOWN_SYSTEMS == 300
    monkeypatch.setattr("portal.round_page.SHOWN_SYSTEMS", 1)
    write_rounds(tmp_path, shown)
    text = (tmp_path / "r/2026.1/index.html").read_text("utf-8")
    assert "The 1 systems with most results are shown, of 2" in text
    assert "Rack server" not in text.partition("</table>")[0]
