"""Whether a run of MLPerf's load generator is valid, as far as its published log tells.

Published logs hold counts, percentiles and settings, and no query's own time. Each check therefore
says *yes*, *no*, or that the log does not decide it, beside what LoadGen recorded.
"""

from collections.abc import Iterator

from harness.metrics import shown_within
from rules.mlperf.inference_rates import offline_rate, open_loop_rates
from rules.mlperf.inference_run import Check, Run, undecided
from rules.mlperf.inference_terms import ModelTerms


def judge(run: Run) -> list[Check]:
    """Every condition of a valid run, the verdict as a whole last."""
    checks = [_duration(run), _queries(run)]
    if run.open_loop:
        checks += [_constraints(run), *open_loop_rates(run)]
    else:
        checks.append(offline_rate(run))
    checks += [_early_stopping(run), _errors(run), _settings(run)]
    return [*checks, _validity(run, checks)]


def value_of(run: Run) -> float | None:
    """The number that v5.1 publishes: tokens or samples per second."""
    if run.scenario == "Offline":
        key = "result_tokens_per_second" if run.model.tokens else "result_samples_per_second"
    else:
        tokens, samples = "result_completed_tokens_per_second", "result_completed_samples_per_sec"
        key = tokens if run.model.tokens else samples
    return run.log.number(key)


def unit_of(scenario: str, model: ModelTerms) -> str:
    """The unit of `value_of`, in the words of the published table."""
    if model.tokens:
        return "Tokens/s"
    return "Samples/s" if scenario == "Offline" else "Queries/s"


def _duration(run: Run) -> Check:
    """Of an open loop the last scheduled time counts, of offline the longest latency."""
    recorded = run.log.flag("result_min_duration_met")
    key = "generated_query_duration" if run.open_loop else "result_max_latency_ns"
    asked = run.positive("effective_min_duration_ms") / 1e3
    lasted = run.log.number(key)
    if lasted is None:
        return undecided("min_duration", recorded, "the log does not give how long it took")
    why = f"{lasted / 1e9:.1f} s of {asked:.0f} s"
    return Check(name="min_duration", recorded=recorded, recomputed=lasted / 1e9 >= asked, why=why)


def _queries(run: Run) -> Check:
    log, recorded = run.log, run.log.flag("result_min_queries_met")
    queries, generated = log.number("result_query_count"), log.number("generated_query_count")
    size = log.number("generated_samples_per_query")
    if queries is None or generated is None or size is None:
        return undecided("min_queries", recorded, "the log gives no count of queries")
    samples, asked = queries * size, run.positive("effective_min_query_count")
    fewest = run.positive("effective_min_sample_count") if not run.open_loop else 0
    enough = queries == generated and queries >= asked and samples >= fewest
    why = f"{queries:.0f} queries, {samples:.0f} samples; {asked:.0f} and {fewest:.0f} asked for"
    return Check(name="min_queries", recorded=recorded, recomputed=enough, why=why)


def _constraints(run: Run) -> Check:
    """The 99th percentiles within the bounds that the run was given."""
    recorded = run.log.flag("result_perf_constraints_met")
    found = list(_percentiles(run))
    if not found or any(time is None for _, time, _, _ in found):
        return undecided("constraints", recorded, "the log lacks a percentile that is bounded")
    why = "; ".join(
        f"{what} p99 {(time or 0) / 1e6:.0f} ms of {bound / 1e6:.0f}"
        for what, time, bound, _ in found
    )
    within = all(time is not None and time <= bound for _, time, bound, _ in found)
    return Check(name="constraints", recorded=recorded, recomputed=within, why=why)


def _percentiles(run: Run) -> Iterator[tuple[str, float | None, float, tuple[str, str]]]:
    """What is bounded, its 99th percentile, its bound, and its keys of p99.9 and maximum."""
    number = run.log.number
    if run.log.flag("requested_use_token_latencies"):
        first = "result_first_token_{}_latency_ns"
        token = "result_time_per_output_token_{}_percentile_ns"
        yield (
            "TTFT",
            number(first.format("99.00_percentile")),
            run.positive("requested_server_ttft_latency"),
            (first.format("99.90_percentile"), first.format("max")),
        )
        yield (
            "TPOT",
            number(token.format("99.00")),
            run.positive("requested_server_tpot_latency"),
            (token.format("99.90"), "result_time_to_output_token_max"),
        )
    else:
        yield (
            "latency",
            number("result_99.00_percentile_latency_ns"),
            run.positive("effective_target_latency_ns"),
            ("result_99.90_percentile_latency_ns", "result_max_latency_ns"),
        )


