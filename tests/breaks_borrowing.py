"""A submission that borrowed its hyperparameters, its lender, and how the rules can be broken."""

from collections.abc import Callable
from dataclasses import replace

from altered import with_claim, with_evidence, with_hyperparameters, with_record
from inference_edits import OFFLINE
from valid import CARD, valid_submission

from harness.records import Borrowed, Division, Scenario
from rules.submission import RunEvidence, Submission

TRAIN = Scenario.TRAIN
TUNED = {"opt_base_learning_rate": 0.3}


def tuned(submission: Submission, **changes: float) -> Submission:
    """``submission`` with other hyperparameters in all its training runs."""

    def edit(evidence: RunEvidence) -> RunEvidence:
        values = {**evidence.run.hyperparameters, **changes}
        events = tuple(
            event.replaced(value=values.get(event.key, event.value))
            for event in evidence.log.events
        )
        run = evidence.run.model_copy(update={"hyperparameters": values})
        return replace(evidence, run=run, log=replace(evidence.log, events=events))

    for number in range(3):
        submission = with_evidence(submission, TRAIN, edit, number)
    return submission


def borrowing(
    submission: Submission, bundle: str = "c" * 20, workload: str = CARD.name
) -> Submission:
    """``submission`` with all its training runs saying where their hyperparameters come from."""
    source = Borrowed(bundle=bundle, workload=workload)
    for number in range(3):
        submission = with_record(submission, TRAIN, number, borrowed_from=source)
    return submission


def lender(bundle: str, change: Callable[[Submission], Submission] = lambda s: s) -> Submission:
    """Another's submission with hyperparameters of its own, ``change`` applied."""
    return replace(change(tuned(valid_submission(), **TUNED)), bundle_id=bundle, submitter="lender")


def slower(submission: Submission, times: float) -> Submission:
    """A result that took so many times the samples; its own check does not pass then."""

    def edit(evidence: RunEvidence) -> RunEvidence:
        events = tuple(
            e.replaced(metadata={**e.metadata, "samples_count": int(times * e.samples_count)})
            if e.samples_count is not None
            else e
            for e in evidence.log.events
        )
        return replace(evidence, log=replace(evidence.log, events=events))

    for number in range(3):
        submission = with_evidence(submission, TRAIN, edit, number)
    return submission


LENDER = lender("c" * 20)
LENDERS = (
    LENDER,
    lender("d" * 20, lambda s: replace(s, round="2026.1")),
    lender("e" * 20, lambda s: replace(s, entries=s.entries[1:])),
    lender("f" * 20, lambda s: with_claim(s, TRAIN, division=Division.OPEN)),
    lender("g" * 20, borrowing),
    lender("h" * 20, lambda s: with_hyperparameters(s, opt_base_learning_rate=0.2)),
    lender("i" * 20, lambda s: with_claim(s, TRAIN, value=1.0)),
    lender("j" * 20, lambda s: slower(s, 4)),
)


def borrower(submission: Submission, bundle: str = "c" * 20) -> Submission:
    """``submission`` with a lender's hyperparameters, as the rules allow."""
    return tuned(borrowing(submission, bundle), **TUNED)


def _fewer_names(submission: Submission) -> Submission:
    return with_record(submission, TRAIN, hyperparameters={"global_batch_size": 64})


BORROWING_BREAKS: dict[str, list[Callable[[Submission], Submission]]] = {
    "TRAIN-16": [
        lambda s: with_record(borrower(s), TRAIN, borrowed_from=None),
        lambda s: with_record(
            borrower(s), TRAIN, borrowed_from=Borrowed(bundle="d" * 20, workload=CARD.name)
        ),
        lambda s: borrowing(borrower(s), workload="language_model"),
        lambda s: with_record(
            s, OFFLINE, borrowed_from=Borrowed(bundle="c" * 20, workload=CARD.name)
        ),
    ],
    "TRAIN-17": [lambda s, b=bundle: borrower(s, b * 20) for bundle in "bdefghi"],
    "TRAIN-18": [
        lambda s: tuned(borrower(s), opt_base_learning_rate=0.1),
        lambda s: with_hyperparameters(borrower(s), opt_momentum=0.8),
        lambda s: _fewer_names(borrower(s)),
    ],
    "TRAIN-19": [lambda s: borrower(s, "j" * 20)],
}
