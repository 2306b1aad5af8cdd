"""AUDIT rules: what the audit runs say about the performance run of their result."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.answers import Answer
from harness.records import HIGHER_IS_BETTER, METRIC_OF, Audit, Mode, Scenario
from harness.scenarios import kept_answers
from rules.case import Problem, ResultCase, RunCase, Severity
from rules.registry import rule
from rules.scoring import latencies_ns, performance
from rules.settings import SAME
from rules.submission import RunEvidence

_TINY = 1e-6
"""Numbers that lie no further apart are equal: a relative difference means nothing near 0."""


def _audits(*kinds: Audit) -> Any:
    """A condition: the run is one of these audits, timed, and of a performance run."""
    return lambda case: (
        case.timed and case.evidence.run.audit in kinds and _audited(case) is not None
    )


def _audited(case: RunCase) -> RunEvidence | None:
    """The performance run of the same result that the audit names."""
    named = case.evidence.run.audited_run
    return next((e for e in case.entry.of_mode(Mode.PERFORMANCE) if e.run.id == named), None)


@rule("AUDIT-1", on="result", when=lambda case: case.scenario != Scenario.TRAIN)
def audits_present(case: ResultCase) -> Iterator[Problem]:
    """An inference result has one run of each audit that the round asks for, and no two of any.

    The audit ``tokens`` is asked for in interactive only.
    """
    counts = Counter(e.run.audit for e in case.entry.of_mode(Mode.AUDIT))
    for audit in Audit:
        generates = audit != Audit.TOKENS or case.scenario == Scenario.INTERACTIVE
        needed = audit in case.round.audits.required and generates
        if counts[audit] > 1 or (needed and not counts[audit]):
            yield Problem(
                f"not one run of the audit {audit}; run levelfield audit, and submit all its runs",
                case.file,
                expected="1",
                found=str(counts[audit]),
            )


@rule("AUDIT-2", on="inference", when=lambda case: case.evidence.run.mode == Mode.AUDIT)
def audit_belongs_to_the_result(case: RunCase) -> Iterator[Problem]:
    """An audit run names its doubt, and is a repetition of the result's own performance run.

    It names the performance run's id, and has its system under test, precision, settings and
    digest of the workload.
    """
    run, audited = case.evidence.run, _audited(case)
    if run.audit is None:
        yield case.record_problem("an audit run names no audit; leave it out")
    if audited is None:
        yield case.record_problem(
            "the audited run is not this result's performance run; audit that one",
            expected=", ".join(e.run.id for e in case.entry.of_mode(Mode.PERFORMANCE)) or "none",
            found=str(run.audited_run),
        )
        return
    for name in (*SAME, "settings"):
        expected, found = getattr(audited.run, name), getattr(run, name)
        if expected != found:
            yield case.record_problem(
                f"{name} is not the audited run's; audit again with the same options",
                expected=str(expected),
                found=str(found),
            )


@rule("AUDIT-3", on="inference", when=_audits(Audit.SAMPLED_ANSWERS))
def sampled_answers_are_the_real_ones(case: RunCase) -> Iterator[Problem]:
    """sampled_answers: answers in performance mode are those of the accuracy run.

    The answers kept are exactly those that the seed ``audit`` chose, at least one. At least the
    round's share of them equals the accuracy run's answer to the same sample: the same JSON value,
    floating-point numbers within the round's relative difference. The share is less than all
    because the rounding of a batch may depend on its size.
    """
    kept, file = case.evidence.answers or (), case.evidence.file("answers.jsonl")
    seed = case.evidence.run.seeds.get("audit")
    rows = kept_answers(seed or 0, len(case.queries))
    chosen = [] if seed is None else case.queries["sample"][rows].tolist()
    if not kept or [answer.sample for answer in kept] != chosen:
        yield Problem(
            "not the answers that the seed audit chooses",
            file,
            expected=f"{len(chosen)} answers",
            found=f"{len(kept)}",
        )
    different = _different(case, kept)
    share = case.round.audits.equal_answers
    if len(different) > (1 - share) * len(kept):
        yield Problem(
            "answers of a performance run are not those of the accuracy run",
            file,
            line=different[0] + 1,
            expected=f"at least {share:.0%} equal",
            found=f"{len(different)} of {len(kept)} differ",
        )


def _different(case: RunCase, kept: tuple[Answer, ...]) -> list[int]:
    """Places of the kept answers that differ from the accuracy run's, or have none there."""
    runs = case.entry.of_mode(Mode.ACCURACY)
    real = {a.sample: a.answer for evidence in runs for a in evidence.answers or ()}
    tolerance = case.round.audits.answer_tolerance
    return [
        at
        for at, answer in enumerate(kept)
        if answer.sample not in real
        or not equal_answers(answer.answer, real[answer.sample], tolerance)
    ]


