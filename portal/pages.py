"""Every kind of page that is of more than one result: the site is these and the results' own."""

from collections.abc import Callable
from pathlib import Path

from portal.about_page import write_about
from portal.badge import write_badges
from portal.board_page import write_boards
from portal.cite_page import write_cites
from portal.compare_page import write_compare
from portal.content import Content
from portal.data_files import write_data
from portal.errata_page import write_errata
from portal.explore_page import write_explore
from portal.home_page import write_home
from portal.keys_page import write_keys
from portal.organisation_page import write_organisations
from portal.review_page import write_review
from portal.round_log_page import write_round_logs
from portal.round_page import write_rounds
from portal.rules_page import write_rules
from portal.system_page import write_systems
from portal.thread_page import write_threads
from portal.trends_page import write_trends
from portal.verify_page import write_verify


def _write_tables(site: Path, content: Content) -> None:
    """The data, and the page that shows what their files hold."""
    write_data(site, content)
    write_explore(site, content)


WRITERS: tuple[Callable[[Path, Content], None], ...] = (
    write_boards,
    write_cites,
    write_compare,
    _write_tables,
    write_verify,
    write_badges,
    write_home,
    write_rounds,
    write_organisations,
    write_systems,
    write_trends,
    write_about,
    write_rules,
    write_review,
    write_threads,
    write_round_logs,
    write_keys,
    write_errata,
)
"""Each writes its own files below the site's folder, in whatever order; the longest first."""
