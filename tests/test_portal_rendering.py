"""Escaping, links and counted nouns."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from portal.rendering import is_web_link, plural, write_page


@pytest.mark.parametrize("text", ["https://example.org/a?b=c", "http://localhost:8000/"])
def test_web_links(text: str) -> None:
    assert is_web_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>",
        "https://",
        "https://example.org/ x",
        "https://[broken",
        "\x01https://example.org",
        "//example.org",
        "ask the vendor",
        None,
    ],
)
def test_everything_else_stays_text(text: object) -> None:
    assert not is_web_link(text)


def test_plural() -> None:
    assert [plural(n, "run") for n in (0, 1, 2048)] == ["0 runs", "1 run", "2,048 runs"]


def test_a_name_that_a_page_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        write_page(tmp_path, "index.html", "leaderboard.html")
