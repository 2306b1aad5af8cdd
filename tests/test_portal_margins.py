"""What stands beside a training's score: its interval, and the time without the luck."""

from pathlib import Path
from typing import Any

import pytest
from portal_example import (
    all_scenarios,
    inference_run,
    published,
    reference_of,
    system,
    training_run,
)

from harness.records import Mode, Scenario
from portal import scores
from portal.boards import make_boards
from portal.listing import Listing, list_results
from portal.margins import describe_margin, margins
from portal.site import publish


@pytest.fixture(autouse=True)
def _points(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's runs take twice the samples of this reference."""
    monkeypatch.setattr(scores, "load_points", lambda _: reference_of(6_000))


def _listing(runs: list[Any], name: str = "a") -> Listing:
    (found,) = list_results([published(system(name, "acme"), runs, round_name="2026.1")])
    return found


def _five(*seconds: float) -> list[Any]:
    return [training_run(n, one) for n, one in enumerate(seconds, 1)]


def test_five_runs_have_an_interval_and_a_time_without_luck() -> None:
    listing = _listing(_five(9.0, 9.6, 10.2, 9.2, 9.8))
    margin = margins([listing])[listing.id]
    assert margin.score == "9.00 s to 10.2 s"
    assert str(margin.without_luck) == "4.780 s"
    first, second = describe_margin(listing)
    assert first.startswith("The 95 % interval of the score is 9.00 s to 10.2 s")
    assert "4.780 s: 796.7 µs a sample, times the 6,000 samples" in second
    assert "(interval 4.4" in second


def test_three_runs_say_that_they_are_too_few() -> None:
    listing = _listing(_five(9.0, 9.5, 10.0))
    assert margins([listing])[listing.id].score == ""
    assert describe_margin(listing)[0].endswith("cannot be said from 3 runs.")
    assert len(describe_margin(listing)) == 2


def test_an_interval_is_open_where_a_run_was_lost() -> None:
    runs = [*_five(9.0, 9.5, 10.0, 10.5), training_run(5, 12.0, converges=False)]
    assert margins([_listing(runs)])[_listing(runs).id].score == "from 9.00 s"


def test_inference_has_neither() -> None:
    listing = _listing([inference_run(1, Scenario.OFFLINE, Mode.PERFORMANCE, 1.0)])
    margin = margins([listing])[listing.id]
    assert (margin.score, margin.without_luck) == ("", None)
    assert describe_margin(listing) == []


def test_a_board_ties_what_luck_may_have_parted_and_says_so(tmp_path: Path) -> None:
    near = [9.1, 8.2, 8.6, 8.4, 8.9]
    entries = [
        published(system(name, "acme"), _five(*times), round_name="2026.1", submitter=name)
        for name, times in (
            ("a", near),
            ("b", [one * 1.01 for one in near]),
            ("c", [one * 2 for one in near]),
        )
    ]
    (board,) = make_boards(list_results(entries))
    assert [each.rank for each in board.ranked] == [1, 1, 3]
    page = (publish(entries, tmp_path / "site").parent / board.address).read_text("utf-8")
    assert "results that cannot be told apart share one" in page
    assert "<small>[8.2" in page
    assert "At the reference’s samples" in page


def test_a_board_of_inference_says_that_nobody_measured_luck() -> None:
    entries = [published(system("a", "acme"), all_scenarios(1.0), round_name="2026.1")]
    told = {b.any.entry.result.scenario: b.about_ranks for b in make_boards(list_results(entries))}
    assert "It is of one run" in told[Scenario.OFFLINE].replace("it is", "It is")
    assert told[Scenario.TRAIN].startswith("A rank is one more than")
    (practice, *_) = make_boards(list_results([published(system("a", "acme"), _five(9, 9, 9))]))
    assert practice.about_ranks == ""
