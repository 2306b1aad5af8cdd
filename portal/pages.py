"""Every kind of page that is of more than one result: the site is these and the results' own."""

from collections.abc import Callable
from pathlib import Path

from portal.board_page import write_boards
from portal.content import Content
from portal.data_files import write_data
from portal.home_page import write_home

WRITERS: tuple[Callable[[Path, Content], None], ...] = (
    write_home,
    write_boards,
    write_data,
)
"""Each writes its files below the site's folder."""
