"""Rounds under review: the board and the work list, and how they behave in a browser."""

import re
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from chromium import in_chromium
from playwright.sync_api import Browser
from portal_example import example
from review_logs import A, Book
from review_site import busy_book, round_review, round_said
from test_portal_site import pages

from portal.content import Content
from portal.review_page import STATES, write_review
from portal.round_review import RoundReview
from portal.site import publish
from submissions.review.case import Missing
from submissions.review.status import State

OWN = ("review", "log", "keys", "errata", "rules")


def board(site: Path, *reviews: RoundReview) -> str:
    write_review(site, Content((), reviews))
    return (site / "review/index.html").read_text("utf-8")


def test_every_state_has_an_icon_of_its_own_words() -> None:
    assert set(STATES) == set(State)
    assert all(icon for _, icon in STATES.values())


def test_a_card_says_why_and_what_would_raise_it(tmp_path: Path) -> None:
    text = board(tmp_path, round_said(Book().accepted()))
    assert "Why: checked and reviewed; the chair has not published it." in text
    assert "A replication by another organisation that comes out equal" in text
    assert f'href="../review/2026.1/{A}/index.html"><code>{A}</code>' in text
    assert 'data-whose="acme chair lab uni"' in text


def test_states_stand_beside_each_other_only_while_they_are_short(tmp_path: Path) -> None:
    book = Book()
    assert 'class="board beside"' in board(tmp_path, round_said(book))
    first = book.entries[0]
    many = Book()
    many.entries[:] = [
        replace(
            first,
            index=n,
            bundle=letter * 20,
            envelope=f"{n:064x}",
            content=replace(first.content, nonce=f"{n:032x}"),  # type: ignore[type-var]
        )
        for n, letter in enumerate("abcde")
    ]
    assert 'class="board beside"' not in board(tmp_path, round_said(many))


def test_where_nothing_can_be_told_it_says_so(tmp_path: Path) -> None:
    book = Book()
    book.say("lab", Missing("events/x: missing"))
    text = board(tmp_path, replace(round_said(book), entries=None))
    assert "Where bundles stand cannot be told." in text
    assert "entry 1 is missing: events/x: missing" in text
    assert "Nothing waits." in text


def test_entries_about_no_bundle_are_told(tmp_path: Path) -> None:
    book = Book()
    book.event("lab", "review-done", "u" * 20)
    assert f"no bundle {'u' * 20} has been submitted" in board(tmp_path, round_said(book))


def test_without_a_round_it_says_so(tmp_path: Path) -> None:
    assert "No round’s log was published here" in board(tmp_path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, held = tmp_path_factory.mktemp("review"), example()
    review = round_review(folder / "round", busy_book(held))
    stand = [replace(one, standing=review.statuses.get(one.bundle.id)) for one in held]
    return publish(stand, folder / "site", [review]).parent


def own_pages(site: Path) -> list[Path]:
    return sorted(path for name in OWN for path in (site / name).rglob("*.html"))


def _kinds(site: Path) -> list[Path]:
    """One page of each kind; of threads the one with an answered objection and hostile words."""
    words = "The run stopped early"
    thread = next(p for p in site.glob("review/*/*/index.html") if words in p.read_text("utf-8"))
    return [*(site / name / "index.html" for name in OWN), site / "log/2026.1/index.html", thread]


def test_links_resolve_and_pages_are_whole(site: Path) -> None:
    every = pages(site)
    for path in own_pages(site):
        page = every[path]
        assert page.tags.count("h1") == 1, path
        assert len(page.ids) == len(set(page.ids)), path
        text = path.read_text("utf-8")
        assert re.findall(r"<script(?![^>]*src=)", text) == [], path
        html5lib.HTMLParser(strict=True).parse(text)
        for link in page.links:
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_file(), f"{path}: {link}"
            assert not anchor or anchor in every[target].ids, f"{path}: {link}"


def test_findings_of_results_lead_to_their_rules(site: Path) -> None:
    found = [path for path in site.glob("x/*/index.html") if "#TRAIN-3" in path.read_text("utf-8")]
    assert 'href="../../rules/index.html#TRAIN-3"' in found[0].read_text("utf-8")


def test_a_result_leads_to_its_review_where_there_is_one(site: Path) -> None:
    threads = {path.parent.name for path in site.glob("review/*/*/index.html")}
    led = 0
    for path in site.glob("x/*/index.html"):
        reviewed = path.parent.name.partition("-")[0] in threads
        assert ("Read its review" in path.read_text("utf-8")) == reviewed, path
        led += reviewed
    assert led == 10


@in_chromium
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (2560, "dark")])
def test_pages_are_quiet_and_within_the_width(
    site: Path, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in _kinds(site):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert complaints == []
    context.close()


@in_chromium
def test_the_filter_shows_what_waits_for_one_organisation(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    address = (site / "review/index.html").as_uri()
    page.goto(address)
    rows = page.locator("table.tasks tbody tr:visible")
    everything = rows.count()
    page.select_option("#whose", "uni")
    assert 0 < rows.count() < everything
    assert f"{rows.count()} of {everything} tasks wait for uni" in page.inner_text("[role=status]")
    page.goto(f"{address}?for=initech")
    assert rows.count() == 0
    assert page.locator(".nothing:visible").count() == 1
    assert page.locator("li.card:visible").count() == 1
    assert page.locator(".state:visible").count() == 1
    page.goto(f"{address}?for=%3Cscript%3E")
    assert rows.count() == everything
    assert "Nobody of that name" in page.inner_text("[role=status]")
    page.close()


@in_chromium
def test_the_command_is_filled_in_from_the_address_and_as_it_is_typed(
    site: Path, browser: Browser
) -> None:
    page = browser.new_page()
    path = next(p for p in site.glob("review/*/*/index.html") if "FIRST-LAST" in p.read_text())
    page.goto(f"{path.as_uri()}?rule=TRAIN-3&file=runs/1/events.log&lines=120-124")
    command = page.locator("#objection")
    assert command.inner_text() == (
        f"levelfield review object {path.parent.name} --folder submissions/rounds/2026.1 "
        "--rule TRAIN-3 --at runs/1/events.log:120-124 --text 'WHAT IS WRONG'"
    )
    page.fill("input[name=text]", "it's $(rm) <b>")
    assert command.inner_text().endswith("""--text 'it'"'"'s $(rm) <b>'""")
    page.close()


@in_chromium
def test_usable_without_scripts(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "review/index.html").as_uri())
    assert page.locator(".filter").is_hidden()
    assert page.locator("table.tasks tbody tr").count() > 3
    page.click("table.tasks tbody th a >> nth=0")
    assert page.locator("form.object").is_hidden()
    assert "--rule RULE --at FILE:FIRST-LAST" in page.inner_text("#objection")
    page.click(".said .head a >> nth=0")
    assert page.locator("tr:target").count() == 1
    context.close()
