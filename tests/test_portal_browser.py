"""The site in a real browser, from file://, at two widths, in both themes and without scripts."""

import gzip
from pathlib import Path

import pytest
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from portal_example import example

from portal.site import publish

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(example(), tmp_path_factory.mktemp("portal") / "site").parent


def _kinds(site: Path) -> list[Path]:
    """One page of each kind, results of every scenario."""
    results = [
        next(site.glob(f"x/*-{s}/index.html"))
        for s in ("train", "single_stream", "multi_stream", "server", "interactive", "offline")
    ]
    board, server = (
        next(site.glob(f"r/2026.1/**/{s}/closed/index.html")) for s in ("train", "server")
    )
    return [
        site / "index.html",
        board,
        server,
        *results,
        next(site.glob("x/*/runs/1/index.html")),
        site / "data" / "index.html",
        site / "trends" / "index.html",
        next(site.glob("trends/*/index.html")),
    ]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_local_and_within_the_width(
    site: Path, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page, complaints, requests = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    for path in _kinds(site):
        page.goto(path.as_uri())
        _draw(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert _small_targets(page) == [], path
    assert complaints == []
    assert {url for url in requests if not url.startswith(site.as_uri())} == set()
    context.close()


def _draw(page: Page) -> None:
    for plot in page.query_selector_all(".plot"):
        plot.scroll_into_view_if_needed()
    page.wait_for_selector(".plot:not(.drawn)", state="detached")


def _small_targets(page: Page) -> list[str]:
    """Links and buttons that a finger would miss; those inside a sentence are exempt."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('nav a, td a, th a, .log a, button, summary, .card h3 a')]
        .filter(each => each.offsetParent && each.getBoundingClientRect().height < 23.9)
        .map(each => each.outerHTML)"""
    )
    return found


def test_charts_are_drawn_as_the_types_that_were_asked_for(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    for path in [_kinds(site)[1], *_kinds(site)[3:9], _run_page(site)]:
        page.goto(path.as_uri())
        _draw(page)
        asked, drawn = page.evaluate(
            """['data', '_fullData'].map(name =>
            [...document.querySelectorAll('.plot')].flatMap(p => p[name].map(t => t.type)))"""
        )
        assert drawn, path
        assert drawn == asked, path
    page.close()


def _run_page(site: Path) -> Path:
    """A run whose telemetry has charts."""
    return next(
        p for p in site.glob("x/*-train/runs/1/index.html") if "power-data" in p.read_text()
    )


def test_a_price_of_the_readers_own_changes_the_cost(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(_kinds(site)[1].as_uri())
    row = page.locator("table.prices tbody tr").first
    # text_content, as a table below the window has no layout, so no inner text, yet
    stated = row.locator(".cost").text_content()
    price = row.locator("input")
    price.fill(str(2 * float(price.input_value())))
    dearer = row.locator(".cost").text_content()
    assert stated
    assert dearer
    assert float(dearer.split()[0]) == pytest.approx(2 * float(stated.split()[0]), rel=0.01)
    assert row.locator(".changed").is_visible()
    page.click("text=Back to the stated prices")
    assert row.locator(".cost").text_content() == stated
    price.fill("")
    assert row.locator(".per-unit").text_content() == "–"
    page.close()


def test_a_limit_filters_the_leaderboard_and_an_unknown_one_is_told(
    site: Path, browser: Browser
) -> None:
    page = browser.new_page()
    board = _kinds(site)[1].as_uri()
    page.goto(board)
    rows = page.locator("table.ranking tbody tr:visible")
    assert rows.count() == 2
    page.click("button:has-text('within 300 W')")
    assert rows.count() == 1
    assert "1 of 2 results" in page.locator(".filter [role=status]").inner_text()
    page.goto(f"{board}?limit=within+1+W")
    assert rows.count() == 2
    assert "No result here" in page.locator(".filter [role=status]").inner_text()
    page.close()


def test_the_chart_library_is_fetched_only_for_charts(site: Path, browser: Browser) -> None:
    page, requests = browser.new_page(), []
    page.on("request", lambda request: requests.append(request.url))
    for place in ("data", "rules", "o", "compare", "explore"):
        page.goto((site / place / "index.html").as_uri())
    assert not [url for url in requests if "plotly" in url]
    page.close()


def test_usable_without_scripts(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.click("text=Leaderboard: 3 results")
    assert page.locator("table.ranking tbody tr").count() == 2
    assert page.locator(".filter").is_hidden()
    assert page.locator("table.prices .without-script >> nth=0").is_visible()
    assert page.locator("table.prices input:visible").count() == 0
    assert page.locator(".theme").is_hidden()
    page.click("tbody tr a >> nth=0")
    page.click("summary")
    assert page.locator("details td").first.is_visible()
    page.click("text=run_stop >> nth=0")
    assert "run_stop" in page.locator("li:target").inner_text()
    context.close()


def test_the_theme_is_toggled_and_remembered(site: Path, browser: Browser) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    light = _background(page)
    page.click("text=Dark theme")
    dark = _background(page)
    page.goto((site / "data" / "index.html").as_uri())
    assert light != dark == _background(page)
    assert page.locator(".theme").inner_text() == "Light theme"
    context.close()


def _background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_first_key_press_reaches_the_skip_link(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.close()


def test_pages_stay_within_their_budget(site: Path) -> None:
    shared = [site / "static" / name for name in ("site.css", "theme.js", "mark.svg")]
    for path in _kinds(site)[:3]:
        size = sum(len(gzip.compress(file.read_bytes())) for file in (*shared, path))
        assert size <= 150_000, path
