"""The page on which a result is quoted."""

import html
import re
from pathlib import Path

import pytest
from portal_example import HOSTILE, example

from portal.boards import make_boards
from portal.cite_page import SITE, cite_address, write_cites
from portal.content import Content
from portal.listing import Listing, list_results
from portal.rendering import pages_are_private
from portal.snapshot import snapshot


@pytest.fixture(scope="module")
def shown() -> Content:
    return Content(tuple(make_boards(list_results(example()))))


@pytest.fixture(scope="module")
def site(shown: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    write_cites(site, shown)
    return site


def texts(site: Path, listing: Listing) -> list[str]:
    page = (site / cite_address(listing)).read_text("utf-8")
    return [
        html.unescape(text) for text in re.findall(r'<code dir="auto">(.*?)</code>', page, re.S)
    ]


def test_every_text_leads_back_and_names_the_data(site: Path, shown: Content) -> None:
    best = next(each for each in shown.listings if each.rank == 1)
    sentence, entry, markup, markdown = texts(site, best)
    for text in (sentence, entry, markup, markdown):
        assert SITE + best.address in text
    for text in (sentence, entry):
        assert snapshot(shown) in text
    assert f'src="{SITE}badge/{best.id}.svg"' in markup
    assert f"]({SITE}badge/{best.id}.svg)]" in markdown


def test_what_must_not_be_quoted_has_nothing_to_copy(site: Path, shown: Content) -> None:
    held_back = [each for each in shown.listings if each.errors or not each.rankable]
    assert len(held_back) == 3
    for listing in held_back:
        assert texts(site, listing) == []
        assert "Not to be quoted." in (site / cite_address(listing)).read_text("utf-8")


def test_a_private_preview_has_nothing_to_copy(shown: Content, tmp_path: Path) -> None:
    with pages_are_private(True):
        write_cites(tmp_path, shown)
    assert not any(texts(tmp_path, listing) for listing in shown.listings)


def test_hostile_names_are_text(site: Path) -> None:
    assert all(HOSTILE not in path.read_text("utf-8") for path in site.rglob("*.html"))
