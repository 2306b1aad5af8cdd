"""The search against simulated queues whose capacity is known."""

import math
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.capacity import MAX_PROBES, Measure, Probe, Search, Terms, assess, find_max, judge
from harness.records import Scenario

MS = 1_000_000
S = 1000 * MS
TERMS = Terms(Scenario.SERVER, bound_ns=50 * MS, percentile=0.99, full_ns=60 * S)
SERVED = 1000.0
"""Queries per second of the simulated server."""


def queue(seed: int, terms: Terms = TERMS, service: Callable[..., np.ndarray] | None = None,
          rate: float = SERVED) -> Measure:  # type: ignore[type-arg]  # fmt: skip
    """A probe of one server with Poisson arrivals; exponential service unless given (M/M/1)."""
    generator = np.random.default_rng(seed)

    def probe(arrivals: float, duration_ns: int) -> Probe:
        n = max(1, min(3_000_000, int(arrivals * duration_ns / 1e9)))
        gaps = generator.exponential(1 / arrivals, n)
        served = service(n) if service else generator.exponential(1 / rate, n)
        # Lindley's recursion, unrolled: the wait is the walk above its lowest point so far.
        walk = np.concatenate(([0.0], np.cumsum(served[:-1] - gaps[1:])))
        waits = walk - np.minimum.accumulate(walk)
        latencies = ((waits + served) * 1e9).astype(np.int64)
        return assess(arrivals, duration_ns, latencies, np.zeros(n, np.int64), terms)

    return probe


def analytic(terms: Terms = TERMS, rate: float = SERVED) -> float:
    """Capacity of M/M/1: the time in it is exponential with rate (served - arriving)."""
    return rate - math.log(1 / (1 - terms.percentile)) / (terms.bound_ns / 1e9)


def test_the_capacity_of_a_queue_is_found_over_many_seeds() -> None:
    ratios = []
    for seed in range(30):
        search = find_max(queue(seed), 50.0, TERMS)
        assert search.found is not None
        ratios.append(search.found / analytic())
        assert len(search.probes) <= 25
    assert min(ratios) > 0.92
    assert max(ratios) < 1.04
    assert 0.97 < median(ratios) < 1.01


def test_it_takes_about_the_time_of_a_few_full_runs() -> None:
    taken = [sum(p.duration_ns for p in find_max(queue(s), 50.0, TERMS).probes) for s in range(10)]
    assert median(taken) < 6 * TERMS.full_ns


def test_low_rates_are_climbed_over_in_short_probes() -> None:
    first, *_, full = find_max(queue(1), 0.5, TERMS).probes
    assert first.rate == TERMS.lowest
    assert first.duration_ns == TERMS.first_ns(0.5) < full.duration_ns / 20


def test_a_promise_that_is_not_kept_sends_the_search_down() -> None:
    # Too few queries at 20 a second to see that 1 in 10 is slow; there is nothing below either.
    slow = np.random.default_rng(5)
    search = find_max(
        queue(4, service=lambda n: np.where(slow.random(n) < 0.1, 0.06, 1e-4)), 2.0, TERMS
    )
    assert search.found is None
    assert search.probes[-1].rate == pytest.approx(TERMS.lowest)


def test_constant_service_holds_more_than_exponential_service() -> None:
    search = find_max(queue(1, service=lambda n: np.full(n, 1 / SERVED)), 20_000.0, TERMS)
    assert search.found is not None
    assert analytic() < search.found < SERVED


def test_no_load_is_light_enough_for_a_service_longer_than_the_bound() -> None:
    search = find_max(queue(1, service=lambda n: np.full(n, 0.06)), 50.0, TERMS)
    assert search.found is None
    assert search.probes[-1].rate == pytest.approx(TERMS.lowest)
    assert {probe.verdict for probe in search.probes} == {"invalid"}
    assert sum(probe.queries for probe in search.probes) < 2_000


def test_the_guess_does_not_matter_much() -> None:
    found = [find_max(queue(1), start, TERMS).found for start in (0.001, 1e3, 1e12)]
    assert all(each is not None and 0.92 < each / analytic() < 1.04 for each in found)


def test_a_system_that_never_fails_ends_at_the_limit() -> None:
    def always(rate: float, duration_ns: int) -> Probe:
        n = int(rate * duration_ns / 1e9)
        return answered(rate, n, 0).model_copy(update={"duration_ns": duration_ns})

    search = find_max(always, 1.0, TERMS)
    assert search.found == TERMS.highest
    assert len(search.probes) < 20
    assert max(p.queries for p in search.probes if not p.confirming) <= 4_000_000


def answered(rate: float, queries: int, over: int) -> Probe:
    return Probe(rate=rate, duration_ns=S, queries=queries, over_bound=over, percentile_ns=MS,
                 lateness_p99_ns=0, verdict=judge(queries, over, 0.99))  # fmt: skip


def test_probes_that_never_tell_come_to_an_end() -> None:
    search = find_max(lambda rate, _: answered(rate, 10, 0), 10.0, TERMS)
    assert search.found is None
    assert len(search.probes) <= MAX_PROBES + 8


