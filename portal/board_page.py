"""The page of a leaderboard."""

from pathlib import Path

from harness.records import HIGHER_IS_BETTER
from portal.board_view import board_view
from portal.boards import Board
from portal.compare_page import compare_address
from portal.content import Content
from portal.identity import Identities, identities_of
from portal.margins import margins
from portal.rendering import write_page
from portal.result_list import SHOWN
from portal.strips import make_strips

_PART = 25
"""Rows of one table of a long ranking: a browser need not lay out those that nobody looks at."""


def write_boards(site: Path, content: Content) -> None:
    """Write the page of every leaderboard."""
    looks = identities_of(content)
    for board in content.boards:
        _write_board(site, board, looks)


def _write_board(site: Path, board: Board, looks: Identities) -> None:
    shown = board.ranked[:SHOWN]
    strips, found = make_strips(shown), margins(shown)
    write_page(
        site,
        board.address,
        "leaderboard.html",
        board=board,
        shown=shown,
        part_rows=_PART,
        shared=board.any,
        higher_is_better=HIGHER_IS_BETTER[board.any.entry.result.metric],
        strips=strips,
        view=board_view(board.ranked, looks),
        margins=found,
        compare=compare_address(board.ranked),
        without_luck=any(each.without_luck for each in found.values()),
        crumbs=((f"{board.any.workload_title}: {board.any.scenario_title.lower()}", ""),),
    )
