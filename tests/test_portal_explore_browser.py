"""The table of all results in a real browser, from file://: what a reader can do with it."""

import csv
import io
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import needs_chromium
from explore_example import SNAPSHOT, many, write
from playwright.sync_api import Browser, CDPSession, Page

from portal.data_files import _cell
from portal.explore_page import DRAWN

pytestmark = needs_chromium
LARGE, COUNT = 10_000, 2 * DRAWN + 50
ROWS = "table tbody tr:not(.group)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("explore"), many(COUNT)).as_uri()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("large"), many(LARGE)).as_uri()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
    context.close()


def _open(page: Page, address: str, search: str = "") -> None:
    page.goto(address + search)
    page.wait_for_selector("fieldset:not([disabled])")
    _drawn(page)


def _drawn(page: Page) -> None:
    page.wait_for_selector("table[aria-busy=false]")


def _count(page: Page) -> str:
    return page.locator(".count").inner_text()


def _column(page: Page, title: str) -> list[str]:
    """What the rows of this page of the table show in a column."""
    _drawn(page)
    names = [text.rstrip(" \n▲▼") for text in page.locator("thead th").all_inner_texts()]
    found: list[str] = page.evaluate(
        "at => [...document.querySelectorAll('tbody tr:not(.group)')]"
        ".map(row => row.cells[at].textContent)",
        names.index(title),
    )
    return found


