"""Every kind of page that is of more than one result: the site is these and the results' own."""

from collections.abc import Callable
from pathlib import Path

from portal.board_page import write_boards
from portal.content import Content
from portal.data_files import write_data
from portal.home_page import write_home
from portal.organisation_page import write_organisations
from portal.round_page import write_rounds
from portal.system_page import write_systems

WRITERS: tuple[Callable[[Path, Content], None], ...] = (
    write_home,
    write_rounds,
    write_boards,
    write_organisations,
    write_systems,
    write_data,
)
"""Each writes its files below the site's folder."""
