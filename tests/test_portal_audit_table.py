"""Audits as the check judges them, never as the portal does."""

from dataclasses import replace

from portal_example import audit_finding, further_scenarios, published, system

from harness.records import Scenario
from portal.audit_table import DOUBTS, audit_table
from portal.listing import Listing, Published, list_results
from rules.rule import Finding


def _server(*findings: Finding) -> Published:
    return published(system("a", "acme"), further_scenarios(1.0), findings=findings)


def _listing(entry: Published) -> Listing:
    (listing,) = (
        each for each in list_results([entry]) if each.entry.result.scenario is Scenario.SERVER
    )
    return listing


def test_a_finding_stands_with_the_audit_that_it_is_about() -> None:
    table = audit_table(_listing(_server(audit_finding())))
    assert [(row.name, len(row.findings)) for row in table.rows] == [
        ("sampled answers", 0),
        ("repeated sample", 1),
    ]
    assert table.rows[1].runs[0][0] == 4
    assert table.others == ()


def test_a_finding_about_no_audit_run_is_kept_apart() -> None:
    missing = audit_finding().model_copy(
        update={"file": "results/image_classification/server/result.json"}
    )
    table = audit_table(_listing(_server(missing)))
    assert table.others == (missing,)
    assert not any(row.findings for row in table.rows)


def test_without_an_audit_rule_nothing_is_judged() -> None:
    entry = _server()
    assert audit_table(_listing(entry)).judged
    silent = replace(entry, report=entry.report.model_copy(update={"passed": ("LOG-1",)}))
    assert not audit_table(_listing(silent)).judged


def test_every_doubt_has_its_question() -> None:
    assert all(question.endswith("?") for question in DOUBTS.values())
