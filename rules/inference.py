"""INFER rules: how an inference result must come about."""

from collections.abc import Iterator

import numpy as np

from harness.errors import LevelfieldError
from harness.queries import NEVER, OK, QueryLog
from harness.records import Mode, Scenario
from harness.scenarios import sample_order
from rules.case import Problem, ResultCase, RunCase
from rules.registry import rule
from rules.scoring import duration_ns, latencies_ns


def _queried(case: ResultCase) -> bool:
    return case.scenario != Scenario.TRAIN


def _has_rows(case: RunCase) -> bool:
    return case.evidence.queries is not None and len(case.evidence.queries) > 0


def _performance(case: RunCase) -> bool:
    return _has_rows(case) and case.evidence.run.mode == Mode.PERFORMANCE


def _accuracy(case: RunCase) -> bool:
    return case.evidence.run.mode == Mode.ACCURACY


def _log(case: RunCase) -> QueryLog:
    """The query log; the rules that use it apply only where there is one."""
    assert case.evidence.queries is not None
    return case.evidence.queries


def _query_problem(case: RunCase, message: str, **details: str) -> Problem:
    """A problem in the run's query log."""
    return Problem(message, case.evidence.file("queries.npy"), **details)  # type: ignore[arg-type]


@rule("INFER-1", on="result", when=_queried)
def both_modes_present(case: ResultCase) -> Iterator[Problem]:
    """An inference result has exactly one performance run and one accuracy run."""
    for mode in (Mode.PERFORMANCE, Mode.ACCURACY):
        found = len(case.entry.of_mode(mode))
        if found != 1:
            yield Problem(
                f"not one {mode} run; measure both, and submit one of each",
                case.file,
                expected="1",
                found=str(found),
            )


@rule("INFER-2", on="inference")
def query_log_is_ordered(case: RunCase) -> Iterator[Problem]:
    """The query log is whole and in order, as its scenario issues queries.

    Each sample was scheduled, then issued, then completed. single_stream: a query is one sample,
    numbered from 0, and issued when the one before is complete. offline: one query holds all.
    """
    log = case.evidence.queries
    if log is None or not len(log):
        yield _query_problem(case, "no query is logged")
        return
    answered = log["completed"] != NEVER
    wrong = (log["scheduled"] < 0) | (log["issued"] < log["scheduled"])
    wrong |= answered & (log["completed"] < log["issued"])
    yield from _first_row(case, wrong, "not 0 <= scheduled <= issued <= completed")
    if case.scenario == Scenario.OFFLINE:
        yield from _first_row(case, log["query"] != 0, "offline is one query, numbered 0")
        return
    numbers = np.arange(len(log), dtype=np.uint32)
    yield from _first_row(case, log["query"] != numbers, "queries are not numbered from 0")
    early = np.zeros(len(log), dtype=bool)
    early[1:] = log["issued"][1:] < log["completed"][:-1]
    yield from _first_row(case, early, "issued before the query before was complete")


def _first_row(case: RunCase, wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
               message: str) -> Iterator[Problem]:  # fmt: skip
    rows = np.flatnonzero(wrong)
    if len(rows):
        yield _query_problem(
            case, message, found=f"{len(rows)} rows, the first of them row {rows[0]}"
        )


@rule("INFER-3", on="inference", when=_has_rows)
def no_failed_queries(case: RunCase) -> Iterator[Problem]:
    """No query failed or stayed without an answer."""
    log = _log(case)
    wrong = (log["error"] != OK) | (log["completed"] == NEVER)
    yield from _first_row(case, wrong, "failed or unanswered; mend the system under test")


@rule("INFER-4", on="inference", when=_has_rows)
def record_agrees_with_queries(case: RunCase) -> Iterator[Problem]:
    """Duration, samples and failed queries in ``run.json`` are those of the query log."""
    run, log = case.evidence.run, _log(case)
    failed = int(np.count_nonzero(log["error"] != OK))
    counted = {
        "duration_ns": duration_ns(log),
        "samples": len(log) - failed,
        "failed_queries": failed,
    }
    for name, expected in counted.items():
        if getattr(run, name) != expected:
            yield case.record_problem(
                f"{name} is not what the query log gives",
                expected=str(expected),
                found=str(getattr(run, name)),
            )


