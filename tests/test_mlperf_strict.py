"""rules/mlperf/strict.py: silent on valid results, and each example breaks the rule it names."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_breaks import (
    ATTACKS,
    BREAKS,
    RETINANET,
    Results,
    aborted,
    all_but_the_first_evaluation,
    called,
    counted_a_batch_early,
    edited,
)
from official_logs import (
    BATCH,
    POINTS,
    ROUND,
    STRICT,
    Line,
    a_result,
    a_run,
    changed,
    moved,
    valid_lines,
)

from harness.errors import UsageError
from rules.mlperf.case import Points
from rules.mlperf.compliance import check_log
from rules.mlperf.log import OfficialResult
from rules.mlperf.strict import STRICT_RULES, check
from rules.rule import Finding

OFFICIAL = Path(__file__).parents[2] / "shared/mlperf"
needs_samples = pytest.mark.skipif(
    not OFFICIAL.exists(), reason="MLPerf's published logs are not here"
)


def findings(results: list[OfficialResult], points: Points = POINTS) -> list[Finding]:
    found = check(results, ROUND, points, STRICT)
    assert not [one.text for one in found if "could not judge" in one.message]
    return found


EXAMPLES = [
    pytest.param(number, example, id=f"{number}-{at}")
    for number, examples in BREAKS.items()
    for at, example in enumerate(examples)
]


def test_valid_results_are_silent() -> None:
    assert [one.text for one in findings([a_result(name) for name in BATCH])] == []


def test_every_rule_has_an_example() -> None:
    assert [*sorted({*BREAKS, "MLPERF-23"}, key=list(STRICT_RULES).index)] == [*STRICT_RULES]


NO_LINES = {"MLPERF-2", "MLPERF-18", "MLPERF-22", "MLPERF-24", "MLPERF-25", "MLPERF-26"}
"""Rules on what is missing, or on more than one log."""


@pytest.mark.parametrize(("number", "example"), EXAMPLES)
def test_an_example_breaks_its_rule(number: str, example: Results) -> None:
    broken = [one for one in findings(example()) if one.rule == number]
    assert broken
    assert all(one.file.startswith("Acme/") for one in broken)
    assert number in NO_LINES or broken[0].line


@pytest.mark.parametrize("name", ATTACKS)
def test_what_the_official_checker_accepts_is_seen(name: str) -> None:
    benchmark, attack, rules = ATTACKS[name]
    assert rules <= {one.rule for one in findings([a_result(benchmark, attack)])}


ACCEPTED = ATTACKS.keys() - {"code in a division name"}


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_the_official_checker_accepts_it(name: str) -> None:
    benchmark, attack, _ = ATTACKS[name]
    for run in a_result(benchmark, attack).runs:
        assert [one.text for one in check_log(run, ROUND).errors] == []


def test_one_lost_run_is_tolerated() -> None:
    assert findings([a_result("retinanet", aborted, only=3)]) == []
    cut = a_result("retinanet", lambda lines: lines[:-4], only=3)
    assert findings([cut]) == []


def test_a_step_early_is_a_warning_and_elsewhere_an_error() -> None:
    severities = {
        example: {one.severity for one in findings(edited("llama31_8b", example)())}
        for example in (counted_a_batch_early, all_but_the_first_evaluation)
    }
    assert severities == {
        counted_a_batch_early: {"warning"},
        all_but_the_first_evaluation: {"error"},
    }


def test_the_extra_evaluation_at_the_end_of_an_epoch() -> None:
    """As two published logs have it: 20 evaluations in an epoch, and one more at its end."""
    places = [0.05 * at for at in range(1, 20)] + [0.99, 1]
    lines = valid_lines("retinanet", evaluations=len(places))
    counted = [line for line in lines if line["key"] == "eval_accuracy"]
    for line, place in zip(counted, places, strict=True):
        line["metadata"]["epoch_num"] = place
    result = called("rgat", runs=(a_run(lines, "Acme", 0),))
    (found,) = [one for one in findings([result]) if one.rule == "MLPERF-11"]
    assert (found.expected, found.found) == ("epoch_num 1.05", "1")


def convergence(means: dict[int, float], size: int = 32) -> Finding | None:
    """What MLPERF-23 says of a result that takes some 40 thousand samples."""
    points = {"llama31_8b": {at: [mean] * 20 for at, mean in means.items()}}
    result = a_result("llama31_8b")
    assert {run.global_batch_size for run in result.runs} == {size}
    found = [one for one in findings([result], points) if one.rule == "MLPERF-23"]
    return found[0] if found else None


def test_the_readings_differ_where_only_the_hull_leaves_a_point_out() -> None:
    """The mean is 43,008; MLPerf's single pass keeps 45,000 at 32, the hull gives 40,333."""
    found = convergence({16: 30_000, 32: 45_000, 48: 60_500, 64: 61_000})
    assert found
    assert (found.severity, found.file) == (
        "error",
        "Acme/results/one/llama31_8b/result_0.txt",
    )
    assert found.expected == "passed: at least 40333.33333"
    assert found.found == "43008; official: refused, limit 45000"
    assert convergence({16: 30_000, 32: 40_000}) is None


def test_the_factors_differ() -> None:
    """The reference's runs differ enough that both readings let the result pass."""
    spread = [0.5, 0.7, 0.8, 0.9, 1, 1, 1.1, 1.2, 1.3, 1.5] * 2
    means = {16: 30_000, 32: 45_000, 48: 60_500, 64: 61_000}
    points = {"llama31_8b": {at: [mean * s for s in spread] for at, mean in means.items()}}
    found = [one for one in findings([a_result("llama31_8b")], points) if "23" in one.rule]
    assert [one.severity for one in found] == ["warning"]
    assert found[0].expected == "1.000000, reference mean 40333.33333 from batch size 16 and 64"


