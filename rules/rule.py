"""Judges a submission: every rule on every case, all findings, in the order of the rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from harness.records import Record, Scenario

# Importing a subject registers its rules.
from rules import (  # noqa: F401
    admission,
    audits,
    borrowing,
    energy,
    inference,
    intents,
    log,
    open_loop,
    pace,
    score_claim,
    settings,
    system,
    telemetry,
    telemetry_plausibility,
    training,
    undisturbed,
)
from rules.borrowing import sources_of
from rules.case import (
    Lender,
    Problem,
    Reference,
    ResultCase,
    RunCase,
    Severity,
    SubmissionCase,
    installed,
)
from rules.registry import Rule, in_order, rule
from rules.round import Round
from rules.submission import Submission

__all__ = ["RULES", "Finding", "Report", "Rule", "check", "rule"]

RULES = in_order()
"""Every rule by number, in the order of judgement."""

_CRASHES = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What a rule may raise on evidence that its author did not foresee."""


class Finding(Record):
    """One thing that a rule has against the submission."""

    rule: str
    severity: Severity
    file: str
    """Path in the bundle."""
    line: int | None
    expected: str | None
    found: str | None
    message: str

    @property
    def text(self) -> str:
        """The finding in one line."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        compared = ", ".join(
            f"{name} {value}"
            for name, value in (("expected", self.expected), ("found", self.found))
            if value is not None
        )
        told = f"{self.message}; {compared}" if compared else self.message
        return f"{self.severity} {self.rule} {where}: {told}"


class Report(Record):
    """The outcome of a check."""

    round: str
    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    """Rules that spoke about something and had nothing against it."""
    not_applicable: tuple[str, ...]
    """Rules that had nothing to speak about."""

    @property
    def errors(self) -> int:
        """Findings that refuse the submission."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return self.errors == 0

    @property
    def summary(self) -> str:
        """The counts in one line."""
        warnings = len(self.findings) - self.errors
        return (
            f"{len(self.passed)} rules passed, {len(self.not_applicable)} did not apply, "
            f"{self.errors} errors, {warnings} warnings"
        )


def check(
    submission: Submission,
    terms: Round,
    find: Callable[[str], Reference | None] = installed,
    others: Iterable[Submission] = (),
) -> Report:
    """Judge ``submission`` by the round ``terms``; a rule that crashes is an error.

    ``find`` looks a workload up by its name; ``others`` are the submissions at hand from which
    hyperparameters may have been borrowed. `ValueError` for a submission without its logs.
    """
    if not submission.judgeable:
        raise ValueError(f"bundle {submission.bundle_id}: opened without its logs")
    found: dict[str, list[Finding]] = {}
    # A case at a time: what a long run logged is in memory only while that run is looked at.
    for case in _cases(submission, terms, find, _lenders(submission, terms, find, others)):
        for number, one in RULES.items():
            if _in_scope(one, case):
                found.setdefault(number, []).extend(_judge(one, case))
    return Report(
        round=terms.name,
        findings=tuple(finding for number in RULES for finding in found.get(number, ())),
        passed=tuple(number for number in RULES if found.get(number) == []),
        not_applicable=tuple(number for number in RULES if number not in found),
    )


def _lenders(
    submission: Submission,
    terms: Round,
    find: Callable[[str], Reference | None],
    others: Iterable[Submission],
) -> dict[str, Lender]:
    """Those of ``others`` from which ``submission`` says it borrowed, each with its own check."""
    entries = submission.entries
    named = {source.bundle for entry in entries for source in sources_of(entry.runs)}
    return {
        other.bundle_id: Lender(other, check(other, terms, find).errors)
        for other in others
        if other.bundle_id in named
    }


def _cases(
    submission: Submission,
    terms: Round,
    find: Callable[[str], Reference | None],
    lenders: Mapping[str, Lender],
) -> Iterator[SubmissionCase]:
    names = {entry.result.workload for entry in submission.entries}
    references = {name: found for name in names if (found := find(name))}
    yield SubmissionCase(submission, terms, references, lenders=lenders)
    for entry in submission.entries:
        # What is unknown to the installation or to the round ROUND-1 refuses; no other rule can
        # judge it.
        reference, scenario = references.get(entry.result.workload), entry.result.scenario
        known = scenario == Scenario.TRAIN or scenario in terms.inference
        if known and reference is not None and scenario in reference.card.scenarios:
            yield ResultCase(submission, terms, references, entry, lenders=lenders)
            for evidence in entry.runs:
                yield RunCase(submission, terms, references, entry, evidence, lenders=lenders)


def _in_scope(one: Rule, case: SubmissionCase) -> bool:
    kinds = {"submission": SubmissionCase, "result": ResultCase}
    if type(case) is not kinds.get(one.on, RunCase):
        return False
    return (not isinstance(case, RunCase) or _of_its_kind(one, case)) and one.applies(case)


def _of_its_kind(one: Rule, case: RunCase) -> bool:
    """Whether the run is of the rule's kind; a run that is not of its result's has none."""
    if one.on == "run":
        return True
    return case.trains == (case.scenario == Scenario.TRAIN) == (one.on == "train")


def _judge(one: Rule, case: SubmissionCase) -> list[Finding]:
    problems: list[Problem] = []
    try:
        problems.extend(one.judge(case))
    except _CRASHES as error:
        problems.append(_crash(case, error))
    return as_findings(one.number, problems)


def as_findings(number: str, problems: Iterable[Problem]) -> list[Finding]:
    """What the rule ``number`` has against a case, for everybody to read."""
    return [Finding(rule=number, **vars(problem)) for problem in problems]


def _crash(case: SubmissionCase, error: Exception) -> Problem:
    where = "manifest.json"
    if isinstance(case, RunCase):
        where = case.evidence.file("run.json")
    elif isinstance(case, ResultCase):
        where = case.file
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return Problem(f"the rule could not judge this: {reason}", where)
