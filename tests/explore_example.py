"""A table of as many results as a test likes, multiplied from the example."""

from functools import cache
from pathlib import Path
from shutil import copytree

from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.data_rows import Row, rows_of
from portal.explore_columns import Titles
from portal.explore_page import write_table
from portal.listing import list_results
from portal.rendering import STATIC

SNAPSHOT = "0123456789abcdef"
TITLES = Titles(
    rounds={"2026.1": "Round 2026.1", "practice": "Practice"},
    workloads={"image_classification": "Image classification"},
)


@cache
def few() -> tuple[Row, ...]:
    """The results of the example."""
    return tuple(rows_of(Content(tuple(make_boards(list_results(example())))))["results"])


def many(count: int) -> list[Row]:
    """``count`` results of 100 systems and 30 organisations, no two alike."""
    return [_copy(few()[number % len(few())], number) for number in range(count)]


def _copy(row: Row, number: int) -> Row:
    return {
        **row,
        "id": f"{number:020d}-{row['workload']}-{row['scenario']}",
        "bundle": f"{number:020d}",
        "system": f"{row['system']} {number % 100}",
        "organisation": f"{row['organisation']} {number % 30}",
        "value": None if row["value"] is None else row["value"] * (1 + number * 7919 % 1000 / 1000),
        "page": f"x/{number:020d}-{row['workload']}-{row['scenario']}/index.html",
    }


def write(folder: Path, rows: list[Row]) -> Path:
    """A site of that table alone, and the table's page in it."""
    copytree(STATIC, folder / "static")
    write_table(folder, rows, SNAPSHOT, TITLES)
    return folder / "explore/index.html"
