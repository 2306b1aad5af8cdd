"""The strict reading of official results: the checks that the official tools lack."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

# Importing a subject registers its rules.
from rules.case import Problem
from rules.mlperf import convergence, progress, sequence, settings, together  # noqa: F401
from rules.mlperf.case import Points, ResultCase, RunCase, SubmitterCase, in_order
from rules.mlperf.log import OfficialResult
from rules.mlperf.strict_terms import StrictTerms, read_strict_terms
from rules.mlperf.terms import OfficialRound
from rules.registry import Rule
from rules.rule import Finding

STRICT_RULES = in_order()
"""Every rule of the strict reading by number, in the order of judgement."""

_CRASHES = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What a rule may raise on evidence that its author did not foresee."""


def check(
    results: Sequence[OfficialResult],
    terms: OfficialRound,
    points: Points,
    strict: StrictTerms | None = None,
) -> list[Finding]:
    """What the strict reading has against ``results``, in the order of rules.

    ``points`` are the reference convergence points; ``strict`` the round's strict terms, read by
    the round's name unless given. A rule that crashes is an error.
    """
    strict = strict or read_strict_terms(terms.name)
    cases = list(_cases(results, terms, points, strict))
    return [
        finding
        for one in STRICT_RULES.values()
        for case in cases
        if _in_scope(one, case) and one.applies(case)
        for finding in _judge(one, case)
    ]


def _cases(
    results: Iterable[OfficialResult], terms: OfficialRound, points: Points, strict: StrictTerms
) -> Iterator[SubmitterCase]:
    """A case for each submitter, directory and log; of unknown benchmarks for the logs alone."""
    ordered = sorted(results, key=lambda one: (one.submitter, one.system, one.benchmark))
    for _, group in groupby(ordered, key=lambda one: one.submitter):
        own = tuple(group)
        yield SubmitterCase(own, terms, strict, points)
        for result in own:
            if result.benchmark in terms.benchmarks and result.benchmark in strict.benchmarks:
                yield ResultCase(own, terms, strict, points, result)
                for run in result.runs:
                    yield RunCase(own, terms, strict, points, result, run)


def _in_scope(one: Rule, case: SubmitterCase) -> bool:
    return type(case) is {"submission": SubmitterCase, "result": ResultCase}.get(one.on, RunCase)


def _judge(one: Rule, case: SubmitterCase) -> list[Finding]:
    problems: list[Problem] = []
    try:
        problems.extend(one.judge(case))
    except _CRASHES as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        problems.append(Problem(f"the rule could not judge this: {reason}", _where(case)))
    return [
        Finding(
            rule=one.number,
            severity=problem.severity,
            file=problem.file,
            line=problem.line,
            expected=problem.expected,
            found=problem.found,
            message=problem.message,
        )
        for problem in problems
    ]


def _where(case: SubmitterCase) -> str:
    if isinstance(case, RunCase):
        return case.run.file
    return case.result.path if isinstance(case, ResultCase) else case.results[0].submitter
