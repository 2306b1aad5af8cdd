"""The page that compares, in a real browser from file://."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import in_chromium
from compare_example import CONTENT, OFFLINE, REFUSED, TRAININGS, write_page_alone
from playwright.sync_api import Browser, Page
from portal_example import HOSTILE

from portal.comparison import compare_bundles
from portal.listing import Listing
from portal.scores import compared_runs
from rules.significance import Verdict, compare, holm, verdicts

WORDS = {
    Verdict.A_FASTER: "faster",
    Verdict.B_FASTER: "slower",
    Verdict.CANNOT_TELL: "cannot tell",
    Verdict.TOO_FEW: "cannot tell: too few runs",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page_alone(tmp_path_factory.mktemp("compare") / "site")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    found, complaints = browser.new_page(), list[str]()
    found.on("console", lambda message: complaints.append(message.text))
    found.on("pageerror", lambda error: complaints.append(str(error)))
    yield found
    found.close()
    assert complaints == []


def _go(page: Page, site: Path, *ids: str, base: str = "") -> None:
    asked = [f"{letter}={one}" for letter, one in zip("abcdef", ids, strict=False)]
    query = "&".join([*asked, *([f"base={base}"] if base else [])])
    page.goto(f"{(site / 'compare' / 'index.html').as_uri()}?{query}")
    page.wait_for_selector("#outcome[data-shown]", state="attached")


def _ids(*listings: Listing) -> list[str]:
    return [one.id for one in listings]


# --- verdicts -------------------------------------------------------------------------------------


@in_chromium
def test_verdicts_are_those_of_the_command(site: Path, page: Page) -> None:
    """Each pair alone, so that the family is the same one."""
    seen = set()
    for one in TRAININGS:
        for base in TRAININGS:
            if one is base:
                continue
            rows = compare_bundles(one.published, base.published)
            row = next(row for row in rows if row.a.runs)
            _go(page, site, *_ids(one, base), base=base.id)
            cells = page.locator("#scores ~ .scroll tbody >> nth=0").locator("tr >> nth=1")
            assert cells.locator(".tag").inner_text()[1:].strip() == WORDS[row.verdict]
            ratio = cells.locator("strong >> nth=1").inner_text()
            assert float(ratio.removesuffix(" ×")) == pytest.approx(row.ratio, rel=1e-3)
            seen.add(row.verdict)
    assert seen == set(Verdict)


@in_chromium
def test_all_that_is_shown_is_judged_together(site: Path, page: Page) -> None:
    """Holm's method takes every pair of the page, so that more pairs ask for more."""
    base, *others = TRAININGS
    compared = [compared_runs(one) for one in TRAININGS]
    found = [compare(runs, compared[0]) for runs in compared[1:] if runs and compared[0]]
    _go(page, site, *_ids(base, *others))
    rows = page.locator("#scores ~ .scroll tbody >> nth=0").locator("tr")
    shown = [rows.nth(at).locator(".tag").inner_text()[1:].strip() for at in range(rows.count())]
    assert shown == ["baseline", *(WORDS[said] for said in verdicts(found))]
    raised = holm([one.p_ratio for one in found if one])
    cells = [rows.nth(at + 1).locator("td").nth(2).inner_text() for at in range(len(others))]
    told = [float(cell.strip("< ")) for cell in cells if cell != "–"]
    assert told == pytest.approx([max(p, 0.0001) for p in raised], rel=0.05)


@in_chromium
def test_inference_has_a_ratio_and_no_verdict(site: Path, page: Page) -> None:
    _go(page, site, *_ids(*OFFLINE[:2]))
    assert "ratio only" in page.locator("#scores ~ .scroll").first.inner_text()
    assert "nobody has measured" in page.locator("figcaption").inner_text()
    assert page.locator("#without-luck").count() == 0
    assert "Mann-Whitney" not in page.locator("#outcome").inner_text()


@in_chromium
def test_what_cannot_be_compared_has_a_reason_and_no_ratio(site: Path, page: Page) -> None:
    _go(page, site, *_ids(TRAININGS[0], REFUSED, OFFLINE[0]))
    reasons = page.locator(".left-out li").all_inner_texts()
    assert "The check has 1 finding against it." in reasons[0]
    assert "scenario (Offline, where the baseline has Training)" in reasons[1]
    assert page.locator("figure, #outcome >> text=Verdict").count() == 0
    _go(page, site, *_ids(TRAININGS[0], REFUSED), base=REFUSED.id)
    assert "The baseline cannot be compared" in page.locator(".left-out li").inner_text()


@in_chromium
def test_imported_beside_our_own_is_not_compared(site: Path, page: Page) -> None:
    """No bundle of the example is imported: the script is asked by itself."""
    _go(page, site)
    reason = page.evaluate(
        """() => { const one = { board: "r", score: "1", refused: 0, imported: false };
        return ["reason", "back", "both"].map((_, at) => levelfieldPairs.reason(
          { ...one, imported: at !== 1 }, { ...one, imported: at !== 0 })); }"""
    )
    assert reason[0].startswith("It was imported")
    assert reason[1].startswith("The baseline was imported")
    assert reason[2] == ""


# --- the address ----------------------------------------------------------------------------------


