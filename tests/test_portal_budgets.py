"""What pages may weigh and how soon they can be used, in a real browser, slowed down four times."""

import gzip
import json
from pathlib import Path

import pytest
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from portal_example import published, system, training_run

from portal.facts import slim
from portal.listing import Listing
from portal.site import publish

RESULTS = 300
SLOWER = 4
PLAIN_ROWS, OF_PLAIN = 1_000, 0.68
"""What share a page may take of the time of a plain table of 1,000 rows, which takes 0.37 s on the
machine on which the budget of 1.0 s at a fourth of the speed was set: that is 0.68, on slower
machines too."""
TRIES = 12
PAGE_BYTES, LIBRARY_BYTES = 150_000, 400_000

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trainings of 300 systems, of 30 organisations."""
    entries = [
        published(
            system(f"System {number}", f"Organisation {number % 30}"),
            [training_run(n, 8.0 + number / 50 + n / 10) for n in range(1, 6)],
            round_name="2026.1",
        )
        for number in range(RESULTS)
    ]
    return publish(entries, tmp_path_factory.mktemp("budget") / "site").parent


def _board(site: Path) -> Path:
    (found,) = site.glob("r/2026.1/*/train/closed/index.html")
    return found


def _weight(page: Page, path: Path, site: Path) -> int:
    """Bytes, packed, of all that opening ``path`` asks for, without the chart library."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(200)
    files = {site / url.removeprefix(f"{site.as_uri()}/").partition("?")[0] for url in asked}
    return sum(len(gzip.compress(file.read_bytes())) for file in files if "plotly" not in file.name)


@pytest.mark.parametrize("kind", ["home", "board", "explore", "result", "round"])
def test_a_page_weighs_no_more_than_its_budget(site: Path, browser: Browser, kind: str) -> None:
    path = {
        "home": site / "index.html",
        "board": _board(site),
        "explore": site / "explore/index.html",
        "result": next(site.glob("x/*-train/index.html")),
        "round": site / "r/2026.1/index.html",
    }[kind]
    page = browser.new_page()
    assert 1_000 < _weight(page, path, site) <= PAGE_BYTES
    page.close()


def test_the_chart_library_weighs_no_more_than_its_budget(site: Path) -> None:
    library = site / "static/plotly-basic.min.js"
    assert len(gzip.compress(library.read_bytes())) <= LIBRARY_BYTES


@pytest.mark.parametrize("kind", ["home", "board"])
def test_a_page_is_soon_usable_on_a_slow_machine(
    site: Path, browser: Browser, kind: str, tmp_path: Path
) -> None:
    """Its rows are there and a key is answered; the best of some tries, as others only add."""
    path = site / "index.html" if kind == "home" else _board(site)
    row = "<tr>" + "<td>a cell of a table</td>" * 8 + "</tr>"
    plain = tmp_path / "plain.html"
    plain.write_text(f"<!doctype html><title>t</title><table>{row * PLAIN_ROWS}</table>")
    taken: list[tuple[float, float]] = []
    for _ in range(TRIES):
        taken.append((_usable_ms(browser, path), _usable_ms(browser, plain)))
        page, table = (min(column) for column in zip(*taken, strict=True))
        if page <= OF_PLAIN * table:
            return
    raise AssertionError(taken)


def _usable_ms(browser: Browser, path: Path) -> float:
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(
        """addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
            window.usableAt = performance.now();
        })));"""
    )
    page.goto(path.as_uri())
    page.wait_for_function("window.usableAt")
    found: float = page.evaluate("window.usableAt")
    page.close()
    return found


def test_every_row_is_there_without_scripts(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(_board(site).as_uri())
    rows = page.locator("table.ranking tbody tr")
    assert rows.count() == RESULTS
    assert "check passed" in rows.first.inner_text()
    assert rows.last.locator("a").count() >= 1
    context.close()


def test_what_pages_take_from_logs_is_kept_as_facts() -> None:
    (listing,) = slim(published(system("a", "acme"), [training_run(n, 8.0) for n in (1, 2, 3)]))
    assert isinstance(listing, Listing)
    assert all(not evidence.log.events for evidence in listing.entry.runs)
    assert listing.facts
    assert json.dumps(sorted(listing.facts)).count("portal.") == len(listing.facts)
