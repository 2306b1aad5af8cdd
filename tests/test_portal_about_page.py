"""What the site says of itself."""

from pathlib import Path

from portal_example import example

from portal.about_page import levels, write_about
from portal.boards import make_boards
from portal.content import Content
from portal.listing import list_results
from portal.replications import LEVELS
from portal.snapshot import snapshot


def test_every_level_is_explained_and_counted(tmp_path: Path) -> None:
    shown = Content(tuple(make_boards(list_results(example()))))
    write_about(tmp_path, shown)
    text = (tmp_path / "about/index.html").read_text("utf-8")
    for title in LEVELS.values():
        assert f'<th scope="row">{title}</th>' in text
    assert sum(level.held for level in levels(shown.listings)) == len(shown.listings)
    assert snapshot(shown) in text


def test_an_empty_site_is_described_too(tmp_path: Path) -> None:
    write_about(tmp_path, Content(()))
    assert "It holds 0 results from 0 organisations." in (tmp_path / "about/index.html").read_text(
        "utf-8"
    )
