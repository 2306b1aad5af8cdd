"""The portal's example with more results to compare, and the page that compares alone."""

import shutil
from pathlib import Path

from portal_example import PRICE, all_scenarios, example, published, system, training_run

from harness.records import Scenario
from portal.boards import make_boards
from portal.compare_page import write_compare
from portal.content import Content
from portal.listing import Published, list_results
from portal.rendering import STATIC


def _more() -> list[Published]:
    near = system("Workstation 9950X", "Hooli", price=PRICE)
    few = [training_run(n, 7.0 + n / 10) for n in (1, 2, 3)]
    far = system("<b>Überrechner</b> " * 12, "شركة المثال")
    return [
        published(near, all_scenarios(1.02, 225.0), round_name="2026.1", submitter="hooli"),
        published(far, few, round_name="2026.1", submitter="far"),
    ]


ENTRIES = example() + _more()
CONTENT = Content(tuple(make_boards(list_results(ENTRIES))))
TRAININGS = [
    one
    for one in CONTENT.listings
    if one.entry.result.scenario is Scenario.TRAIN and one.rankable and one.accepted
]
REFUSED = next(
    one for one in CONTENT.listings if one.errors and one.entry.result.scenario is Scenario.TRAIN
)
OFFLINE = [one for one in CONTENT.listings if one.entry.result.scenario is Scenario.OFFLINE]


def write_page_alone(site: Path) -> Path:
    """The page, its data and the scripts, without the rest of a site."""
    shutil.copytree(STATIC, site / "static")
    write_compare(site, CONTENT)
    return site
