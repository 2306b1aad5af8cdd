"""MLPERF rules on convergence: where the written rules and the official tools come to another
verdict or factor, and whether the published factor is today's.
"""

from collections.abc import Iterator
from typing import Any

from rules.case import Problem
from rules.convergence import Pace, Verdict, judge, match, olympic
from rules.mlperf.case import ResultCase, rule
from rules.mlperf.official import reference_points
from rules.mlperf.together import position
from rules.round import ConvergenceTerms


def verdict_of(case: ResultCase, terms: ConvergenceTerms) -> Verdict | None:
    """How a directory's convergence is judged by ``terms``.

    None where its batch sizes differ, too many runs are lost, or no reference point serves.
    """
    runs, benchmark = case.result.runs, case.benchmark
    sizes = {run.global_batch_size for run in runs if type(run.global_batch_size) is int}
    mean = olympic((position(benchmark.unit, run) for run in runs), terms.drop)
    points = reference_points(case.points.get(case.result.benchmark, {}), terms)
    found = match(min(sizes), points, benchmark.runs) if len(sizes) == 1 else None
    if found is None or mean is None:
        return None
    allowance = terms.allowance_samples.get(case.result.benchmark, 0)
    return judge(Pace(found, mean), terms, benchmark.runs, allowance)


def _closed(case: ResultCase) -> bool:
    return case.closed and bool(case.result.runs)


@rule(23, on="result", when=_closed)
def convergence_as_the_rules_are_written(case: ResultCase) -> Iterator[Problem]:
    """In the closed division, the written rules give the verdict and factor of the official tools.

    The written rules prune reference points to their lower convex hull, take the deviation of the
    runs that are not dropped, and grant no samples beyond the t-test in this round. Another
    verdict is an error, another factor by which the score is scaled a warning.
    """
    official = verdict_of(case, case.terms.convergence)
    strict = verdict_of(case, case.strict.convergence)
    if official is None or strict is None:
        return
    if official.passed != strict.passed:
        yield _differs(
            case,
            "the verdict on convergence differs",
            f"{_word(strict)}: at least {strict.limit:.10g}",
            f"{strict.pace.result_mean:.10g}; official: {_word(official)}, limit "
            f"{official.limit:.10g}",
        )
    elif official.pace.factor != strict.pace.factor:
        yield _differs(
            case,
            "the factor on the score differs",
            f"{strict.pace.factor:.6f}, {_source(strict)}",
            f"official: {official.pace.factor:.6f}, {_source(official)}",
            severity="warning",
        )


def _word(verdict: Verdict) -> str:
    return "passed" if verdict.passed else "refused"


def _source(verdict: Verdict) -> str:
    sizes = " and ".join(map(str, verdict.pace.match.points))
    return f"reference mean {verdict.pace.match.reference.mean:.10g} from batch size {sizes}"


@rule(24, on="result", when=_closed)
def published_factor_is_todays(case: ResultCase) -> Iterator[Problem]:
    """A factor that was published with the logs is the one that the official tools compute.

    A directory without one needs none, as its factor is 1. A warning.
    """
    official = verdict_of(case, case.terms.convergence)
    published = case.result.published_scaling
    if official is None or not official.passed:
        return
    factor = official.pace.factor
    if factor != (1.0 if published is None else published):
        yield Problem(
            "the published factor is not that of the reference points at hand",
            case.result.scaling_file,
            expected=repr(factor),
            found=repr(published) if published is not None else "no scaling.json",
            severity="warning",
        )


def _differs(case: ResultCase, message: str, expected: str, found: str, **details: Any) -> Problem:
    """A difference between the readings, at the last evaluation of the first run that has one."""
    last = [(run, event) for run in case.result.runs if (event := run.log.last("eval_accuracy"))]
    run, event = last[0]
    return Problem(message, run.file, event.line, expected=expected, found=found, **details)
