"""rules/convergence.py: the arithmetic by hand, its properties, and MLPerf's own verdicts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.card import ReferenceConvergencePoint
from rules.convergence import (
    NEVER_CONVERGED,
    Convergence,
    Match,
    Pace,
    Verdict,
    judge,
    least_mean,
    match,
    olympic,
    prune,
    summarise,
    summarise_all,
)
from rules.round import ConvergenceTerms, read_round

OURS = read_round("2026.1").convergence.model_copy(update={"significance": 0.05})
MLPERF = ConvergenceTerms(
    significance=0.05,
    drop=1,
    deviation="all",
    grid_variance=False,
    pruning="walk",
    limit="bisection",
    allowance_samples={"llama31_405b": 46_080},
)
EXACT = MLPERF.model_copy(update={"deviation": "trimmed", "limit": "closed_form"})
EPOCHS = [16, 14, 16, 17, 16, 16, 15, 16, 15, 16]
"""The example of MLPerf's rules: ten reference runs for results of five."""
OFFICIAL = Path(__file__).parents[2] / "shared/mlperf"


def point(batch_size: int, mean: float, deviation: float = 0.0) -> Convergence:
    return Convergence(batch_size, mean, deviation, 18)


def sizes(points: list[Convergence]) -> list[int]:
    return [one.batch_size for one in points]


def summary(values: list[float], terms: ConvergenceTerms, step: float = 0.0) -> Convergence:
    found = summarise(64, values, terms, step)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("terms", "deviation", "least"), [(EXACT, 0.43, 15.21), (MLPERF, 0.78, 14.78)]
)
def test_the_example_of_the_rules_and_what_the_checker_makes_of_it(
    terms: ConvergenceTerms, deviation: float, least: float
) -> None:
    found = summary(list(map(float, EPOCHS)), terms)
    assert found.mean == 15.75
    assert found.runs == 8
    assert round(found.deviation, 2) == deviation
    assert round(least_mean(found, 3, terms), 2) == least


def test_a_lost_run_is_the_slowest_and_two_are_too_many() -> None:
    one, two = [1.0, 2.0, 3.0, NEVER_CONVERGED], [1.0, 2.0, NEVER_CONVERGED, NEVER_CONVERGED]
    assert summary(one, OURS).mean == 2.5
    assert summarise(64, two, OURS) is None
    assert olympic(two, 1) is None
    assert olympic([1.0, 2.0], 1) is None


def test_points_are_read_by_batch_size_with_their_grid() -> None:
    """At 64 an interval of 100 is two batches, so 128; at 30 it is 120."""
    points = [
        ReferenceConvergencePoint(
            global_batch_size=size,
            samples_to_converge=lost + (1280,) * 5,
            seeds=tuple(range(6)),
            hyperparameters={},
            measured_on="",
        )
        for size, lost in ((64, (None,)), (30, (1280,)))
    ]
    small, large = summarise_all(points, OURS, every=100)
    assert (small.batch_size, small.deviation) == (30, pytest.approx(120 / 12**0.5))
    assert (large.batch_size, large.deviation) == (64, pytest.approx(128 / 12**0.5))


def test_runs_that_all_end_together_leave_slack_only_by_the_grid() -> None:
    together = [960.0] * 20
    assert least_mean(summary(together, EXACT, 960), 3, EXACT) == 960
    assert least_mean(summary(together, OURS, 960), 3, OURS) < 900


def test_points_of_smaller_batches_than_the_fastest_are_pruned() -> None:
    points = [point(16, 40), point(32, 30), point(64, 35)]
    assert sizes(prune(points, "hull")) == sizes(prune(points, "walk")) == [32, 64]
    assert prune([], "hull") == []


def test_the_walk_leaves_what_the_removal_of_its_neighbour_uncovers() -> None:
    """Point 20 lies on the line from 10 to 30, but above that from 10 to 40."""
    points = [point(10, 10), point(20, 20), point(30, 30.5), point(40, 31)]
    assert sizes(prune(points, "walk")) == [10, 20, 40]
    assert sizes(prune(points, "hull")) == [10, 40]


def test_a_point_on_the_line_stays() -> None:
    points = [point(10, 10), point(20, 20), point(30, 30)]
    assert prune(points, "hull") == prune(points, "walk") == points


POINTS = st.dictionaries(st.integers(1, 4096), st.integers(1, 10**6), min_size=1, max_size=12)


@given(POINTS)
def test_no_point_lies_below_the_hull(means: dict[int, int]) -> None:
    points = [point(size, mean) for size, mean in sorted(means.items())]
    hull = prune(points, "hull")
    assert prune(hull, "hull") == hull
    assert set(sizes(hull)) <= set(sizes(prune(points, "walk")))
    kept = [one for one in points if one.batch_size >= hull[0].batch_size]
    line = np.interp(sizes(kept), sizes(hull), [one.mean for one in hull])
    assert all(one.mean >= y * (1 - 1e-12) for one, y in zip(kept, line, strict=True))


def test_matching() -> None:
    points = [point(32, 100, 10), point(64, 200, 30)]
    assert match(64, points, 5) == Match("equal", (64,), points[1])
    between = Match("between", (32, 64), Convergence(40, 125.0, 15.0, 10))
    assert match(40, points, 5) == between
    assert match(16, points, 5) == Match("below", (32,), points[0])
    assert match(65, points, 5) is None
    assert match(64, [], 5) is None


