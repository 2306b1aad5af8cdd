"""The strict reading of official results: the checks that the official tools lack."""

from collections.abc import Iterable

# Importing a subject registers its rules.
from rules.case import Problem
from rules.mlperf import convergence, progress, sequence, settings, together  # noqa: F401
from rules.mlperf.case import (
    Case,
    Outline,
    Points,
    ResultCase,
    RunCase,
    SubmitterCase,
    in_order,
    outline,
)
from rules.mlperf.log import OfficialResult
from rules.mlperf.strict_terms import StrictTerms, read_strict_terms
from rules.mlperf.terms import OfficialRound
from rules.registry import Rule, Scope
from rules.rule import Finding, as_findings

STRICT_RULES = in_order()
"""Every rule of the strict reading by number, in the order of judgement."""

_CRASHES = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What a rule may raise on evidence that its author did not foresee."""


def check(
    results: Iterable[OfficialResult],
    terms: OfficialRound,
    points: Points,
    strict: StrictTerms | None = None,
) -> list[Finding]:
    """What the strict reading has against ``results``, in the order of rules.

    ``results`` are taken one at a time, and no log is kept. ``points`` are the reference
    convergence points; ``strict`` the round's strict terms, read by the round's name unless given.
    A rule that crashes is an error.
    """
    strict = strict or read_strict_terms(terms.name)
    given = terms, strict, points
    found: dict[str, list[Finding]] = {number: [] for number in STRICT_RULES}
    submitters: dict[str, list[Outline]] = {}
    for result in results:
        submitters.setdefault(result.submitter, []).append(outline(result))
        if result.benchmark in terms.benchmarks and result.benchmark in strict.benchmarks:
            _apply("result", ResultCase(*given, result), found)
            for run in result.runs:
                _apply("run", RunCase(*given, result, run), found)
    for outlines in submitters.values():
        _apply("submission", SubmitterCase(*given, tuple(outlines)), found)
    return [finding for own in found.values() for finding in own]


def _apply(scope: Scope, case: Case, found: dict[str, list[Finding]]) -> None:
    for one in STRICT_RULES.values():
        if one.on == scope and one.applies(case):
            found[one.number] += _judge(one, case)


def _judge(one: Rule, case: Case) -> list[Finding]:
    problems: list[Problem] = []
    try:
        problems.extend(one.judge(case))
    except _CRASHES as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        problems.append(Problem(f"the rule could not judge this: {reason}", _where(case)))
    return as_findings(one.number, problems)


def _where(case: Case) -> str:
    if isinstance(case, RunCase):
        return case.run.file
    if isinstance(case, ResultCase):
        return case.result.path
    return case.outlines[0].result.submitter if isinstance(case, SubmitterCase) else ""
