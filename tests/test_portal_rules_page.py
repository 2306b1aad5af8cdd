"""The rules on the site: every rule at its number, and the results here that break it."""

import re
from pathlib import Path

import pytest
from portal_example import example, finding, published, system, training_run

from portal.boards import make_boards
from portal.content import Content
from portal.listing import list_results
from portal.review_addresses import rule_address
from portal.rules_page import Span, findings_by_rule, spans, write_rules
from rules.mlperf.strict import STRICT_RULES
from rules.round import read_round
from rules.rule import RULES


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    site = tmp_path_factory.mktemp("rules")
    write_rules(site, Content(tuple(make_boards(list_results(example())))))
    return (site / "rules/index.html").read_text("utf-8")


def article(page: str, number: str) -> str:
    found = re.search(f'<article class="rule" id="{number}".*?</article>', page, re.S)
    assert found, number
    return found[0]


def test_every_rule_has_its_number_as_its_address(page: str) -> None:
    ids = re.findall(r'<article class="rule" id="([^"]+)"', page)
    assert ids == [*RULES, "OFFICIAL", *STRICT_RULES]
    assert all(rule_address(number) == f"rules/index.html#{number}" for number in ids)
    assert rule_address("NONE-1") == ""


def test_a_rules_text_is_its_docstring(page: str) -> None:
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", article(page, "ROUND-2")))
    text = " ".join(RULES["ROUND-2"].text.replace("``", "").split())
    assert text.replace("'", "&#39;") in words
    assert "<code>result.json</code>" in article(page, "ROUND-2")
    assert "Judged on each result." in words


def test_results_that_a_rule_refuses_and_warns_of_are_counted_and_linked(page: str) -> None:
    told = article(page, "TRAIN-3")
    assert "refuses 1 result here" in told
    assert "warns of 1 result here" in told
    assert told.count("#findings") == 2
    assert "result here" not in article(page, "TRAIN-4")


def test_a_result_counts_once_for_a_rule_however_often_it_breaks_it() -> None:
    runs = [training_run(n, 9.0) for n in (1, 2, 3)]
    twice = published(system("a", "b"), runs, findings=(finding(), finding(line=7)))
    found = findings_by_rule(list_results([twice]))
    assert [len(found["TRAIN-3"].refused), len(found["TRAIN-3"].warned)] == [1, 0]


def test_many_results_are_counted_and_the_first_named(tmp_path: Path) -> None:
    machine = [
        published(system(f"box {n}", "b"), [training_run(m, 9.0) for m in (1, 2, 3)],
                  findings=(finding(),))
        for n in range(22)
    ]  # fmt: skip
    write_rules(tmp_path, Content(tuple(make_boards(list_results(machine)))))
    told = article((tmp_path / "rules/index.html").read_text("utf-8"), "TRAIN-3")
    assert "refuses 22 results here" in told
    assert told.count("#findings") == 20
    assert "and 2 more" in told


def test_code_and_other_rules_are_set_apart() -> None:
    assert spans("See ``a < b`` and TRAIN-3, not ABC-1.") == (
        Span("See "),
        Span("a < b", code=True),
        Span(" and "),
        Span("TRAIN-3", address="rules/index.html#TRAIN-3"),
        Span(", not "),
        Span("ABC-1"),
        Span("."),
    )


def test_the_rounds_terms_are_in_a_table(page: str) -> None:
    runs = read_round("2026.1").training.runs
    row = re.search(r"<tr><th scope=\"row\">Training runs a result</th>(.*?)</tr>", page)
    assert row
    assert re.findall(r"<td>(.*?)</td>", row[1])[0] == str(runs)


def test_it_is_there_without_results(tmp_path: Path) -> None:
    write_rules(tmp_path, Content(()))
    assert "TRAIN-3" in (tmp_path / "rules/index.html").read_text("utf-8")
