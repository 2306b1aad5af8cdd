"""rules/handbook.py, and RULES.md itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from rules.handbook import render, rules_table, strict_table, write
from rules.mlperf.strict import STRICT_RULES
from rules.rule import RULES, Rule

HANDBOOK = Path(__file__).parent.parent / "RULES.md"


def test_the_handbook_is_current() -> None:
    text = HANDBOOK.read_text("utf-8")
    assert text == render(text, "RULES.md"), "run levelfield rules --write"


@pytest.mark.parametrize(("table", "rules"), [(rules_table, RULES), (strict_table, STRICT_RULES)])
def test_every_rule_is_one_row(table: Callable[[], str], rules: dict[str, Rule]) -> None:
    rows = table().splitlines()[2:]
    assert [row.split('"')[1] for row in rows] == list(rules)
    assert all(row.count(" | ") == 2 for row in rows)


@pytest.mark.parametrize("number", [*RULES, *STRICT_RULES])
def test_a_rules_title_is_a_sentence(number: str) -> None:
    title = (RULES | STRICT_RULES)[number].title
    assert title.endswith(".")
    assert len(title) <= 95


def test_write_keeps_the_prose(tmp_path: Path) -> None:
    page = tmp_path / "RULES.md"
    stale = "<!-- {0}: begin -->\nstale\n<!-- {0}: end -->"
    tables = "\n".join(map(stale.format, ("rules", "rounds", "mlperf")))
    page.write_text(f"before\n{tables}\nafter\n")
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