def test_the_allowance_of_another_round_is_not_granted() -> None:
    """A mean of 276,480 passes with the tool's 46,080 samples, and not without."""
    runs = [a_run(valid_lines("llama31_405b", at, 1), "Acme", at) for at in range(3)]
    result = a_result("llama31_405b", runs=tuple(runs))
    points = {"llama31_405b": {1152: [313_344.0] * 6}}
    (found,) = [one for one in findings([result], points) if one.rule == "MLPERF-23"]
    assert (found.severity, found.expected) == ("error", "refused: at least 313344")
    assert found.found == "276480; official: passed, limit 267264"


def test_a_round_without_strict_terms() -> None:
    with pytest.raises(UsageError, match=r"known: mlperf-training-5\.1"):
        check([], ROUND.model_copy(update={"name": "mlperf-training-9"}), {})


def test_results_are_taken_one_at_a_time_and_submitters_kept_apart() -> None:
    """Another submitter's equal log is nobody's copy here: each is judged alone."""
    other = replace(a_result("retinanet"), submitter="Other")
    found = check(iter([a_result("retinanet"), other]), ROUND, POINTS, STRICT)
    assert {one.rule for one in found} == {"MLPERF-14"}
    again = a_result("retinanet", system="two")
    found = check(iter([a_result("retinanet"), other, again]), ROUND, POINTS, STRICT)
    assert {one.rule for one in found} == {"MLPERF-14", "MLPERF-20", "MLPERF-21"}


def test_findings_name_line_and_values() -> None:
    broken = a_result("retinanet", moved("run_start", "run_stop", copied=True), only=1)
    (found,) = [one for one in findings([broken]) if one.rule == "MLPERF-2"]
    assert found.text == (
        f"error MLPERF-2 {broken.runs[1].file}:{found.line}: run_start is logged more than once; "
        f"the first is line {valid_line('run_start')}; expected 1, found 2"
    )


def valid_line(key: str) -> int:
    return 1 + [line["key"] for line in valid_lines("retinanet")].index(key)


def test_a_rule_that_crashes_is_an_error() -> None:
    result = a_result("retinanet")
    points: Any = {"retinanet": {256: ["fast"] * 3}}
    crashed = check([result], ROUND, points, STRICT)
    assert {(one.rule, one.severity) for one in crashed} == {
        ("MLPERF-23", "error"),
        ("MLPERF-24", "error"),
        ("MLPERF-26", "error"),
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_log_makes_a_rule_crash(data: st.DataObject) -> None:
    lines = valid_lines("llama31_8b")
    for _ in range(data.draw(st.integers(1, 4))):
        line = lines[data.draw(st.integers(0, len(lines) - 1))]
        line[data.draw(st.sampled_from(["value", "event_type"]))] = data.draw(JSON)
        name = data.draw(st.sampled_from(["samples_count", "step", "status", "file", "lineno"]))
        line["metadata"] = line["metadata"] | {name: data.draw(JSON)}
        line["time_ms"] = data.draw(st.integers(0, 2**53 - 1))
    findings([a_result("llama31_8b", runs=(a_run(lines, "Acme", 0),))])


def sample(benchmark: str) -> list[Line]:
    """The lines of a published log."""
    data = (OFFICIAL / f"sample/{benchmark}.txt").read_text("latin-1")
    return [json.loads(line.rpartition(":::MLLOG ")[2]) for line in data.split("\n") if line]


def of_a_log(benchmark: str, lines: list[Line]) -> set[tuple[str, str]]:
    """Rules and severities that one published log gives; no directory, as MLPERF-26 says."""
    who = next(line["value"] for line in lines if line["key"] == "submission_org")
    description = a_result("retinanet").description
    run = a_run(lines, "Acme", 0)
    result = OfficialResult(who, "one", benchmark, "Acme", (run,), None, description)
    found = {(one.rule, one.severity) for one in findings([result], {})}
    return found - {("MLPERF-26", "error"), ("MLPERF-18", "error")}


PUBLISHED = {
    "dlrm_dcnv2": {"MLPERF-4"},
    "flux1": set(),
    "llama2_70b_lora": set(),
    "llama31_405b": set(),
    "llama31_8b": {"MLPERF-11", "MLPERF-13"},
    "retinanet": {"MLPERF-13"},
    "rgat": set(),
}


@needs_samples
@pytest.mark.parametrize("benchmark", PUBLISHED)
def test_a_published_log_of_each_benchmark(benchmark: str) -> None:
    found = of_a_log(benchmark, sample(benchmark))
    assert found == {(rule, "warning") for rule in PUBLISHED[benchmark]}


@needs_samples
@pytest.mark.parametrize("name", ATTACKS)
def test_a_published_log_is_attacked(name: str) -> None:
    benchmark, attack, rules = ATTACKS[name]
    lines = sample(benchmark)
    before = of_a_log(benchmark, lines)
    after = of_a_log(benchmark, attack(lines)) - before
    assert rules - {"MLPERF-18"} <= {rule for rule, _ in after}


@needs_samples
def test_a_forged_batch_size_shows_in_full_epochs() -> None:
    forged = changed("global_batch_size", value=65536)(sample("dlrm_dcnv2"))
    assert ("MLPERF-12", "error") in of_a_log("dlrm_dcnv2", forged)


def test_a_finding_survives_json() -> None:
    (found, *_) = findings([*RETINANET(), called("resnet")])
    assert Finding.model_validate(json.loads(found.to_json())) == found
