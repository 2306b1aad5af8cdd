"""TRAIN rules: a result converges no faster than the reference, as far as that can be told."""

from collections.abc import Iterator

from harness.records import Mode, Scenario
from rules.case import Problem, ResultCase
from rules.convergence import Match, judge, summarise_all
from rules.registry import rule
from rules.scoring import pace_of, shared_batch_size


def _closed_training(case: ResultCase) -> bool:
    return case.closed and case.scenario == Scenario.TRAIN


@rule("TRAIN-13", on="result", when=_closed_training)
def one_batch_size(case: ResultCase) -> Iterator[Problem]:
    """In the closed division, all runs of a training result have one global batch size.

    Read from the logs; without it convergence cannot be compared.
    """
    runs = case.entry.of_mode(Mode.TRAINING)
    if runs and shared_batch_size(runs) is None:
        events = [event for run in runs for event in run.log.all("global_batch_size")]
        yield Problem(
            "the logs do not give one global_batch_size; train every run with the same",
            case.file,
            expected="one whole number from 1",
            found=", ".join(sorted({repr(event.value) for event in events})) or "none",
        )


@rule("TRAIN-14", on="result", when=_closed_training)
def batch_size_is_measured(case: ResultCase) -> Iterator[Problem]:
    """In the closed division, the reference's convergence is known at the result's batch size.

    The workload has reference convergence points, and the batch size is not above the largest of
    them. A round that does not rank only warns.
    """
    size = shared_batch_size(case.entry.of_mode(Mode.TRAINING))
    serving = summarise_all(case.reference.points, case.round.convergence)
    largest = max((point.batch_size for point in serving), default=0)
    if size is not None and size > largest:
        name = case.entry.result.workload
        yield Problem(
            f"no reference convergence point reaches this batch size; measure one with levelfield "
            f"rcp {name} --batch-size {size}, or train with smaller batches",
            case.file,
            expected=f"at most {largest}" if largest else "reference convergence points",
            found=str(size),
            severity="error" if case.round.rankable else "warning",
        )


@rule("TRAIN-15", on="result", when=_closed_training)
def no_faster_than_the_reference(case: ResultCase) -> Iterator[Problem]:
    """In the closed division, a result converges no faster than the reference allows.

    The Olympic mean of the samples at each run's last evaluation is not below the limit: the least
    mean that a one-sided t-test does not tell from the reference's, less the round's allowance. Of
    more runs than the round asks for, those count that the score is of (TRAIN-1).
    The reference's mean and deviation are those of the point of the same batch size, else
    interpolated between the two around it, points above their lower convex hull left out; for a
    batch size below the smallest, those of the smallest.
    """
    every = case.reference.card.training.evaluate_every
    pace = pace_of(case.entry.runs, case.round, case.reference.points, every)
    if pace is None:
        return
    terms, name = case.round.convergence, case.entry.result.workload
    allowance = terms.allowance_samples.get(name, 0)
    verdict = judge(pace, terms, case.round.training.runs, allowance)
    if not verdict.passed:
        yield Problem(
            f"the runs converged faster than {_source(pace.match)} allows; {_remedy(pace.match)}",
            case.file,
            expected=f"at least {verdict.limit:.1f} samples (reference: {_numbers(pace.match)})",
            found=f"{pace.result_mean:.1f} samples",
        )


def _source(match: Match) -> str:
    sizes = " and ".join(map(str, match.points))
    return f"the reference at batch size {sizes}"


def _numbers(match: Match) -> str:
    return f"{match.reference.mean:.1f}, deviation {match.reference.deviation:.1f}"


def _remedy(match: Match) -> str:
    seeds = "keep the reference's data order, initialisation and seeds drawn by the harness"
    return f"{seeds}, or use a batch size that is measured" if match.how == "below" else seeds
