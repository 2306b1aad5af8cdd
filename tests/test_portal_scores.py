"""Each run's part in the score."""

from portal_example import inference_run, published, system, training_run

from harness.records import Mode, Scenario
from portal.listing import list_results
from portal.scores import RunScore, run_scores


def _scores(runs: list, round_name: str = "2026.1") -> list[RunScore]:  # type: ignore[type-arg]
    (listing,) = list_results([published(system("a", "acme"), runs, round_name=round_name)])
    return [score for _, score in run_scores(listing)]


def test_fastest_and_slowest_are_dropped() -> None:
    scores = _scores([training_run(n, s) for n, s in enumerate((9.0, 8.0, 11.0, 10.0, 7.0), 1)])
    assert [score.dropped for score in scores] == [False, False, True, False, True]
    assert [score.value for score in scores] == [9.0, 8.0, 11.0, 10.0, 7.0]


def test_a_run_that_never_converged_is_the_slowest_and_has_no_value() -> None:
    runs = [training_run(1, 8.0, converges=False), training_run(2, 9.0), training_run(3, 9.5)]
    assert _scores(runs)[0] == RunScore(None, dropped=True)


def test_accuracy_runs_have_no_value() -> None:
    runs = [
        inference_run(n, Scenario.OFFLINE, mode, 1.0)
        for n, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1)
    ]
    performance, accuracy = _scores(runs)
    assert performance.value is not None
    assert performance.value > 900
    assert accuracy == RunScore(None, dropped=False)