def _early_stopping(run: Run) -> Check:
    """Enough queries for the number of them beyond the bound, which percentiles bracket."""
    recorded = run.log.flag("early_stopping_met")
    if not run.open_loop:
        return Check(name="early_stopping", recorded=recorded, recomputed=True, why="not asked for")
    queries, verdicts, reasons = int(run.positive("result_query_count")), [], []
    for what, time, bound, (nearly_all, greatest) in _percentiles(run):
        least, most = _over(run, queries, time, bound, nearly_all, greatest)
        shown = shown_within(most, queries, run.terms.percentile) if queries else False
        refused = not shown_within(least, queries, run.terms.percentile) if queries else True
        verdicts.append(True if shown else False if refused else None)
        reasons.append(f"{what}: {least} to {most} of {queries} beyond the bound")
    decided = False if False in verdicts else None if None in verdicts else True
    unknown = "; the percentiles in the log do not decide it" if decided is None else ""
    why = "; ".join(reasons) + unknown
    return Check(name="early_stopping", recorded=recorded, recomputed=decided, why=why)


def _over(
    run: Run, queries: int, time: float | None, bound: float, nearly_all: str, greatest: str
) -> tuple[int, int]:
    """The least and the most queries that can lie beyond ``bound``.

    Percentile p is element int(n x p) of the sorted times, so what is known of it is known of
    all before or behind it.
    """
    counted = run.log.number("result_overlatency_query_count")
    if counted is not None and not run.log.flag("requested_use_token_latencies"):
        return int(counted), int(counted)
    least, most = 0, queries
    for share, value in (
        (run.terms.percentile, time),
        (0.999, run.log.number(nearly_all)),
        (1.0, run.log.number(greatest)),
    ):
        at = min(int(queries * share), queries - 1)
        if value is not None and value <= bound:
            most = min(most, queries - 1 - at)
        elif value is not None:
            least = max(least, queries - at)
    return min(least, most), most


def _errors(run: Run) -> Check:
    """No error, no contradiction, no line that cannot be read."""
    log = run.log
    counted = run.log.number("num_errors")
    found = [*log.errors, *(f"{key} has several values" for key in log.contradictions)]
    if log.broken:
        found.append(f"{log.broken} lines cannot be read")
    clean = not found and counted == 0
    return Check(
        name="errors",
        recorded=None if counted is None else counted == 0,
        recomputed=clean,
        why="; ".join(found)[:300] or f"num_errors {counted}",
    )


def _settings(run: Run) -> Check:
    """The run was asked for what the round asks for: duration, samples, bounds, seeds, mode."""
    wrong = list(_departures(run))
    return Check(
        name="settings",
        recorded=None,
        recomputed=not wrong,
        why="; ".join(wrong) or "those of the round",
    )


def _departures(run: Run) -> Iterator[str]:
    log, terms = run.log, run.terms
    if log.text("effective_test_mode") != "PerformanceOnly":
        yield f"mode {log.text('effective_test_mode')}"
    expected = "Server" if run.open_loop else run.scenario
    if log.text("effective_scenario") != expected:
        yield f"scenario {log.text('effective_scenario')}"
    if run.positive("effective_min_duration_ms") < terms.min_duration_s * 1e3:
        yield f"duration {run.positive('effective_min_duration_ms') / 1e3:g} s"
    samples = run.positive("generated_query_count") * run.positive("generated_samples_per_query")
    if not run.open_loop and samples < run.model.samples:
        yield f"{samples:.0f} samples, fewer than the data set's {run.model.samples}"
    for name, seed in terms.seeds.items():
        if log.number(f"effective_{name}") != seed:
            yield f"{name} is not the round's"
    for key, bound_s in (
        ("effective_target_latency_ns", run.bounds.latency_s),
        ("requested_server_ttft_latency", run.bounds.ttft_s),
        ("requested_server_tpot_latency", run.bounds.tpot_s),
    ):
        given = log.number(key)
        if run.open_loop and bound_s is not None and not 0 < (given or 0) <= bound_s * 1e9:
            yield f"{key} is {given}, the round's bound {bound_s * 1e9:.0f}"


def _validity(run: Run, checks: list[Check]) -> Check:
    """Valid unless a check says no; what no log decides is taken as it is recorded."""
    said = run.log.text("result_validity")
    refused = [check.name for check in checks if check.recomputed is False]
    unknown = [check.name for check in checks if check.recomputed is None]
    taken = [check.recorded for check in checks if check.recomputed is None]
    why = f"not {', '.join(refused)}" if refused else "every condition"
    if unknown:
        why += f"; taken from the record: {', '.join(unknown)}"
    return Check(
        name="valid",
        recorded=None if said is None else said == "VALID",
        recomputed=not refused and all(known is not False for known in taken),
        why=why,
    )