def equal_answers(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two JSON values are equal, floating-point numbers within a relative tolerance."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=_TINY)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(equal_answers(*p, tolerance) for p in pairs)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            equal_answers(one[key], other[key], tolerance) for key in one
        )
    return type(one) is type(other) and bool(one == other)


@rule("AUDIT-4", on="inference", when=_audits(Audit.REPEATED_SAMPLE))
def repeated_sample_is_not_faster(case: RunCase) -> Iterator[Problem]:
    """repeated_sample: a sample that comes over and over is not answered faster than others.

    Faster by more than the round's tolerance, the system answers from a store. A warning in rounds
    that do not require the audit. In an open loop, whose rate is given, the median latency is
    compared, and a finding is always a warning: how long queries wait for one another depends on
    more than the system.
    """
    audited, limit = _audited(case), 1 + case.round.audits.tolerance
    if case.scenario.open_loop and audited and audited.queries is not None:
        gained = _median_ns(audited) / max(_median_ns(case.evidence), 1)
        severity: Severity = "warning"
    else:
        gained, severity = _speed(case) or 0.0, _severity(case)
    if gained > limit:
        yield case.query_problem(
            "one sample repeated was answered faster; a system may not store answers",
            expected=f"at most {limit:g} times as fast as the performance run",
            found=f"{gained:.4g}",
            severity=severity,
        )


def _severity(case: RunCase) -> Severity:
    """How much a difference in speed weighs: rounds to practise in run on any busy laptop."""
    return "error" if case.evidence.run.audit in case.round.audits.required else "warning"


def _median_ns(evidence: RunEvidence) -> float:
    assert evidence.queries is not None  # callers look first
    return float(np.median(latencies_ns(evidence.queries)))


@rule("AUDIT-5", on="inference", when=_audits(Audit.OTHER_SEEDS))
def other_seeds_are_others(case: RunCase) -> Iterator[Problem]:
    """other_seeds: every seed of the run differs from the performance run's."""
    audited = _audited(case)
    for name, seed in (audited.run.seeds if audited else {}).items():
        if case.evidence.run.seeds.get(name, seed) == seed:
            yield case.record_problem(f"the seed {name} is not another", found=str(seed))


@rule("AUDIT-6", on="inference", when=_audits(Audit.SAMPLED_ANSWERS, Audit.OTHER_SEEDS))
def audited_speed_is_the_claimed(case: RunCase) -> Iterator[Problem]:
    """sampled_answers and other_seeds: the speed is the performance run's, within the tolerance.

    Slower, the performance run was tuned to its seeds, or did less work than one whose answers are
    kept; faster, one of the two was disturbed. In server, the bound is held at the same rate. A
    warning in rounds that do not require the audit.
    """
    gained, tolerance = _speed(case), case.round.audits.tolerance
    if gained is None:
        yield case.query_problem(
            "the audit run gives no valid result to compare; see the other findings, audit again",
            severity=_severity(case),
        )
    elif not 1 - tolerance <= gained <= 1 + tolerance:
        yield case.query_problem(
            "not as fast as the performance run; audit again on a quiet machine",
            expected=f"{1 - tolerance:g} to {1 + tolerance:g} times as fast",
            found=f"{gained:.4g}",
            severity=_severity(case),
        )


def _speed(case: RunCase) -> float | None:
    """How many times as fast as the audited run it is; none unless both give a number above 0."""
    audited = _audited(case)
    if audited is None:
        return None
    before = performance(case.scenario, audited, case.round)
    now = performance(case.scenario, case.evidence, case.round)
    if not before or not now:
        return None
    return now / before if HIGHER_IS_BETTER[METRIC_OF[case.scenario]] else before / now


@rule("AUDIT-7", on="inference", when=_audits(Audit.TOKENS))
def tokens_are_honest(case: RunCase) -> Iterator[Problem]:
    """tokens: every answer is a list of token ids, as many as the query log counts for its row."""
    log, answers = case.queries, case.evidence.answers or ()
    if [answer.sample for answer in answers] != log["sample"].tolist():
        yield Problem(
            "not an answer for each row, in order",
            case.evidence.file("answers.jsonl"),
            expected=f"{len(log)} answers",
            found=f"{len(answers)}",
        )
        return
    counts = np.array([_length(answer.answer) for answer in answers])
    yield from case.row_problem(counts != log["tokens"], "not as many tokens as were reported")


def _length(answer: Any) -> int:
    """Tokens in an answer; -1 unless it is a list of whole numbers from 0."""
    whole = isinstance(answer, list) and all(type(token) is int and token >= 0 for token in answer)
    return len(answer) if whole else -1