def verdict(result_mean: float, terms: ConvergenceTerms, allowance: float = 0.0) -> Verdict:
    return judge(Pace(Match("equal", (64,), point(64, 1000, 50)), result_mean), terms, 5, allowance)


def test_a_verdict() -> None:
    limit = 1000 - 1.729133 * 50 * (1 / 3 + 1 / 18) ** 0.5  # t of 19 degrees of freedom
    found = verdict(limit + 0.01, EXACT)
    assert (found.least, found.limit) == pytest.approx((limit, limit), abs=1e-3)
    assert found.passed
    assert found.pace.factor == 1000 / (limit + 0.01)
    assert not verdict(limit - 0.01, EXACT).passed


def test_the_allowance_lowers_the_limit_alone() -> None:
    bare, granted = verdict(910, EXACT), verdict(910, EXACT, 40)
    assert granted.least == bare.least
    assert granted.limit == pytest.approx(bare.limit - 40)
    assert (bare.passed, granted.passed) == (False, True)
    assert verdict(910, EXACT, 2000).limit == 0


def test_slower_than_the_reference_is_not_scaled() -> None:
    assert verdict(1001, EXACT).pace.factor == 1
    assert verdict(0, EXACT).pace.factor == 1
    assert not verdict(0, EXACT).passed


@given(st.floats(1, 1e6), st.floats(0, 0.2), st.integers(1, 40), st.integers(1, 40))
def test_the_bisection_finds_the_closed_form(
    mean: float, share: float, runs: int, others: int
) -> None:
    reference = Convergence(64, mean, mean * share, others + 1)
    exact, bisected = (least_mean(reference, runs, terms) for terms in (EXACT, MLPERF))
    assert abs(exact - bisected) <= 1e-4
    assert 0 <= exact <= mean


@pytest.mark.parametrize(("runs", "others", "most"), [(3, 20, 0.04), (5, 20, 0.07), (5, 10, 0.1)])
def test_the_reference_itself_is_refused_about_as_often_as_the_round_says(
    runs: int, others: int, most: float
) -> None:
    """Runs that end at any of some ten evaluations, as those of small workloads do."""
    draw = np.random.default_rng(5)
    refused = 0
    for _ in range(2000):
        samples = np.ceil(draw.normal(10, 2, others + runs)) * 960
        reference = Match("equal", (64,), summary(list(samples[:others]), OURS, 960))
        mean = olympic(samples[others:], 1)
        assert mean is not None
        refused += not judge(Pace(reference, mean), OURS, runs).passed
    assert 0.01 < refused / 2000 < most


official = pytest.mark.skipif(
    not OFFICIAL.exists(), reason="MLPerf's published points are not here"
)


def published(benchmark: str, terms: ConvergenceTerms) -> list[Convergence]:
    records = json.loads((OFFICIAL / f"rcps_5.1.0/rcps_{benchmark}.json").read_text("utf-8"))
    found = []
    for record in records.values():
        (values,) = [record[key] for key in record if key.endswith("to converge")]
        summarised = summarise(record["BS"], values, terms)
        assert summarised is not None
        found.append(summarised)
    return prune(sorted(found, key=lambda one: one.batch_size), terms.pruning)


def of_directory(record: dict[str, Any], terms: ConvergenceTerms) -> dict[str, Any]:
    """What the official checker says of one benchmark directory, by its own names."""
    benchmark, files = record["benchmark"], record["files"].values()
    runs = {"retinanet": 5, "llama31_405b": 3}.get(benchmark, 10)
    (size,) = {one["global_batch_size"] for one in files} - {None}
    mean = olympic(
        [one["epochs_or_samples"] if one["converged"] else NEVER_CONVERGED for one in files], 1
    )
    found = match(size, published(benchmark, terms), runs)
    assert found is not None
    assert mean is not None
    verdict = judge(Pace(found, mean), terms, runs, terms.allowance_samples.get(benchmark, 0))
    return {
        "rcp_pass": verdict.passed,
        "rcp_norm": verdict.pace.factor,
        "submission_mean": round(mean, 4),
        "rcp_bs": found.reference.batch_size,
        "rcp_mean": found.reference.mean,
        "rcp_stdev": found.reference.deviation,
        "rcp_min_epochs": verdict.least,
        "rcp_interpolated": found.how == "between",
    }


@official
def test_mlperfs_verdicts_to_the_last_bit() -> None:
    """109 directories: equal, between and below, with the allowance and without."""
    oracle = json.loads((OFFICIAL / "training_v5.1_oracle.json").read_text("utf-8"))
    for record in oracle:
        found = of_directory(record, MLPERF)
        assert found == {key: record[key] for key in found}, record["system"]


@official
def test_the_hull_leaves_out_what_the_walk_keeps() -> None:
    hull = MLPERF.model_copy(update={"pruning": "hull"})
    for benchmark, extra in (("dlrm_dcnv2", {55296}), ("llama2_70b_lora", {16})):
        walked = sizes(published(benchmark, MLPERF))
        assert set(walked) - set(sizes(published(benchmark, hull))) == extra
