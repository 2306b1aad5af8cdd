"""TRAIN rules: hyperparameters may be taken over from another submission, as a group and once."""

from collections.abc import Iterable, Iterator, Sequence

from harness.records import Borrowed, Mode, Number, Scenario
from rules.case import Lender, Problem, ResultCase
from rules.convergence import Pace
from rules.registry import rule
from rules.round import Round
from rules.scoring import pace_of
from rules.submission import Entry, RunEvidence

BATCH_SIZE = "global_batch_size"
"""The one hyperparameter that a borrower may change."""


def sources_of(runs: Iterable[RunEvidence]) -> list[Borrowed]:
    """The sources of hyperparameters that ``runs`` name, each once."""
    return list(dict.fromkeys(e.run.borrowed_from for e in runs if e.run.borrowed_from))


def lent_entry(lender: Lender, source: Borrowed) -> Entry | None:
    """The training result of ``lender`` that ``source`` speaks of; none if there is none."""
    for entry in lender.submission.entries:
        claim = entry.result
        if claim.scenario == Scenario.TRAIN and claim.workload == source.workload:
            return entry
    return None


def shared_set(entry: Entry) -> dict[str, Number] | None:
    """The one set of hyperparameters of a result's training runs; none if they differ."""
    sets = [evidence.run.hyperparameters for evidence in entry.of_mode(Mode.TRAINING)]
    return dict(sets[0]) if sets and all(one == sets[0] for one in sets) else None


def differences(own: dict[str, Number], lent: dict[str, Number]) -> list[str]:
    """Names whose values differ between two sets, or that only one of them has."""
    return [name for name in {**lent, **own} if own.get(name) != lent.get(name)]


def _borrows(case: ResultCase) -> bool:
    return bool(sources_of(case.entry.runs))


def _source(case: ResultCase) -> Borrowed:
    """The first source that the result's runs name."""
    return sources_of(case.entry.runs)[0]


def _lent(case: ResultCase) -> Entry | None:
    """The result that lends, where its bundle is at hand."""
    source = _source(case)
    lender = case.lenders.get(source.bundle)
    return lent_entry(lender, source) if lender else None


def _has_lender(case: ResultCase) -> bool:
    return _borrows(case) and _lent(case) is not None


@rule("TRAIN-16", on="result", when=_borrows)
def borrowed_once(case: ResultCase) -> Iterator[Problem]:
    """Borrowed hyperparameters have one source: the same in every run of a training result.

    The source is a training result of the same workload.
    """
    sources, workload = sources_of(case.entry.runs), case.entry.result.workload
    named = [evidence.run.borrowed_from for evidence in case.entry.runs]
    if case.scenario != Scenario.TRAIN:
        yield Problem("only a training can borrow hyperparameters", case.file)
    elif len(sources) > 1 or None in named:
        yield Problem(
            "the runs do not share one source of hyperparameters; borrow once for all of them",
            case.file,
            expected="one source",
            found=", ".join("none" if one is None else one.bundle for one in dict.fromkeys(named)),
        )
    for source in sources:
        if source.workload != workload:
            yield Problem(
                "the hyperparameters are those of another workload",
                case.file,
                expected=workload,
                found=source.workload,
            )


@rule("TRAIN-17", on="result", when=_borrows)
def source_is_eligible(case: ResultCase) -> Iterator[Problem]:
    """The source of borrowed hyperparameters is a valid result of the same round.

    Its bundle has such a training result, of the same division, whose runs share one set that is
    itself not borrowed, and the check finds no error in that bundle. Where the bundle is not at
    hand this can only be a warning.
    """
    source = _source(case)
    lender = case.lenders.get(source.bundle)
    if lender is None:
        yield Problem(
            f"hyperparameters are borrowed from bundle {source.bundle}, which is not at hand, so "
            "TRAIN-18 and TRAIN-19 are not judged; give it: levelfield check BUNDLE --with LENDER",
            case.file,
            severity="warning",
        )
        return
    for message, expected, found in _against(case, lender, source):
        yield Problem(f"the source, bundle {source.bundle}, {message}", case.file,
                      expected=expected, found=found)  # fmt: skip


def _against(
    case: ResultCase, lender: Lender, source: Borrowed
) -> Iterator[tuple[str, str | None, str | None]]:
    """What makes ``lender`` no source for the result: message, expected, found."""
    if lender.submission.round != case.submission.round:
        yield "is of another round", case.submission.round, lender.submission.round
        return
    entry = lent_entry(lender, source)
    if entry is None:
        yield f"has no training result of {source.workload}", None, None
        return
    division = case.entry.result.division
    if entry.result.division != division:
        yield "is of another division", division, entry.result.division
    if sources_of(entry.runs):
        yield "borrowed its hyperparameters itself; borrow from where they come", None, None
    if shared_set(entry) is None:
        yield "has runs with different hyperparameters, so lends none", None, None
    if lender.errors:
        yield "does not pass its own check", "no errors", str(lender.errors)


@rule("TRAIN-18", on="result", when=_has_lender)
def set_is_the_sources(case: ResultCase) -> Iterator[Problem]:
    """Borrowed hyperparameters are the source's whole set; only the batch size may differ."""
    entry = _lent(case)
    lent = shared_set(entry) if entry else None
    if lent is None:
        return
    for evidence in case.entry.of_mode(Mode.TRAINING):
        own = evidence.run.hyperparameters
        for name in differences(own, lent):
            if name != BATCH_SIZE:
                yield Problem(
                    f"hyperparameter {name} is not the source's",
                    evidence.file("run.json"),
                    expected=repr(lent.get(name)),
                    found=repr(own.get(name)),
                )


@rule("TRAIN-19", on="result", when=_has_lender)
def no_faster_than_the_lender(case: ResultCase) -> Iterator[Problem]:
    """With borrowed hyperparameters a result may converge as fast as its source, and no faster.

    The Olympic means of the samples to converge are compared, each as a share of the reference's at
    its batch size. The borrower's is not below the least that a one-sided t-test with the
    reference's deviation does not tell from the source's.
    """
    entry = _lent(case)
    ours, theirs = _pace(case, case.entry.runs), _pace(case, entry.runs if entry else ())
    if ours is None or theirs is None:
        return
    expected = theirs.result_mean / theirs.match.reference.mean * ours.match.reference.mean
    limit = expected - _slack(ours, case.round)
    if ours.result_mean < limit:
        yield Problem(
            "the runs converged faster than those of the source; what is borrowed may match its "
            "source, and not beat it",
            case.file,
            expected=f"at least {limit:.1f} samples (source: {expected:.1f} at this batch size)",
            found=f"{ours.result_mean:.1f} samples",
        )


def _pace(case: ResultCase, runs: Sequence[RunEvidence]) -> Pace | None:
    every = case.reference.card.training.evaluate_every
    return pace_of(runs, case.round, case.reference.points, every)


def _slack(pace: Pace, terms: Round) -> float:
    """By how much one of two equal results may be below the other, in samples.

    t(1 - significance; n - 1) x s x sqrt(2 / m): s is the deviation of the reference's n runs, m
    how many runs each of the two means is of.
    """
    from scipy.special import stdtrit

    reference, kept = pace.match.reference, terms.training.runs - 2 * terms.training.drop
    quantile = float(stdtrit(max(1, reference.runs - 1), 1 - terms.convergence.significance))
    return quantile * reference.deviation * float((2 / max(1, kept)) ** 0.5)
