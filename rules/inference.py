"""INFER rules: how an inference result must come about."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.errors import LevelfieldError
from harness.queries import DOUBLED, LOST, NEVER, OK, RAISED
from harness.records import Audit, Mode, Scenario
from harness.scenarios import loaded_set, sample_order, stream_order
from rules.case import Problem, ResultCase, RunCase
from rules.registry import rule
from rules.scoring import duration_ns, latencies_ns

_FAILURES = {RAISED: "failed", LOST: "lost, with no answer in time", DOUBLED: "answered twice"}


def _queried(case: ResultCase) -> bool:
    return case.scenario != Scenario.TRAIN


def _has_rows(case: RunCase) -> bool:
    return len(case.queries) > 0


def _timed(case: RunCase) -> bool:
    return case.timed


def _accuracy(case: RunCase) -> bool:
    return case.evidence.run.mode == Mode.ACCURACY


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

    Each sample was scheduled, then issued, then completed. Queries are numbered from 0; they hold
    one sample, in multi_stream the card's number, scheduled and issued together, and in offline
    all. single_stream, multi_stream, and every accuracy run: a query is issued when the one before
    is complete. server and interactive: the first query is scheduled at 0, and no schedule or
    issue comes before that of the query before.
    """
    log = case.queries
    if not len(log):
        yield case.query_problem("no query is logged")
        return
    answered = log["completed"] != NEVER
    wrong = (log["scheduled"] < 0) | (log["issued"] < log["scheduled"])
    wrong |= answered & (log["completed"] < log["issued"])
    yield from case.row_problem(wrong, "not 0 <= scheduled <= issued <= completed")
    size = len(log) if case.scenario == Scenario.OFFLINE else case.query_size
    numbers = np.arange(len(log)) // size
    yield from case.row_problem(
        log["query"] != numbers, f"queries are not numbered from 0, {size} samples each"
    )
    if case.timed and len(log) % size:
        yield case.query_problem("the last query lacks samples", expected=f"{size} samples each")
    yield from (_arrivals_in_order(case) if case.arrives else _one_after_the_other(case, size))


def _arrivals_in_order(case: RunCase) -> Iterator[Problem]:
    log = case.queries
    early = np.zeros(len(log), dtype=bool)
    early[0] = log["scheduled"][0] != 0
    for name in ("scheduled", "issued"):
        early[1:] |= np.diff(log[name]) < 0
    yield from case.row_problem(early, "scheduled or issued before the query before, or not from 0")


def _one_after_the_other(case: RunCase, size: int) -> Iterator[Problem]:
    log = case.queries
    first = np.arange(0, len(log), size)
    of_query = np.arange(len(log)) // size
    for name in ("scheduled", "issued"):
        apart = log[name] != log[name][first][of_query]
        yield from case.row_problem(apart, f"the samples of a query are not {name} together")
    early = np.zeros(len(log), dtype=bool)
    ends = np.maximum.reduceat(log["completed"], first)
    early[first[1:]] = log["issued"][first[1:]] < ends[:-1]
    yield from case.row_problem(early, "issued before the query before was complete")


@rule("INFER-3", on="inference", when=_has_rows)
def no_failed_queries(case: RunCase) -> Iterator[Problem]:
    """No query failed, was lost, was answered twice or stayed without an answer."""
    log = case.queries
    known = (OK, *_FAILURES)
    for code, what in _FAILURES.items():
        yield from case.row_problem(log["error"] == code, f"{what}; mend the system under test")
    yield from case.row_problem(~np.isin(log["error"], known), "an error code that means nothing")
    unanswered = (log["error"] == OK) & (log["completed"] == NEVER)
    yield from case.row_problem(unanswered, "never answered; mend the system under test")


@rule("INFER-4", on="inference", when=_has_rows)
def record_agrees_with_queries(case: RunCase) -> Iterator[Problem]:
    """Duration, samples and failed queries in ``run.json`` are those of the query log."""
    run, log = case.evidence.run, case.queries
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


@rule("INFER-5", on="inference", when=_timed)
def minimum_duration(case: RunCase) -> Iterator[Problem]:
    """A performance or audit run lasts at least the round's duration.

    Counted as LoadGen does: single_stream and multi_stream to the issue of the last query, server
    and interactive to its schedule, offline by the longest latency.
    """
    log, needed = case.queries, case.round.terms(case.scenario).min_duration_ns
    if case.scenario == Scenario.OFFLINE:
        lasted = int(latencies_ns(log).max())
    else:
        lasted = int(log["scheduled" if case.arrives else "issued"].max())
    if lasted < needed:
        yield case.query_problem(
            "the run was too short; run again with this round's --round",
            expected=f">= {needed} ns",
            found=f"{lasted} ns",
        )


@rule("INFER-6", on="inference", when=_timed)
def minimum_query_count(case: RunCase) -> Iterator[Problem]:
    """A performance or audit run has at least the round's number of queries (offline: samples)."""
    count = len(case.queries) // case.query_size
    needed = case.round.terms(case.scenario).min_query_count
    if count < needed:
        yield case.query_problem(
            "too few queries; run again with this round's --round",
            expected=f">= {needed}",
            found=str(count),
        )


@rule("INFER-7", on="inference", when=_timed)
def samples_follow_the_seed(case: RunCase) -> Iterator[Problem]:
    """The samples of a performance or audit run are those that its logged seeds draw, in order.

    Drawn by NumPy's PCG64: the card's number of performance samples from the data set by the seed
    ``library``, where that is fewer than all; from these, uniformly with replacement, samples by
    the seed ``order``. In multi_stream the first sample of each query is drawn, and its neighbours
    follow, around the end. In the audit repeated_sample, the seed ``audit`` draws the one sample.
    """
    log, run, facts = case.queries, case.evidence.run, case.reference.card.inference
    repeated = run.audit == Audit.REPEATED_SAMPLE
    needed = {"audit" if repeated else "order"}
    if facts.performance_samples < facts.samples:
        needed.add("library")
    for name in sorted(needed - run.seeds.keys()):
        yield case.record_problem(f"the run has no seed {name}")
    if needed <= run.seeds.keys():
        loaded = loaded_set(run.seeds.get("library", 0), facts.samples, facts.performance_samples)
        drawn = _drawn(case, loaded)
        yield from case.row_problem(log["sample"] != drawn, "not the samples that the seeds draw")


def _drawn(case: RunCase, loaded: NDArray[np.int64]) -> NDArray[np.int64]:
    run, rows = case.evidence.run, len(case.queries)
    if run.audit == Audit.REPEATED_SAMPLE:
        return np.full(rows, loaded[run.seeds["audit"] % len(loaded)])
    if case.scenario == Scenario.MULTI_STREAM:
        places = stream_order(run.seeds["order"], rows, case.query_size, len(loaded))
    else:
        places = sample_order(run.seeds["order"], rows, len(loaded))
    return loaded[places]


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
