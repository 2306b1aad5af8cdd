"""The feed: valid Atom whose dates and ids are the results' own."""

import re
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from portal_example import HOSTILE, example, published, system, training_run

from portal.boards import make_boards
from portal.content import Content
from portal.feed import NEWEST, write_feed
from portal.listing import Published, list_results

ATOM = "{http://www.w3.org/2005/Atom}"


def _feed(folder: Path, entries: list[Published]) -> ElementTree.Element:
    write_feed(folder, Content(tuple(make_boards(list_results(entries)))))
    return ElementTree.parse(folder / "data/changes.atom").getroot()


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.findtext(path.replace("/", f"/{ATOM}").join((ATOM, "")))
    assert found, path
    return found


def test_it_has_what_atom_asks_for(tmp_path: Path) -> None:
    feed = _feed(tmp_path, example())
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 14
    for each in (feed, *entries):
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", _text(each, "id"))
        assert _text(each, "title")
        assert _text(each, "author/name")
        assert datetime.fromisoformat(_text(each, "updated")).tzinfo
    ids = [_text(each, "id") for each in (feed, *entries)]
    assert len(set(ids)) == len(ids)
    assert all(_text(entry, "summary") for entry in entries)


def test_the_newest_run_leads_and_dates_the_feed(tmp_path: Path) -> None:
    feed = _feed(tmp_path, example())
    dates = [_text(entry, "updated") for entry in feed.findall(f"{ATOM}entry")]
    assert dates == sorted(dates, reverse=True)
    assert _text(feed, "updated") == dates[0] == "2026-09-21T14:18:20+00:00"


def test_an_entry_leads_to_its_result(tmp_path: Path) -> None:
    addresses = {listing.address for listing in list_results(example())}
    links = {
        link.attrib["href"]
        for link in _feed(tmp_path, example()).findall(f"{ATOM}entry/{ATOM}link")
    }
    assert links == {f"../{address}" for address in addresses}


def test_ids_stay_when_other_results_come(tmp_path: Path) -> None:
    few = _feed(tmp_path / "few", example()[:1])
    many = _feed(tmp_path / "many", example())
    ours, theirs = (
        {_text(entry, "title"): _text(entry, "id") for entry in feed.findall(f"{ATOM}entry")}
        for feed in (few, many)
    )
    assert set(ours.values()) <= set(theirs.values())


@pytest.mark.parametrize("name", [HOSTILE, "a\x00b\x0bc", "]]>", "&amp;"])
def test_hostile_names_are_text(name: str, tmp_path: Path) -> None:
    one = published(system(name, name), [training_run(n, 8.0 + n) for n in (1, 2, 3)])
    (entry,) = _feed(tmp_path, [one]).findall(f"{ATOM}entry")
    shown = re.sub("[\x00-\x08\x0b]", "\N{REPLACEMENT CHARACTER}", name)
    assert _text(entry, "author/name") == shown
    assert _text(entry, "title").startswith(f"{shown}: ")


def test_it_holds_the_newest_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert NEWEST >= 100
    monkeypatch.setattr("portal.feed.NEWEST", 3)
    assert len(_feed(tmp_path, example()).findall(f"{ATOM}entry")) == 3


def test_without_results_it_is_still_a_feed(tmp_path: Path) -> None:
    assert _text(_feed(tmp_path, []), "updated") == "1970-01-01T00:00:00+00:00"
