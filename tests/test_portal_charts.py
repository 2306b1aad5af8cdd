"""The script of the charts in a real browser: tables as files, names where there is room."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from chromium import needs_chromium
from playwright.sync_api import Browser, Page

from portal.chart import REFERENCE, Figure, line
from portal.rendering import STATIC, _environment

pytestmark = needs_chromium
ODD = ("=1+1", "-0.4 %", 'a "b", c', "@x", "–")


def _mark(name: str, at: float, *labels: str) -> dict[str, Any]:
    trace = {"type": "scatter", "mode": "markers+text", "name": name, "x": [at], "y": [at]}
    return trace | {"text": list(labels), "marker": {"size": 10}}


FIGURE = Figure(
    id="speed",
    title="Speed",
    caption="One is fast.",
    traces=(
        line("Bound", [0.0, 1.0], [0.5, 0.5], REFERENCE),
        _mark("Long name of a system", 0.0, "Long name of a system"),
        _mark("Short", 1.0, "p99"),
    ),
    x_title="x",
    y_title="y",
    table_caption="All",
    headers=("One", "Two", "Three", "Four", "Five"),
    rows=(ODD,),
    direct=True,
)
_PAGE = """{% extends "base.html" %}
{% block scripts %}<script src="{{ root }}static/charts.js" defer></script>{% endblock %}
{% block content %}<h1>Charts</h1><h2 id="speed">Speed</h2>{{ parts.figure(figure) }}{% endblock %}
"""


@pytest.fixture(scope="module")
def page_of_one(tmp_path_factory: pytest.TempPathFactory) -> str:
    site = tmp_path_factory.mktemp("charts")
    (site / "static").symlink_to(STATIC)
    template = _environment().from_string(_PAGE)
    values = {"root": "", "here": "", "crumbs": (), "figure": FIGURE}
    (site / "index.html").write_text(template.render(values).lstrip(), "utf-8")
    return (site / "index.html").as_uri()


def _open(browser: Browser, address: str, width: int = 1280) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    page.locator(".plot").scroll_into_view_if_needed()
    page.wait_for_selector(".plot.drawn")
    return page


def test_the_table_is_written_to_a_file_that_no_spreadsheet_runs(
    browser: Browser, page_of_one: str, tmp_path: Path
) -> None:
    page = _open(browser, page_of_one)
    with page.expect_download() as download:
        page.click("text=Download as CSV")
    assert download.value.suggested_filename == "levelfield-speed.csv"
    download.value.save_as(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(text))
    assert header == list(FIGURE.headers)
    assert row == ["'=1+1", "-0.4 %", 'a "b", c', "'@x", "–"]
    page.close()


def test_names_stand_beside_marks_where_there_is_room_else_in_the_legend(
    browser: Browser, page_of_one: str
) -> None:
    def seen(width: int) -> tuple[list[str], int]:
        page = _open(browser, page_of_one, width)
        labels = page.locator(".textpoint").all_text_contents()
        legend = page.locator(".legend .traces").count()
        page.close()
        return labels, legend

    assert seen(1280) == (["Long name of a system", "p99"], 0)
    assert seen(390) == (["p99"], 3)


def test_without_scripts_the_button_is_not_there_and_the_link_is(
    browser: Browser, page_of_one: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_of_one)
    assert page.locator(".csv").is_hidden()
    page.click("text=Link to this figure")
    assert page.url.endswith("#speed")
    context.close()