def test_a_noisy_machine_is_told_from_a_slow_one() -> None:
    noise = np.random.default_rng(3)

    def service(n: int) -> np.ndarray:  # type: ignore[type-arg]
        return np.where(noise.random(n) < 0.002, 0.02, 1 / SERVED)

    found = find_max(queue(1, service=service), 10.0, TERMS).found
    assert found is not None
    assert 0.7 * SERVED < found < SERVED


def test_a_noisy_moment_at_the_start_is_looked_at_again() -> None:
    quiet, calls = queue(1), []

    def probe(rate: float, duration_ns: int) -> Probe:
        calls.append(rate)
        return answered(rate, 500, 90) if len(calls) == 1 else quiet(rate, duration_ns)

    found = find_max(probe, 100.0, TERMS).found
    assert found is not None
    assert 0.92 < found / analytic() < 1.04


def test_confirming_runs_back_off_until_one_holds() -> None:
    confirmed: list[tuple[float, int]] = []

    def confirm(rate: float, duration_ns: int) -> Probe:
        confirmed.append((rate, duration_ns))
        return answered(rate, 10_000, 0 if len(confirmed) == 3 else 500)

    search = find_max(queue(1), 50.0, TERMS, confirm)
    assert search.found == confirmed[2][0] == search.probes[-1].rate
    assert [length for _, length in confirmed] == [TERMS.full_ns] * 3
    assert confirmed[2][0] == pytest.approx(confirmed[0][0] * 0.97**2, rel=1e-3)
    assert [probe.confirming for probe in search.probes[-4:]] == [False, True, True, True]


def test_no_confirming_run_no_capacity() -> None:
    search = find_max(queue(1), 50.0, TERMS, lambda rate, _: answered(rate, 1000, 500))
    assert search.found is None
    assert sum(probe.confirming for probe in search.probes) == 8


STREAMS = Terms(Scenario.MULTI_STREAM, bound_ns=50 * MS, percentile=0.99, full_ns=60 * S)


def batches(seed: int, sample_ms: float) -> Measure:
    """A closed loop whose query takes ``sample_ms`` a sample, give or take a twentieth."""
    generator = np.random.default_rng(seed)

    def probe(samples: float, duration_ns: int) -> Probe:
        assert samples == int(samples)
        usual = samples * sample_ms * MS
        n = max(1, int(duration_ns / usual))
        latencies = generator.normal(usual, usual / 20, n).astype(np.int64)
        return assess(samples, duration_ns, latencies, np.zeros(n, np.int64), STREAMS)

    return probe


@pytest.mark.parametrize(("sample_ms", "expected"), [(1.0, 44), (0.05, 895), (10.0, 4), (40.0, 1)])
def test_whole_samples_a_query_are_searched_for(sample_ms: float, expected: int) -> None:
    search = find_max(batches(1, sample_ms), 8, STREAMS)
    assert search.what == "samples_per_query"
    assert search.found is not None
    assert search.found == int(search.found)
    assert 0.95 * expected - 0.5 <= search.found <= expected * 1.02


def test_not_even_one_sample() -> None:
    search = find_max(batches(1, 60.0), 8, STREAMS)
    assert search.found is None
    assert search.probes[-1].rate == 1


@pytest.mark.parametrize(
    ("queries", "over", "verdict"),
    [(458, 0, "unsure"), (459, 0, "valid"), (661, 1, "unsure"), (662, 1, "valid"),
     (0, 0, "unsure"), (1, 1, "invalid"), (100, 3, "unsure"), (1000, 30, "invalid")],
)  # fmt: skip
def test_a_verdict_needs_evidence(queries: int, over: int, verdict: str) -> None:
    assert judge(queries, over, 0.99) == verdict


@given(st.integers(1, 100_000), st.floats(0, 1), st.sampled_from([0.9, 0.99]))
def test_a_verdict_never_contradicts_the_share(queries: int, share: float, p: float) -> None:
    over = int(queries * share)
    if over / queries > 1 - p:
        assert judge(queries, over, p) != "valid"
    else:
        assert judge(queries, over, p) != "invalid"


def test_a_stopped_run_is_invalid_whatever_it_had() -> None:
    none = np.zeros(0, np.int64)
    probe = assess(10.0, S, none, none, TERMS, stopped=True)
    assert (probe.verdict, probe.queries, probe.percentile_ns) == ("invalid", 0, 0)


def test_a_probe_counts_its_latencies() -> None:
    latencies = np.array([1, 50, 51, 90], np.int64) * MS
    probe = assess(10.0, S, latencies, np.arange(4), TERMS)
    assert (probe.queries, probe.over_bound, probe.percentile_ns) == (4, 2, 90 * MS)
    assert probe.lateness_p99_ns == 3


def test_a_record_comes_back_and_cannot_claim_what_was_not_confirmed() -> None:
    search = find_max(queue(1), 50.0, TERMS)
    assert Search.model_validate_json(search.to_json()) == search
    assert search.found is not None
    for found in (None, search.found * 2):
        with pytest.raises(ValidationError, match="found is not the rate"):
            Search.model_validate({**dict(search), "found": found})
    with pytest.raises(ValidationError, match="more queries beyond"):
        Probe.model_validate({**dict(search.probes[0]), "over_bound": 10**9})
