"""rules/handbook.py, and RULES.md itself."""

from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from rules.handbook import render, rules_table, write
from rules.rule import RULES

HANDBOOK = Path(__file__).parent.parent / "RULES.md"


def test_the_handbook_is_current() -> None:
    text = HANDBOOK.read_text("utf-8")
    assert text == render(text, "RULES.md"), "run levelfield rules --write"


def test_every_rule_is_one_row() -> None:
    rows = rules_table().splitlines()[2:]
    assert [row.split('"')[1] for row in rows] == list(RULES)
    assert all(row.count(" | ") == 2 for row in rows)


@pytest.mark.parametrize("number", RULES)
def test_a_rules_title_is_a_sentence(number: str) -> None:
    title = RULES[number].title
    assert title.endswith(".")
    assert len(title) <= 95


def test_write_keeps_the_prose(tmp_path: Path) -> None:
    page = tmp_path / "RULES.md"
    stale = "<!-- {0}: begin -->\nstale\n<!-- {0}: end -->"
    page.write_text(f"before\n{stale.format('rules')}\n{stale.format('rounds')}\nafter\n")
    write(page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "stale" not in text
    assert rules_table() in text


def test_without_its_marks_a_page_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "RULES.md"
    page.write_text("prose")
    with pytest.raises(LevelfieldError, match="marks"):
        write(page)
    assert page.read_text() == "prose"


def test_a_missing_page(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match="root of a checkout"):
        write(tmp_path / "RULES.md")
