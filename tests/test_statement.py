import json
from dataclasses import replace

import pytest
from run_folders import write_runs

from harness.errors import UsageError
from rules.submission import Submission
from submissions.manifest import canonical
from submissions.pack import pack
from submissions.statement import rules_digest, state


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    folder = tmp_path_factory.mktemp("x")
    return pack(write_runs(folder / "runs"), "acme", "practice", folder / "b").submission


def test_a_statement_is_an_in_toto_statement_about_the_manifest(submission: Submission) -> None:
    fields = json.loads(canonical(state(submission, "0" * 32)))
    assert fields["_type"] == "https://in-toto.io/Statement/v1"
    assert fields["predicateType"] == "urn:levelfield:predicate/benchmark-result/v1"
    assert fields["subject"] == [
        {"name": submission.bundle_id, "digest": {"sha256": submission.manifest_sha256}}
    ]


def test_it_claims_every_result_as_a_decimal_string(submission: Submission) -> None:
    predicate = state(submission, "0" * 32).predicate
    claimed = [(c.scenario.value, c.metric.value, c.value) for c in predicate.results]
    assert claimed == [
        ("offline", "samples_per_second", "2000.0"),
        ("train", "time_to_train", "0.22"),
    ]


@pytest.mark.parametrize(("value", "text"), [(1.5e-7, "0.00000015"), (None, None)])
def test_a_small_or_absent_value_has_no_exponent(
    submission: Submission, value: float | None, text: str | None
) -> None:
    entry = submission.entries[0]
    changed = replace(entry, result=entry.result.model_copy(update={"value": value}))
    claims = state(replace(submission, entries=(changed,)), "0" * 32).predicate.results
    assert claims[0].value == text


def test_it_names_category_system_harness_and_rules(submission: Submission) -> None:
    predicate = state(submission, "0" * 32).predicate
    assert predicate.category == "available"
    assert predicate.system == submission.system_sha256
    assert predicate.harness == submission.system.harness
    assert predicate.rules.code == rules_digest()
    assert predicate.supersedes is None


def test_an_undeclared_system_has_no_category(submission: Submission) -> None:
    bare = submission.system.model_copy(update={"declared": None})
    assert state(replace(submission, system=bare), "0" * 32).predicate.category is None


def test_an_unknown_round_is_refused(submission: Submission) -> None:
    with pytest.raises(UsageError, match="no such round"):
        state(replace(submission, round="practise"), "0" * 32)
