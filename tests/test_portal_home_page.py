"""The front page."""

from pathlib import Path

import pytest
from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.home_page import SHOWN_BUNDLES, write_home
from portal.listing import list_results
from portal.slugs import round_address


@pytest.fixture(scope="module")
def shown() -> Content:
    return Content(tuple(make_boards(list_results(example()))))


def home(site: Path, content: Content) -> str:
    write_home(site, content)
    return (site / "index.html").read_text("utf-8")


def test_it_says_what_is_there_and_leads_to_every_round(shown: Content, tmp_path: Path) -> None:
    text = home(tmp_path, shown)
    assert "14 results from 3 organisations" in text
    for name in ("2026.1", "practice"):
        assert f'href="{round_address(name)}"' in text
    for door in ("#leaderboards", "o/index.html", "review/index.html", "verify/index.html"):
        assert f'href="{door}"' in text
    assert 'id="leaderboards"' in text


def test_of_many_bundles_the_newest_are_shown(
    shown: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SHOWN_BUNDLES == 20
    assert "are shown, of" not in home(tmp_path, shown)
    monkeypatch.setattr("portal.home_page.SHOWN_BUNDLES", 2)
    text = home(tmp_path, shown)
    assert "The newest 2 are shown, of 6" in text
    assert text.count('<th scope="row"><code>') == 2


def test_an_empty_site_has_the_same_doors(tmp_path: Path) -> None:
    text = home(tmp_path, Content(()))
    assert "No results have been published yet." in text
    assert 'id="leaderboards"' in text
