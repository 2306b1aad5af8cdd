"""Each run's part in the score."""

from typing import Any

import pytest
from portal_example import inference_run, published, reference_of, system, training_run

from harness.records import Mode, Scenario
from portal import scores
from portal.listing import Listing, list_results
from portal.result_page import describe_scaling
from portal.scores import RunScore, run_scores, scaling


def _listing(runs: list[Any]) -> Listing:
    (listing,) = list_results([published(system("a", "acme"), runs, round_name="2026.1")])
    return listing


def _scores(runs: list[Any]) -> list[RunScore]:
    return [score for _, score in run_scores(_listing(runs))]


@pytest.mark.parametrize(("samples", "factor"), [(12_600, 1.05), (12_000, None), (11_000, None)])
def test_a_result_that_converged_faster_is_shown_with_its_factor(
    monkeypatch: pytest.MonkeyPatch, samples: int, factor: float | None
) -> None:
    """The example's runs converge after 12,000 samples."""
    monkeypatch.setattr(scores, "load_points", lambda _: reference_of(samples))
    listing = _listing([training_run(n, 9.0) for n in range(1, 6)])
    found = scaling(listing)
    assert (found.pace.factor if found else None) == factor
    assert describe_scaling(listing).startswith(
        "time × 1.0500: the mean of 9.000 s" if found else ""
    )
    assert bool(describe_scaling(listing)) is bool(found)


def test_inference_is_not_scaled() -> None:
    listing = _listing([inference_run(1, Scenario.OFFLINE, Mode.PERFORMANCE, 1.0)])
    assert scaling(listing) is None


def test_fastest_and_slowest_are_dropped() -> None:
    scores = _scores([training_run(n, s) for n, s in enumerate((9.0, 8.0, 11.0, 10.0, 7.0), 1)])
    assert [score.dropped for score in scores] == [False, False, True, False, True]
    assert [score.value for score in scores] == [9.0, 8.0, 11.0, 10.0, 7.0]


def test_a_run_that_never_converged_is_the_slowest_and_has_no_value() -> None:
    runs = [training_run(1, 8.0, converges=False), training_run(2, 9.0), training_run(3, 9.5)]
    assert _scores(runs)[0] == RunScore(None, dropped=True)


def test_of_more_runs_those_outside_the_scored_stretch_are_left_out() -> None:
    """Seven runs for five: the stretches from the first to the third take 8.0, 8.1 and 8.2 s."""
    times = (8.0, 8.0, 8.0, 8.3, 8.0, 8.3, 8.3)
    scores = _scores([training_run(n, s) for n, s in enumerate(times, 1)])
    assert [score.outside for score in scores] == [True, False, False, False, False, False, True]
    assert sum(score.dropped for score in scores) == 4
    assert all(score.dropped for score in scores if score.outside)


def test_accuracy_runs_have_no_value() -> None:
    runs = [
        inference_run(n, Scenario.OFFLINE, mode, 1.0)
        for n, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1)
    ]
    performance, accuracy = _scores(runs)
    assert performance.value is not None
    assert performance.value > 900
    assert accuracy == RunScore(None, dropped=False)
