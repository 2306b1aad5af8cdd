import json

import pytest
from pydantic import ValidationError

from harness.errors import UsageError
from rules.rule import Finding, Report
from submissions.countersignature import FindingsSummary, summary_of
from submissions.manifest import canonical
from submissions.verdict import Verdict, verdict_of


def finding(rule: str, severity: str) -> Finding:
    fields = {"rule": rule, "severity": severity, "file": "run.json", "line": None}
    return Finding.model_validate({**fields, "expected": None, "found": None, "message": "odd"})


def report(*findings: Finding) -> Report:
    return Report(round="practice", findings=findings, passed=("LOG-1",), not_applicable=())


@pytest.mark.parametrize(
    ("severities", "result", "warned", "failed"),
    [
        ([], "PASSED", (), ()),
        (["warning"], "WARNED", ("TRAIN-1",), ()),
        (["warning", "error"], "FAILED", (), ("TRAIN-1",)),
    ],
)
def test_a_rule_fails_by_an_error_and_warns_by_a_warning(
    severities: list[str], result: str, warned: tuple[str, ...], failed: tuple[str, ...]
) -> None:
    verdict = verdict_of(report(*(finding("TRAIN-1", severity) for severity in severities)))
    assert (verdict.result, verdict.warnedTests, verdict.failedTests) == (result, warned, failed)
    assert verdict.passed == (result != "FAILED")


def test_a_verdict_names_the_rules_and_the_round_by_digest() -> None:
    verdict = verdict_of(report())
    assert verdict.judged_by("practice")
    assert not verdict.judged_by("2026.1")
    assert [one.name for one in verdict.configuration] == [
        "levelfield/rules",
        "levelfield/round/practice",
    ]


def test_a_verdict_that_passes_and_names_a_failed_rule_has_not_passed() -> None:
    lying = verdict_of(report()).model_copy(update={"failedTests": ("LOG-1",)})
    assert not lying.passed


def test_an_address_is_there_or_left_out() -> None:
    assert "url" not in json.loads(canonical(verdict_of(report())))
    told = verdict_of(report(), url="https://ci.example/1")
    assert json.loads(canonical(told))["url"] == "https://ci.example/1"
    with pytest.raises(ValidationError, match="url"):
        Verdict(result="PASSED", configuration=(), url="javascript:alert(1)")
    with pytest.raises(UsageError, match="not an https address"):
        verdict_of(report(), url="http://ci.example/1")


def test_a_countersignature_counts_no_errors() -> None:
    assert summary_of(report(finding("LOG-2", "warning"))) == FindingsSummary(passed=1, warnings=1)
    with pytest.raises(ValidationError, match="errors"):
        FindingsSummary(passed=1, warnings=0, errors=1)