@in_chromium
def test_the_permalink_brings_back_the_same_page(site: Path, page: Page) -> None:
    _go(page, site, *_ids(*TRAININGS[:3]))
    page.click("[data-key='base " + TRAININGS[1].id + "']")
    page.click("[data-key='down " + TRAININGS[0].id + "']")
    page.wait_for_timeout(100)
    shown, link = page.locator("#compare").inner_text(), page.locator("#permalink")
    address = link.get_attribute("href") or ""
    order = [TRAININGS[1], TRAININGS[0], TRAININGS[2]]
    asked = [f"{letter}={one.id}" for letter, one in zip("abc", order, strict=True)]
    assert address == "?" + "&".join([*asked, f"base={TRAININGS[1].id}"])
    page.goto((site / "compare" / "index.html").as_uri() + address)
    page.wait_for_selector("#outcome[data-shown]", state="attached")
    assert page.locator("#compare").inner_text() == shown


@in_chromium
def test_what_the_address_asks_in_vain_is_told(site: Path, page: Page) -> None:
    one = TRAININGS[0].id
    _go(page, site, "constructor", "%3Cb%3Ex%3C/b%3E", one, one, base="nobody")
    notes = page.locator("#notes li").all_inner_texts()
    assert [note[:10] for note in notes] == ["No result ", "No result ", "The addres", "The baseli"]
    assert "<b>x</b>" in notes[1]
    assert page.locator("#chosen li").count() == 1
    assert "One so far" in page.locator("#hint").inner_text()
    _go(page, site, one)
    assert page.locator("#notes").is_hidden()


@in_chromium
def test_a_missing_file_is_told_and_left_out(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.route(f"**/{TRAININGS[1].id}.js", lambda route: route.abort())
    _go(page, site, *_ids(*TRAININGS[:3]))
    assert "could not be loaded" in page.locator("#notes").inner_text()
    assert page.locator("figure .row:not(.axis)").count() == 2
    page.close()


# --- choosing -------------------------------------------------------------------------------------


@in_chromium
def test_results_are_found_added_and_removed_by_keyboard(site: Path, page: Page) -> None:
    _go(page, site)
    page.fill("#search", "rack TRAINING")
    assert page.locator("#offers li").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#chosen li").count() == 1
    page.fill("#search", "")
    tags = page.locator("#offers li .tag").all_inner_texts()
    fits = len([one for one in TRAININGS if one.system_name != "Rack server with two sockets"])
    assert "would not be compared" not in page.locator("#offers li").nth(fits - 1).inner_text()
    assert "would not be compared" in tags[-1]
    page.fill("#search", "no such thing")
    assert "No other result fits" in page.locator("#found").inner_text()
    page.click("text=Remove")
    assert "Nothing yet" in page.locator("#hint").inner_text()
    assert page.evaluate("document.activeElement.id") == "chosen-title"


@in_chromium
def test_no_more_than_six(site: Path, page: Page) -> None:
    _go(page, site, *_ids(*CONTENT.listings[:6]))
    page.click("summary:has-text('Add a result')")
    assert "Six are compared" in page.locator("#found").inner_text()
    assert page.locator("#offers button:enabled").count() == 0


# --- what differs ---------------------------------------------------------------------------------


@in_chromium
def test_rows_that_are_the_same_are_shown_when_asked_for(site: Path, page: Page) -> None:
    _go(page, site, *_ids(*TRAININGS[:2]))
    table = page.locator("#differences ~ .scroll")
    assert "Organisation (declared)" in table.inner_text()
    assert "numpy" not in table.inner_text()
    page.click("text=Show what is the same too")
    assert "numpy" in table.inner_text()
    page.click("[data-key^='down']:enabled >> nth=0")
    page.wait_for_timeout(100)
    assert "numpy" in table.inner_text()


@in_chromium
def test_energy_and_cost_where_two_have_them(site: Path, page: Page) -> None:
    by_name = {one.system_name: one for one in TRAININGS}
    laptop, rack, near = (
        by_name[name]
        for name in ("Laptop 7840U", "Rack server with two sockets", "Workstation 9950X")
    )
    _go(page, site, *_ids(rack, near))
    found = page.locator("#use + .scroll").inner_text()
    assert "Energy of a training run" in found
    assert "Cost of a training run" in found
    _go(page, site, *_ids(rack, laptop))
    assert "Cost of" not in page.locator("#use + .scroll").inner_text()
    _go(page, site, *_ids(rack, REFUSED))
    assert "Of no two" in page.locator("#use + p").inner_text()


# --- the page as a whole --------------------------------------------------------------------------


@in_chromium
@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_within_the_width_local_and_no_small_targets(
    site: Path, browser: Browser, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, requests = context.new_page(), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    _go(page, site, *_ids(*TRAININGS, REFUSED, OFFLINE[0]))
    page.click("summary:has-text('Add a result')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """[...document.querySelectorAll('button, summary, input, #chosen a, #link a')]
        .filter(each => each.offsetParent && each.getBoundingClientRect().height < 23.9)
        .map(each => each.outerHTML)"""
    )
    assert small == []
    assert not [url for url in requests if not url.startswith(site.as_uri())]
    assert len([url for url in requests if "/data/" in url]) == 6
    context.close()


@in_chromium
def test_hostile_names_stay_text(site: Path, page: Page) -> None:
    hostile = next(one for one in CONTENT.listings if one.system_name == HOSTILE)
    far = next(one for one in TRAININGS if "Überrechner" in one.system_name)
    _go(page, site, *_ids(hostile, far))
    assert HOSTILE in page.locator("#chosen").inner_text()
    assert page.locator("#compare b, #compare script").count() == 0
    assert "Practice" in page.locator("#compare").inner_text()


@in_chromium
def test_without_scripts_it_explains(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "compare" / "index.html").as_uri())
    assert page.locator("text=This page needs JavaScript").is_visible()
    assert page.locator("text=levelfield compare A B").is_visible()
    assert page.locator("#compare").is_hidden()
    context.close()