@rule("INFER-5", on="inference", when=_performance)
def minimum_duration(case: RunCase) -> Iterator[Problem]:
    """A performance run lasts at least the round's duration.

    Counted as LoadGen does: single_stream to the issue of the last query, offline by the longest
    latency.
    """
    log, needed = _log(case), case.round.settings(case.scenario).min_duration_ns
    offline = case.scenario == Scenario.OFFLINE
    lasted = int(latencies_ns(log).max() if offline else log["issued"].max())
    if lasted < needed:
        yield _query_problem(
            case,
            "the run was too short; run again with this round's --round",
            expected=f">= {needed} ns",
            found=f"{lasted} ns",
        )


@rule("INFER-6", on="inference", when=_performance)
def minimum_query_count(case: RunCase) -> Iterator[Problem]:
    """A performance run has at least the round's number of queries (offline: of samples)."""
    rows, needed = len(_log(case)), case.round.settings(case.scenario).min_query_count
    if rows < needed:
        yield _query_problem(
            case,
            "too few queries; run again with this round's --round",
            expected=f">= {needed}",
            found=str(rows),
        )


@rule("INFER-7", on="inference", when=_performance)
def samples_follow_the_seed(case: RunCase) -> Iterator[Problem]:
    """The samples of a performance run are those that its logged seed draws, in that order.

    Drawn uniformly with replacement from the card's performance samples by NumPy's PCG64.
    """
    log, seeds = _log(case), case.evidence.run.seeds
    if "order" not in seeds:
        yield case.record_problem("the run has no seed of the order of samples")
        return
    held = case.reference.card.inference.performance_samples
    drawn = sample_order(seeds["order"], len(log), held)
    yield from _first_row(case, log["sample"] != drawn, "not the samples that the seed draws")


@rule("INFER-8", on="inference", when=_accuracy)
def every_sample_answered(case: RunCase) -> Iterator[Problem]:
    """An accuracy run asks and answers each sample of the data set exactly once."""
    whole = range(case.reference.card.inference.samples)
    log, answers = case.evidence.queries, case.evidence.answers
    asked = [] if log is None else log["sample"].tolist()
    answered = [answer.sample for answer in answers or ()]
    for samples, name, verb in (
        (asked, "queries.npy", "asked"),
        (answered, "answers.jsonl", "answered"),
    ):
        if sorted(samples) != list(whole):
            yield Problem(
                f"not every sample of the data set was {verb} exactly once",
                case.evidence.file(name),
                expected=f"{len(whole)} samples, each once",
                found=f"{len(samples)} rows, {len(set(samples) & set(whole))} of the samples",
            )


@rule("INFER-9", on="inference", when=_accuracy)
def accuracy_is_kept(case: RunCase) -> Iterator[Problem]:
    """The accuracy, computed again from the answers, is as claimed and near the reference's.

    It equals the record's quality exactly and is at least the round's share of the accuracy of
    the reference weights.
    """
    file, run = case.evidence.file("answers.jsonl"), case.evidence.run
    try:
        found = case.reference.score({a.sample: a.answer for a in case.evidence.answers or ()})
    except LevelfieldError as error:
        yield Problem(f"the answers cannot be scored: {error}", file)
        return
    if found != run.quality:
        yield case.record_problem(
            "the quality is not what the answers give",
            expected=repr(found),
            found=repr(run.quality),
        )
    floor = case.round.accuracy_floor * case.reference.card.inference.reference_quality
    # Written so that a value that cannot be compared (NaN) is below the floor.
    if not found >= floor:
        yield Problem(
            "the accuracy is below the round's floor",
            file,
            expected=f">= {floor:.6f}",
            found=f"{found:.6f}",
        )
