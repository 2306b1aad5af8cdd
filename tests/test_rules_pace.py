"""rules/pace.py and the scaling of scores, on whole submissions."""

from dataclasses import replace

import pytest
from altered import with_claim, with_log, with_record, without
from breaks import TRAIN, converging_faster
from valid import CARD, POINTS, REFERENCE, ROUND, STEP, installed, valid_submission

from harness.records import Division, RunStatus
from rules.case import Reference
from rules.rule import Finding, check
from rules.scoring import pace_of, samples_to_converge, score, shared_batch_size

VALID = valid_submission()
FASTER = converging_faster(VALID, 2)
RUNS = VALID.entries[0].runs
UNSCALED = 2.4
RANKABLE = ROUND.model_copy(update={"rankable": True})


def unmeasured(name: str) -> Reference | None:
    return replace(REFERENCE, points=()) if name == CARD.name else None


def findings(number: str, submission: object = VALID, **changes: object) -> list[Finding]:
    arguments = {"terms": ROUND, "find": installed, **changes}
    report = check(submission, **arguments)  # type: ignore[arg-type]
    return [finding for finding in report.findings if finding.rule == number]


def test_samples_are_read_from_the_log() -> None:
    run = RUNS[0]
    assert samples_to_converge(run) == 3 * STEP
    forged = with_record(VALID, TRAIN, samples=99).entries[0].runs[0]
    assert samples_to_converge(forged) == 3 * STEP
    aborted = with_record(VALID, TRAIN, status=RunStatus.ABORTED).entries[0].runs[0]
    cut = with_log(VALID, TRAIN, without("eval_accuracy")).entries[0].runs[0]
    assert samples_to_converge(aborted) == samples_to_converge(cut) == float("inf")


def test_the_batch_size_is_read_from_every_log() -> None:
    assert shared_batch_size(RUNS) == 64
    assert shared_batch_size([]) is None
    assert (
        shared_batch_size(with_log(VALID, TRAIN, without("global_batch_size")).entries[0].runs)
        is None
    )


def test_a_failed_run_need_not_have_logged_its_batch_size() -> None:
    unlogged = with_log(VALID, TRAIN, without("global_batch_size"))
    failed = with_record(unlogged, TRAIN, status=RunStatus.FAILED)
    assert shared_batch_size(failed.entries[0].runs) == 64
    assert findings("TRAIN-13", failed) == []
    assert shared_batch_size(failed.entries[0].runs[:1]) is None


def test_a_result_at_the_references_pace_is_not_scaled() -> None:
    assert score(TRAIN, RUNS, ROUND, POINTS) == score(TRAIN, RUNS, ROUND) == UNSCALED


def test_a_faster_result_is_scaled_to_the_references_mean() -> None:
    runs = FASTER.entries[0].runs
    assert score(TRAIN, runs, ROUND) == UNSCALED
    assert score(TRAIN, runs, ROUND, POINTS) == UNSCALED * 2


def test_a_claim_must_be_scaled() -> None:
    (found,) = findings("SCORE-1", FASTER)
    assert (found.expected, found.found) == (repr(UNSCALED * 2), repr(UNSCALED))
    assert findings("SCORE-1", with_claim(FASTER, TRAIN, value=UNSCALED * 2)) == []


def test_the_open_division_is_not_compared() -> None:
    runs = with_record(FASTER, TRAIN, division=Division.OPEN).entries[0].runs
    assert pace_of(runs, ROUND, POINTS) is None
    assert score(TRAIN, runs, ROUND, POINTS) == UNSCALED
    opened = with_claim(FASTER, TRAIN, division=Division.OPEN)
    for number in ("TRAIN-13", "TRAIN-14", "TRAIN-15"):
        assert findings(number, opened) == []


def test_the_limit_is_told_with_its_numbers() -> None:
    """20 runs at 2,880 to 4,800: s = 697.4 with the grid of 960; t of 17 is 1.7396."""
    (found,) = findings("TRAIN-15", FASTER)
    assert found.severity == "error"
    assert found.expected == "at least 2593.5 samples (reference: 3840.0, deviation 697.4)"
    assert found.found == "1920.0 samples"
    assert "batch size 64" in found.message


def test_an_allowance_is_the_rounds() -> None:
    lenient = ROUND.convergence.model_copy(update={"allowance_samples": {CARD.name: 700}})
    terms = ROUND.model_copy(update={"convergence": lenient})
    assert findings("TRAIN-15", FASTER, terms=terms) == []


@pytest.mark.parametrize(("terms", "severity"), [(ROUND, "warning"), (RANKABLE, "error")])
def test_without_points_a_round_that_ranks_refuses(terms: object, severity: str) -> None:
    (found,) = findings("TRAIN-14", terms=terms, find=unmeasured)
    assert found.severity == severity
    assert "levelfield rcp image_classification --batch-size 64" in found.message
    assert findings("TRAIN-15", terms=terms, find=unmeasured) == []


def test_a_point_of_which_too_many_runs_were_lost_does_not_serve() -> None:
    lost = tuple(p.model_copy(update={"samples_to_converge": (None, None, 960)}) for p in POINTS)
    found = findings("TRAIN-14", find=lambda _: replace(REFERENCE, points=lost))
    assert [one.found for one in found] == ["64"]


def test_of_more_runs_those_are_compared_that_are_scored() -> None:
    """The stretches take 1.8, 2.4 and 2.4 s: the earlier of the slow ones is scored, and judged."""
    slow = FASTER.entries[0].runs
    runs = [RUNS[0], RUNS[0], slow[1], slow[2], slow[0]]
    pace = pace_of(runs, ROUND, POINTS)
    assert pace is not None
    assert pace == pace_of(runs[1:4], ROUND, POINTS)
    assert pace.result_mean == 2.5 * STEP
    assert score(TRAIN, runs, ROUND, POINTS) == UNSCALED * pace.factor
