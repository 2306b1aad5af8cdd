"""axe finds nothing against WCAG 2.2, A and AA, on any kind of page, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from portal_kinds import samples, whole_site

pytestmark = needs_chromium
OPTIONS: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    },
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_site(tmp_path_factory.mktemp("portal"))


def violations(page: Page) -> list[str]:
    """What axe finds, with the elements that it finds it in."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_nothing_against_any_kind_of_page(
    site: Path, browser: Browser, scheme: Any, width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for path in samples(site):
        page.goto(path.as_uri())
        if faults := violations(page):
            found[str(path.relative_to(site))] = faults
    context.close()
    assert found == {}


def test_a_fault_is_found(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.evaluate("document.querySelector('h1').style.color = '#f0f0f0'")
    page.evaluate("document.querySelector('.theme').textContent = ''")
    assert {fault.partition(":")[0] for fault in violations(page)} == {
        "color-contrast",
        "button-name",
    }
    page.close()
