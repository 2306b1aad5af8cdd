"""Quotations in a real browser: the site's own address, and copying."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from chromium import needs_chromium
from playwright.sync_api import Browser
from portal_example import example

from portal.cite_page import SITE
from portal.site import publish

pytestmark = needs_chromium


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(example()[:1], tmp_path_factory.mktemp("portal") / "sub" / "path").parent


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """Where the site is served from below a path of its own."""
    handler = partial(Quiet, directory=str(site.parent.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/sub/path/"
        server.shutdown()


def cited(site: Path) -> Path:
    return next(site.glob("cite/*-train/index.html"))


def test_a_served_page_quotes_its_own_address_and_copies_it(
    site: Path, served: str, browser: Browser
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(served + cited(site).relative_to(site).as_posix())
    sentence = page.locator("#text + .quoted code").inner_text()
    assert served + "x/" in sentence
    assert SITE not in page.locator("main").inner_text()
    page.click("button:has-text('Copy the sentence')")
    page.wait_for_function("document.getElementById('told').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == sentence
    picture = page.locator(".badge-shown img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    context.close()


def test_a_page_from_a_folder_says_what_to_put_in(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(cited(site).as_uri())
    assert SITE in page.locator("#text + .quoted code").inner_text()
    assert page.locator(".unknown-site").is_visible()
    page.click("button:has-text('Copy the entry')")
    page.wait_for_function("document.getElementById('told').textContent !== ''")
    page.close()


def test_without_scripts_the_words_are_there_to_be_selected(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(cited(site).as_uri())
    assert page.locator(".quoted code").count() == 4
    assert page.locator(".copy:visible").count() == 0
    context.close()


def test_the_place_where_the_reader_is_is_in_sight_on_a_narrow_screen(
    site: Path, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto((site / "about/index.html").as_uri())
    box = page.locator(".top nav [aria-current]").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
