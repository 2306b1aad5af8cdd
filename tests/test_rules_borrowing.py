"""rules/borrowing.py: a borrowed set is its source's, and converges no faster."""

from dataclasses import replace

from altered import with_record
from breaks_borrowing import BORROWING_BREAKS, LENDER, LENDERS, borrower, lender, slower, tuned
from valid import CARD, ROUND, installed, valid_submission

from harness.records import Borrowed, Scenario
from rules.borrowing import differences, lent_entry, shared_set, sources_of
from rules.case import Lender
from rules.rule import check

VALID = valid_submission()
RULES = set(BORROWING_BREAKS)
SOURCE = Borrowed(bundle="c" * 20, workload=CARD.name)


def test_a_borrowed_set_that_is_the_sources_passes() -> None:
    report = check(borrower(VALID), ROUND, installed, LENDERS)
    assert [finding.text for finding in report.findings] == []
    assert set(report.passed) >= RULES


def test_another_batch_size_is_the_borrowers_to_choose() -> None:
    report = check(tuned(borrower(VALID), global_batch_size=128), ROUND, installed, LENDERS)
    assert "TRAIN-18" in report.passed


def test_a_source_that_is_not_at_hand_is_a_warning_that_says_what_to_do() -> None:
    report = check(borrower(VALID), ROUND, installed)
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("TRAIN-17", "warning")
    assert "--with LENDER" in finding.message
    assert {"TRAIN-18", "TRAIN-19"} <= set(report.not_applicable)


def test_each_fault_of_a_source_is_named() -> None:
    said = {}
    for bundle in "defghi":
        report = check(borrower(VALID, bundle * 20), ROUND, installed, LENDERS)
        said[bundle] = " ".join(f.message for f in report.findings if f.rule == "TRAIN-17")
    for bundle, words in {
        "d": "another round",
        "e": "no training result",
        "f": "another division",
        "g": "borrowed its hyperparameters itself",
        "h": "different hyperparameters",
        "i": "its own check",
    }.items():
        assert words in said[bundle], said[bundle]


def test_a_little_luck_in_converging_is_allowed_and_much_is_not() -> None:
    """The borrower takes four evaluations, its lender five or eight."""
    own = borrower(VALID, "k" * 20)
    for times, refused in ((1.25, False), (2, True)):
        source = lender("k" * 20, lambda s, by=times: slower(s, by))
        found = {f.rule for f in check(own, ROUND, installed, [source]).findings}
        assert ("TRAIN-19" in found) is refused


def test_only_what_is_borrowed_from_is_checked() -> None:
    """A bundle beside it that nobody borrowed from changes nothing."""
    alone = check(borrower(VALID), ROUND, installed, [LENDER])
    beside = check(borrower(VALID), ROUND, installed, LENDERS)
    assert alone == beside


def test_the_set_of_runs_that_differ_is_none() -> None:
    entry = VALID.entries[0]
    assert shared_set(entry) == entry.runs[0].run.hyperparameters
    other = with_record(VALID, Scenario.TRAIN, hyperparameters={})
    assert shared_set(other.entries[0]) is None
    assert shared_set(replace(entry, runs=())) is None


def test_differences_name_what_either_set_lacks() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 3, "c": 4}) == ["b", "c", "a"]
    assert differences({"a": 1}, {"a": 1}) == []


def test_a_source_is_looked_for_by_workload() -> None:
    at_hand = Lender(LENDER, errors=0)
    assert lent_entry(at_hand, SOURCE) is LENDER.entries[0]
    assert lent_entry(at_hand, SOURCE.model_copy(update={"workload": "another"})) is None
    assert sources_of(borrower(VALID).entries[0].runs) == [SOURCE]
