"""INFER rules of server and interactive: the schedule, the bounds, the generator's lateness."""

from collections.abc import Iterator

import numpy as np

from harness.metrics import issue_lateness, percentile, server_valid, under_needed
from harness.queries import NEVER
from harness.records import Mode, Scenario
from harness.schedule import arrivals
from rules.case import Problem, RunCase
from rules.registry import rule
from rules.scoring import Bounded, bounded_times, generated


def _arrives(case: RunCase) -> bool:
    return case.arrives


def _generates(case: RunCase) -> bool:
    return case.timed and case.scenario == Scenario.INTERACTIVE


def _bounded(case: RunCase) -> bool:
    return case.arrives and case.evidence.run.mode == Mode.PERFORMANCE


@rule("INFER-10", on="inference", when=_arrives)
def schedule_follows_the_seed(case: RunCase) -> Iterator[Problem]:
    """Queries were scheduled when the seed ``schedule`` and the target rate say, to the last one.

    The gaps are exponential, drawn by NumPy's PCG64, and all made before the start. The schedule
    ends with the first query at or after the minimum duration, or with the minimum count if that
    is later: nobody chooses when to stop.
    """
    log, run = case.queries, case.evidence.run
    settings = run.settings
    if settings is None or settings.target_rate is None or "schedule" not in run.seeds:
        yield case.record_problem("the run has no target rate, or no seed of its schedule")
        return
    with np.errstate(over="ignore", invalid="ignore"):  # a rate that nobody can have meant
        due = arrivals(run.seeds["schedule"], settings.target_rate, len(log))
    yield from case.row_problem(log["scheduled"] != due, "not the schedule of the seed and rate")
    needless = np.arange(len(log)) >= settings.min_query_count
    needless[1:] &= due[:-1] >= settings.min_duration_ns
    yield from case.row_problem(needless, "scheduled after the end that the settings give")
    if len(log) < settings.min_query_count or due[-1] < settings.min_duration_ns:
        yield case.query_problem(
            "the schedule ends before the settings say; no query may be left out",
            expected=f"{settings.min_query_count} queries, {settings.min_duration_ns} ns",
            found=f"{len(log)} queries, {due[-1]} ns",
        )


@rule("INFER-11", on="inference", when=_generates)
def tokens_are_counted(case: RunCase) -> Iterator[Problem]:
    """In interactive, every sample has at least two tokens, the first while the query was open."""
    yield from case.row_problem(
        ~generated(case.queries), "fewer than two tokens, or no first token between issue and end"
    )


@rule("INFER-12", on="inference", when=_bounded)
def bounds_are_held(case: RunCase) -> Iterator[Problem]:
    """The percentile lies within the card's bound, and early stopping shows it at 99 % confidence.

    server: the latency from the *scheduled* time, so that a late generator or a queue counts.
    interactive: the time to the first token and the time per output token, each by itself. The
    empirical percentile is at most the bound, and with t of n queries beyond it, n is at least
    h(t) + t, as LoadGen counts.
    """
    log, settings = case.queries, case.evidence.run.settings
    if settings is None or (log["completed"] == NEVER).any():
        yield case.query_problem("without settings, or without every answer, no bound is held")
        return
    bounded = bounded_times(case.scenario, log, settings)
    if bounded is None:
        yield case.query_problem("there is nothing that a bound could be held by")
    for one in bounded or ():
        yield from _held(case, one)


def _held(case: RunCase, one: Bounded) -> Iterator[Problem]:
    share, times, bound_ns = case.round.terms(case.scenario).percentile, one.times_ns, one.bound_ns
    if server_valid(times, bound_ns, share):
        return
    over = int(np.count_nonzero(times > bound_ns))
    found_ns = percentile(times, share)
    needed = under_needed(over, share) + over
    yield case.query_problem(
        f"the {share * 100:g}th percentile of the {one.what} is not shown to be within the bound; "
        "lower the rate, or --find-max",
        expected=f"<= {bound_ns} ns, and {needed} queries for {over} beyond it",
        found=f"{found_ns} ns, {len(times)} queries",
    )


@rule("INFER-13", on="inference", when=_arrives)
def generator_is_on_time(case: RunCase) -> Iterator[Problem]:
    """The load generator did not slip: queries were issued soon after their schedule (a warning).

    The 99th percentile of the time from schedule to issue is less than the round's limit. What a
    query waited counts in its latency in any case.
    """
    late_ns = percentile(issue_lateness(case.queries), 0.99)
    limit_ns = round(case.round.max_lateness_s * 1e9)
    if late_ns >= limit_ns:
        yield case.query_problem(
            "the load generator slipped; give it a core of its own, or lower the rate",
            expected=f"< {limit_ns} ns",
            found=f"{late_ns} ns",
            severity="warning",
        )