def test_the_script_draws_what_the_server_wrote(page: Page, address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    without = context.new_page()
    without.goto(address)
    assert without.locator("form.explore").is_hidden()
    assert without.locator("noscript").is_visible()
    assert without.locator(ROWS).count() == DRAWN
    _open(page, address)
    body = "document.querySelector('tbody').innerHTML.replace(/\\s+/g, '')"
    plain = without.locator("tbody").inner_html()
    assert page.evaluate(body) == "".join(plain.split()).replace("&#34;", '"')
    context.close()


def test_filters_narrow_and_are_told(page: Page, address: str) -> None:
    _open(page, address)
    assert _count(page) == "450 of 450 shown, page 1 of 3"
    page.select_option("[name=scenario]", "train")
    page.select_option("[name=status]", "refused")
    assert set(_column(page, "Scenario")) == {"Training"}
    assert {text.strip() for text in _column(page, "Status")} == {"✕ refused"}
    told = int(_count(page).partition(" ")[0].replace(",", ""))
    assert 0 < told < COUNT
    page.select_option("[name=scenario]", "")
    assert int(_count(page).partition(" ")[0].replace(",", "")) > told
    page.fill("[name=q]", "no such machine anywhere")
    assert _count(page) == "0 of 450 shown"
    assert "No result is like that" in page.locator("tbody").inner_text()
    page.click("text=Clear all")
    assert _count(page).startswith("450 of 450")


def test_words_are_found_in_any_column_and_case(page: Page, address: str) -> None:
    _open(page, address)
    page.fill("[name=q]", "RACK server   offline")
    assert set(_column(page, "Scenario")) == {"Offline"}
    assert all(text.startswith("Rack server") for text in _column(page, "System"))
    page.fill("[name=q]", many(8)[7]["id"])
    assert _count(page) == "1 of 450 shown"
    page.fill("[name=q]", "<script>")
    assert all("<script>" in text for text in _column(page, "System"))
    assert page.locator("tbody script").count() == 0


def test_sorting_keeps_the_focus_and_is_told(page: Page, address: str) -> None:
    _open(page, address)
    button = page.locator("th[data-column=value] button")
    button.focus()
    page.keyboard.press("Enter")
    name = page.locator("th[data-column=value]")
    assert name.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert name.get_attribute("aria-sort") == "descending"
    focused = page.evaluate("document.activeElement.closest('th').dataset.column")
    assert focused == "value"
    assert page.locator("[aria-sort]").count() == 1
    page.select_option("[name=scenario]", "offline")
    scores = [float(text.split()[0].replace(",", "")) for text in _column(page, "Score")]
    assert scores == sorted(scores, reverse=True)
    page.locator("th[data-column=value] button").click()
    scores = [float(text.split()[0].replace(",", "")) for text in _column(page, "Score")]
    assert scores == sorted(scores)


def test_scores_of_different_kinds_stand_apart(page: Page, address: str) -> None:
    _open(page, address, "?sort=value&cols=system,metric,value")
    kinds = []
    for _ in range(3):
        kinds += _column(page, "Kind of score")
        page.locator(".pager .next").dispatch_event("click")
    assert len(kinds) == COUNT
    assert kinds == sorted(kinds)
    assert len(set(kinds)) > 3


def test_what_is_missing_comes_last_either_way(page: Page, address: str) -> None:
    for search in ("?sort=precision", "?sort=-precision", "?sort=rank", "?sort=-rank"):
        _open(page, address, search)
        column = "Precision" if "precision" in search else "Rank"
        assert _column(page, column)[0] not in ("not stated", "–")
        _open(page, address, f"{search}&page=3")
        assert _column(page, column)[-1] in ("not stated", "–")


def test_groups_have_counts_and_can_be_chosen(page: Page, address: str) -> None:
    _open(page, address)
    page.select_option("[name=group]", "scenario")
    counts = page.locator(".groups .num").all_inner_texts()
    assert sum(int(text.replace(",", "")) for text in counts) == COUNT
    head = page.locator("tr.group th").first
    assert head.get_attribute("scope") == "rowgroup"
    assert head.inner_text().split() == ["Interactive", counts[0], "results"]
    page.locator(".groups button", has_text="Offline").click()
    assert set(_column(page, "Scenario")) == {"Offline"}
    assert page.evaluate("document.activeElement.name") == "scenario"
    page.select_option("[name=group]", "accelerator")
    assert page.locator(".groups button").count() == 0
    assert page.locator(".groups .only").count() == 1


def test_columns_can_be_chosen_and_the_first_stays(page: Page, address: str) -> None:
    _open(page, address, "?scenario=train")
    page.click("summary:has-text('Columns')")
    page.check(".boxes input[value=energy_j]")
    page.uncheck(".boxes input[value=round]")
    names = page.locator("thead th").all_inner_texts()
    assert "Energy" in names
    assert "Round" not in names
    assert names[0] == "System"
    assert page.locator(".boxes input[value=system]").count() == 0
    assert any("per training run" in text for text in _column(page, "Energy"))


def test_pages_turn_and_end(page: Page, address: str) -> None:
    _open(page, address)
    first = page.locator("tbody a").first.get_attribute("href")
    assert page.locator(".previous").get_attribute("aria-disabled") == "true"
    page.locator(".previous").dispatch_event("click")
    assert page.locator("tbody a").first.get_attribute("href") == first
    page.locator(".next").click()
    assert page.locator("tbody a").first.get_attribute("href") != first
    _drawn(page)
    assert page.locator(".where").inner_text() == "Rows 201 to 400 of 450"
    assert page.locator(ROWS).count() == DRAWN
    _open(page, address, "?page=999")
    assert _count(page).endswith("page 3 of 3")
    assert page.locator(".next").get_attribute("aria-disabled") == "true"


def test_the_link_brings_the_view_back(page: Page, address: str) -> None:
    search = "?organisation=Acme+Computing+3&group=round&sort=-value&cols=system%2Cvalue"
    _open(page, address)
    page.select_option("[name=organisation]", "Acme Computing 3")
    page.select_option("[name=group]", "round")
    for _ in range(2):
        page.click("th[data-column=value] button")
    page.click("summary:has-text('Columns')")
    for name in ("workload", "scenario", "rank", "status", "organisation", "precision"):
        page.uncheck(f".boxes input[value={name}]")
    for name in ("round", "division", "trust"):
        page.uncheck(f".boxes input[value={name}]")
    link = page.locator(".permalink").get_attribute("href")
    assert link == f"{search}&snapshot={SNAPSHOT}"
    before = page.locator("table").inner_text(), _count(page)
    _open(page, address, link)
    assert (page.locator("table").inner_text(), _count(page)) == before
    assert page.locator(".told").is_hidden()
    assert page.input_value("[name=organisation]") == "Acme Computing 3"
    page.click("text=Clear all")
    assert page.locator(".permalink").get_attribute("href") == "index.html"


@pytest.mark.parametrize(
    ("search", "line"),
    [
        ("?round=1999", "the round “1999”"),
        ("?organisation=<b>x</b>", "the organisation “<b>x</b>”"),
        ("?sort=luck", "the order by “luck”"),
        ("?group=value", "groups by “value”"),
        ("?cols=system,luck", "the column “luck”"),
        ("?page=-1", "page “-1”"),
        ("?constructor=1", "constructor “1”"),
        ("?hasOwnProperty=1", "hasOwnProperty “1”"),
        ("?snapshot=beef", "another snapshot of the data, “beef”"),
    ],
)
def test_what_an_address_asks_in_vain_is_said(
    page: Page, address: str, search: str, line: str
) -> None:
    _open(page, address, search)
    assert page.locator(".told").is_visible()
    assert line in page.locator(".told").inner_text()
    assert _count(page).startswith("450 of 450")
    assert page.locator(".told b").count() == 0


def test_the_csv_is_that_of_the_view(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _open(page, address, "?organisation=Initech+4&cols=system,value,precision,energy_j")
    page.click("text=Copy as CSV")
    page.wait_for_selector(".count:has-text('copied')")
    rows = [*csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()")))]
    names = ["id", "system", "metric", "value", "precision", "work", "energy_j"]
    chosen = {row["id"]: row for row in many(COUNT) if row["organisation"] == "Initech 4"}
    assert [*rows[0]] == names
    assert {row["id"] for row in rows} == chosen.keys()
    for row in rows:
        for name in names:
            held, told = chosen[row["id"]][name], row[name]
            if isinstance(held, float):
                assert float(told) == held
            else:
                assert told == ("" if held is None else str(held))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("history.replaceState = () => { throw new DOMException('no', 'SecurityError'); }", ""),
        ("Object.defineProperty(navigator, 'clipboard', { value: undefined })", "copied as CSV"),
        (
            "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
            "document.execCommand = () => false",
            "did not let the page copy",
        ),
    ],
)
def test_what_a_browser_forbids_breaks_nothing(
    page: Page, address: str, broken: str, told: str
) -> None:
    page.add_init_script(broken)
    _open(page, address)
    page.select_option("[name=scenario]", "train")
    assert set(_column(page, "Scenario")) == {"Training"}
    assert "scenario=train" in (page.locator(".permalink").get_attribute("href") or "")
    if told:
        page.click("text=Copy as CSV")
        assert told in _count(page)
        assert page.evaluate("document.activeElement.className") == "copy-csv"


def test_without_its_data_the_page_keeps_its_rows(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path, many(30))
    path.with_name("results.js").unlink()
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.locator(ROWS).count() == 30
    assert page.locator("[name=scenario]").is_disabled()
    assert _count(page) == "Loading all results…"
    page.close()


def test_no_spreadsheet_runs_what_is_copied(browser: Browser, tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", 'a"b,c\nd', "a-1"]
    rows = [{**row, "system": name} for row, name in zip(many(7), names, strict=True)]
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    _open(page, write(tmp_path, rows).as_uri(), "?cols=system")
    page.click("text=Copy as CSV")
    page.wait_for_selector(".count:has-text('copied')")
    told = page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    found = {row["id"]: row["system"] for row in csv.DictReader(io.StringIO(told, newline=""))}
    assert found == {row["id"]: _cell(row["system"]) for row in rows}
    context.close()


def test_a_filter_of_10000_takes_at_most_100_ms(page: Page, large: str) -> None:
    """Time of the page's own thread, so that what else the machine does counts little."""
    _open(page, large)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    choices = [("scenario", "train"), ("scenario", ""), ("q", "rack 7"), ("q", "")]
    taken = []
    for name, value in choices * 3:
        before = _busy_ms(session)
        page.evaluate(FILTER, [name, value])
        taken.append(_busy_ms(session) - before)
        _drawn(page)
    assert statistics.median(taken) <= 100, taken


FILTER = """([name, value]) => {
  const field = document.querySelector("form.explore").elements[name];
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector("table").getBoundingClientRect();
}"""


def _busy_ms(session: CDPSession) -> float:
    held = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    names = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
    return 1000 * float(sum(held[name] for name in names))


def test_of_10000_rows_a_page_is_drawn(page: Page, large: str) -> None:
    _open(page, large, "?page=50")
    assert _count(page) == "10,000 of 10,000 shown, page 50 of 50"
    assert page.locator(ROWS).count() == DRAWN


@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_the_page_is_no_wider_than_the_screen(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    _open(page, address, "?group=system&snapshot=another")
    page.click("summary:has-text('Columns')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    left = page.locator("tbody tr:not(.group) th").first.bounding_box()
    page.evaluate("document.querySelector('.explore-table').scrollLeft = 300")
    assert left == page.locator("tbody tr:not(.group) th").first.bounding_box()
    small = page.evaluate(
        "[...document.querySelectorAll('main a, main button, main summary, main select')]"
        ".filter(each => each.offsetParent && each.getBoundingClientRect().height < 23.9).length"
    )
    assert small == 0
    context.close()
