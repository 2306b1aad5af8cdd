"""Whether the rates of MLPerf's load generator follow from the times in the same log."""

from collections.abc import Iterator

from rules.mlperf.inference_run import Check, Run, undecided

RATE_TOLERANCE = 1e-3
"""Logs give rates in six digits, and the last scheduled time is known to about a query."""
SIGMAS = 4.0
"""Standard deviations by which a schedule's rate may miss its target."""


def open_loop_rates(run: Run) -> Iterator[Check]:
    """The scheduled rate beside the target, and the completed one between what latencies allow."""
    queries = run.positive("generated_query_count")
    duration = run.log.number("generated_query_duration")
    if not queries or not duration:
        for name in ("target_rate", "completed_rate"):
            yield undecided(name, None, "the log does not give the length of the schedule")
        return
    yield _target_rate(run, queries, duration)
    yield _completed_rate(run, queries, duration)


def _target_rate(run: Run, queries: float, duration: float) -> Check:
    """Arrivals are a Poisson process: n of them stray from their rate by about 1 / sqrt(n)."""
    logged = run.log.number("result_scheduled_samples_per_sec")
    target = run.log.number("effective_target_qps")
    if not logged or not target:
        return undecided("target_rate", None, "the log lacks the scheduled or the target rate")
    rate = queries / duration * 1e9
    follows = abs(rate / logged - 1) <= RATE_TOLERANCE
    return Check(
        name="target_rate",
        recorded=None,
        recomputed=follows and abs(rate / target - 1) <= SIGMAS / queries**0.5,
        why=f"{rate:.4f} queries/s scheduled, {logged:g} logged, {target:g} aimed at",
    )


def _completed_rate(run: Run, queries: float, duration: float) -> Check:
    """The last completion lies behind the last schedule by one of the latencies."""
    logged, number = run.log.number("result_completed_samples_per_sec"), run.log.number
    shortest, longest = number("result_min_latency_ns"), number("result_max_latency_ns")
    if logged is None or shortest is None or longest is None:
        return undecided("completed_rate", None, "the log lacks the latencies that bound it")
    least = (queries - 1) / (duration + longest) * 1e9
    most = (queries - 1) / (duration + shortest) * 1e9
    slack = 1 + RATE_TOLERANCE
    return Check(
        name="completed_rate",
        recorded=None,
        recomputed=least / slack <= logged <= most * slack,
        why=f"{logged:g} samples/s logged; the latencies allow {least:.4f} to {most:.4f}",
    )


def offline_rate(run: Run) -> Check:
    """Samples over the longest latency: offline's one query begins at once."""
    logged, longest = (
        run.log.number("result_samples_per_second"),
        run.log.number("result_max_latency_ns"),
    )
    if logged is None or not longest:
        return undecided(
            "samples_per_second", None, "the log lacks the rate or the longest latency"
        )
    samples = run.positive("generated_query_count") * run.positive("generated_samples_per_query")
    rate = samples / longest * 1e9
    return Check(
        name="samples_per_second",
        recorded=None,
        recomputed=abs(rate / logged - 1) <= 1e-5 if logged else False,
        why=f"{rate:.6g} samples/s from the longest latency, {logged:g} logged",
    )
