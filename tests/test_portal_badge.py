"""Badges: pictures whose words say how far a number may be trusted."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from portal_example import HOSTILE, example

from portal.badge import badge, badge_address, width, write_badges
from portal.boards import make_boards
from portal.content import Content
from portal.listing import Listing, list_results

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shown() -> Content:
    return Content(tuple(make_boards(list_results(example()))))


@pytest.fixture(scope="module")
def site(shown: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    write_badges(site, shown)
    return site


def named(listing: Listing, name: str) -> Listing:
    system = listing.published.system
    assert system.declared is not None
    declared = system.declared.model_copy(update={"name": name})
    submission = listing.published.bundle.submission
    changed = replace(submission, system=system.model_copy(update={"declared": declared}))
    bundle = replace(listing.published.bundle, submission=changed)
    return replace(listing, published=replace(listing.published, bundle=bundle))


def test_every_badge_is_xml_with_a_title_and_words_of_its_status(
    site: Path, shown: Content
) -> None:
    for listing in shown.listings:
        root = ElementTree.parse(site / badge_address(listing)).getroot()
        title, said = root.findtext(f"{SVG}title"), badge(listing)
        assert title is not None
        assert said.status in title
        assert root.get("role") == "img"
        texts = [text.text for text in root.iter(f"{SVG}text")]
        assert texts == [said.system, said.benchmark, said.score, said.status]


def test_an_accepted_result_has_its_number_rank_and_level(shown: Content) -> None:
    best = next(each for each in shown.listings if each.rank == 1 and not each.warnings)
    said = badge(best)
    assert said.score == str(best.score)
    assert said.status == "rank 1, L1 signed"
    assert said.stands


def test_a_refused_result_and_practice_have_no_number_and_look_so(
    site: Path, shown: Content
) -> None:
    refused = next(each for each in shown.listings if each.errors)
    practice = next(each for each in shown.listings if not each.rankable)
    for listing, word in ((refused, "refused"), (practice, "practice")):
        text = (site / badge_address(listing)).read_text("utf-8")
        assert badge(listing).score == word
        assert str(listing.score) not in text
        assert "not to be quoted" in text
        assert "stroke-dasharray" in text


def test_a_warning_is_counted_and_an_unsigned_bundle_is_never_green(shown: Content) -> None:
    warned = next(each for each in shown.listings if each.warnings and each.accepted)
    plain = next(each for each in shown.listings if each.rank and not each.warnings)
    unsigned = replace(plain, published=replace(plain.published, verification=None))
    assert badge(warned).status.endswith("1 warned")
    assert "L0 unsigned" in badge(unsigned).status
    assert len({badge(one).colour for one in (warned, unsigned)}) == 1
    assert badge(plain).colour != badge(unsigned).colour


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "\u202eabc", "a\x00b\x1b[31m", "\ufffe", "x" * 5_000, "שרת מהיר", "服务器", ""],
)
def test_no_name_breaks_a_badge(shown: Content, tmp_path: Path, name: str) -> None:
    listing = named(shown.listings[0], name)
    board = replace(shown.boards[0], ranked=(listing,), refused=())
    write_badges(tmp_path, Content((board,)))
    text = (tmp_path / badge_address(listing)).read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert int(root.get("width", "0")) < 800
    assert {child.tag for child in root.iter()} <= {
        SVG + tag
        for tag in ("svg", "title", "desc", "clipPath", "rect", "g", "path", "circle", "text")
    }
    assert not {"\u202e", "\x00", "\x1b", "\ufffe"} & set(text)


def test_widths_follow_the_letters() -> None:
    assert width("iiii", 12) < width("aaaa", 12) < width("MMMM", 12) <= width("服务服务", 12)
    assert width("e\u0301", 12) == width("é", 12)
    assert width("", 12) == 0
