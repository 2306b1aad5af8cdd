"""docs/mlperf.py reads published folders, and docs/mlperf.md names what it should."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from official_breaks import ATTACKS, all_but_the_first_evaluation, edited
from official_logs import POINTS, ROUND, a_result, as_log, valid_lines

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


def published(root: Path, scaling: float | None = None) -> None:
    """Valid retinanet logs as MLCommons publishes a directory."""
    folder = root / "Acme/results/one/retinanet"
    folder.mkdir(parents=True)
    for at in range(ROUND.benchmarks["retinanet"].runs):
        (folder / f"result_{at}.txt").write_bytes(as_log(valid_lines("retinanet", at)))
    (root / "Acme/systems").mkdir()
    description = json.dumps(dict(a_result("retinanet").description))
    (root / "Acme/systems/one.json").write_text(description, "utf-8")
    if scaling is not None:
        (folder / "scaling.json").write_text(json.dumps({"scaling_factor": scaling}), "utf-8")


def reference(root: Path) -> None:
    record: dict[str, Any] = {"BS": 256, "Epochs to converge": [2] * 20}
    (root / "rcps_retinanet.json").write_text(json.dumps({"one": record}), "utf-8")


def test_a_published_folder_is_read(page: ModuleType, tmp_path: Path) -> None:
    published(tmp_path)
    reference(tmp_path)
    results = [*page.read_results(tmp_path)]
    assert [run.name for run in results[0].runs] == [f"result_{at}.txt" for at in range(5)]
    assert check(results, ROUND, page.read_points(tmp_path)) == []


def test_a_stale_factor_is_found(page: ModuleType, tmp_path: Path) -> None:
    published(tmp_path, scaling=1.01)
    reference(tmp_path)
    found = check([*page.read_results(tmp_path)], ROUND, page.read_points(tmp_path))
    assert [(one.rule, one.expected, one.found) for one in found] == [("MLPERF-24", "1.0", "1.01")]
    assert found[0].file == "Acme/results/one/retinanet/scaling.json"


def test_the_tables(page: ModuleType) -> None:
    results = [
        *edited("llama31_8b", all_but_the_first_evaluation)(),
        a_result("retinanet"),
        a_result("retinanet", system="two"),
    ]
    found = page.tables(results, check(results, ROUND, POINTS))
    assert found["found"][0] == "Of 3 directories with 20 logs:"
    assert [row.split(" | ")[1:4] for row in found["found"] if "MLPERF-11]" in row] == [
        ["error", "1", "10"]
    ]
    assert found["schedule"][-1] == (
        "| Acme one llama31_8b | 10 | error | evaluation 1 is off the schedule | "
        "samples_count 12288 | 24576 |"
    )
    assert found["copies"][-1].startswith("| `Acme/results/two/retinanet` | 5 | `Acme/results/one")


def test_the_page_names_each_rule_that_catches_an_attack() -> None:
    table = PAGE.partition("## Two readings")[2].partition("## What the strict")[0]
    caught = {rule for *_, rules in ATTACKS.values() for rule in rules} - {"MLPERF-18"}
    assert set(re.findall(r"MLPERF-\d+", table)) >= caught


def test_the_page_speaks_of_every_rule() -> None:
    """Each either finds something or is said to find nothing."""
    table = PAGE.partition("<!-- found: begin -->")[2].partition("<!-- found: end -->")[0]
    assert set(re.findall(r"MLPERF-\d+", table)) == set(STRICT_RULES)
