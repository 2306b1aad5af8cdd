"""docs/mlperf.py makes the tables of docs/mlperf.md, and the page names what it should."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from official_breaks import ATTACKS, all_but_the_first_evaluation
from official_logs import POINTS, ROUND, Edit, a_result

from rules.mlperf.log import OfficialResult
from rules.mlperf.strict import STRICT_RULES, check

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/mlperf.md").read_text("utf-8")


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mlperf_page", ROOT / "docs/mlperf.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def imported(benchmark: str, edit: Edit | None = None, system: str = "one") -> OfficialResult:
    """A result with the paths that an import gives it."""
    found = a_result(benchmark, edit, system=system)
    path = f"Acme/{system}/results/{benchmark}/train"
    runs = (replace(run, file=f"{path}/{run.name[:-4]}/events.log") for run in found.runs)
    return replace(found, path=path, runs=tuple(runs))


def test_the_tables(page: ModuleType) -> None:
    results = [
        imported("llama31_8b", all_but_the_first_evaluation),
        imported("retinanet"),
        imported("retinanet", system="two"),
    ]
    found = page.tables(check(results, ROUND, POINTS), 3, 20)
    assert found["found"][0] == "Of 3 directories with 20 logs:"
    assert [row.split(" | ")[1:4] for row in found["found"] if "MLPERF-11]" in row] == [
        ["error", "1", "10"]
    ]
    assert found["schedule"][-1] == (
        "| Acme one llama31_8b | 10 | error | evaluation 1 is off the schedule | "
        "samples_count 12288 | 24576 |"
    )
    assert found["copies"][-1] == "| Acme two retinanet | 5 | Acme one retinanet |"


def test_the_page_names_each_rule_that_catches_an_attack() -> None:
    table = PAGE.partition("## Two readings")[2].partition("## What the strict")[0]
    caught = {rule for *_, rules in ATTACKS.values() for rule in rules} - {"MLPERF-18"}
    assert set(re.findall(r"MLPERF-\d+", table)) >= caught


def test_the_page_speaks_of_every_rule() -> None:
    """Each either finds something or is said to find nothing."""
    table = PAGE.partition("<!-- found: begin -->")[2].partition("<!-- found: end -->")[0]
    assert set(re.findall(r"MLPERF-\d+", table)) == set(STRICT_RULES)
