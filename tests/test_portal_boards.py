"""Leaderboards: order, ranks, refusals, and how they say they measure."""

from dataclasses import replace

from portal_example import (
    all_scenarios,
    example,
    finding,
    further_scenarios,
    inference_run,
    published,
    system,
    training_run,
)

from harness.records import Mode, Scenario
from portal.boards import Board, describe_method, make_boards
from portal.listing import Published, list_results
from portal.scores import run_scores


def boards(*entries: Published) -> dict[str, Board]:
    return {board.address: board for board in make_boards(list_results(entries))}


def _machine(speed: float, name: str, round_name: str = "2026.1") -> Published:
    return published(system(name, "acme"), all_scenarios(speed), round_name=round_name)


def test_best_first_in_the_metrics_own_direction() -> None:
    found = boards(_machine(2, "slow"), _machine(1, "fast"))
    assert len(found) == 3
    for board in found.values():
        assert [(each.rank, each.system_name) for each in board.ranked] == [
            (1, "fast"),
            (2, "slow"),
        ]


def test_equal_scores_share_a_rank() -> None:
    entries = [_machine(speed, name) for speed, name in ((1, "a"), (1, "b"), (2, "c"))]
    board = boards(*entries)["r/2026.1/image_classification/train/closed/index.html"]
    assert [each.rank for each in board.ranked] == [1, 1, 3]


def test_practice_never_ranks_nor_stands_beside_a_round() -> None:
    found = boards(_machine(1, "a", "practice"), _machine(2, "b"))
    practice = found["r/practice/image_classification/train/closed/index.html"]
    assert [(each.rank, each.system_name) for each in practice.ranked] == [(None, "a")]
    assert len(found) == 6


def test_a_result_with_errors_is_refused_and_the_others_of_its_bundle_are_not() -> None:
    one = published(
        system("a", "acme"), all_scenarios(1), round_name="2026.1", findings=(finding(),)
    )
    refused = {
        board.any.entry.result.scenario: len(board.refused) for board in boards(one).values()
    }
    assert refused == {Scenario.TRAIN: 1, Scenario.SINGLE_STREAM: 0, Scenario.OFFLINE: 0}


def test_a_finding_against_the_bundle_refuses_all_of_it() -> None:
    against_all = finding().model_copy(update={"file": "system.json", "line": None})
    one = published(
        system("a", "acme"), all_scenarios(1), round_name="2026.1", findings=(against_all,)
    )
    assert all(board.refused and not board.ranked for board in boards(one).values())


def test_no_score_no_rank() -> None:
    runs = [training_run(n, 9.0, converges=False) for n in (1, 2, 3)]
    (board,) = boards(published(system("a", "acme"), runs, round_name="2026.1")).values()
    assert board.ranked == ()
    assert board.refused[0].score is None


def test_method_names_the_rounds_numbers() -> None:
    found = boards(*example())
    training = found["r/2026.1/image_classification/train/closed/index.html"].method
    assert "5 runs" in training
    offline = found["r/2026.1/image_classification/offline/closed/index.html"].method
    assert "at least 60 s and 24,576 samples" in offline
    stream = found["r/2026.1/image_classification/single_stream/closed/index.html"].method
    assert "90th percentile" in stream


def test_methods_of_the_further_scenarios() -> None:
    entry = published(system("a", "acme"), further_scenarios(1.0), round_name="2026.1")
    methods = {board.any.entry.result.scenario: board.method for board in boards(entry).values()}
    assert "Queries of 8 samples" in methods[Scenario.MULTI_STREAM]
    assert "99th percentile of the latency of a whole query" in methods[Scenario.MULTI_STREAM]
    assert "counts from the scheduled arrival" in methods[Scenario.SERVER]
    assert "that of the time per further token within" in methods[Scenario.INTERACTIVE]
    assert methods.keys() == {Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.INTERACTIVE}


def test_a_scenario_that_the_round_does_not_know_is_shown_without_a_score() -> None:
    (listing,) = list_results(
        [published(system("a", "acme"), [inference_run(1, Scenario.SERVER, Mode.PERFORMANCE, 1.0)])]
    )
    terms = {Scenario.OFFLINE: listing.round.inference[Scenario.OFFLINE]}
    unknown = replace(listing, round=listing.round.model_copy(update={"inference": terms}))
    assert "has no terms for this scenario" in describe_method(unknown)
    assert [score.value for _, score in run_scores(unknown)] == [None]
