"""Time to train as a figure: every run is a mark, and the finding follows the ranks."""

import json

import plotly.graph_objects as go
from portal_example import published, system, training_run

from portal.boards import make_boards
from portal.chart import Figure
from portal.identity import identities
from portal.listing import Listing, Published, list_results
from portal.time_to_train import time_to_train


def _machine(name: str, *seconds: float, round_name: str = "2026.1", lost: int = 0) -> Published:
    runs = [
        training_run(n, taken, converges=n > lost, name=name) for n, taken in enumerate(seconds, 1)
    ]
    return published(system(name, name), runs, round_name=round_name)


def _name(listing: Listing) -> str:
    return listing.system_name


def _figure(*entries: Published) -> Figure:
    (board,) = make_boards(list_results(entries))
    looks = identities(each.organisation for each in board.ranked)
    return time_to_train(board.ranked, looks, id="t", title="T", name=_name)


FAST, SLOW = (5.0, 5.1, 5.2, 5.3, 5.4), (9.0, 9.1, 9.2, 9.3, 9.4)


def test_every_run_is_a_mark_and_the_score_a_bar() -> None:
    figure = _figure(_machine("a", *FAST), _machine("b", *SLOW))
    go.Figure(json.loads(json.dumps(figure.plot())))
    bars, scored, dropped = figure.traces
    assert (bars["type"], len(bars["x"])) == ("bar", 2)
    assert (len(scored["x"]), len(dropped["x"])) == (6, 4)
    assert all(symbol.endswith("-open") for symbol in dropped["marker"]["symbol"])
    assert len(figure.rows) == 10
    assert figure.rows[0][4] == "5"
    assert "6 filled were scored, 4 hollow were dropped" in figure.note


def test_a_run_that_did_not_converge_lies_where_it_gave_up() -> None:
    figure = _figure(_machine("a", 30.0, 5.1, 5.2, 5.3, 5.4, lost=1))
    lost = figure.traces[-1]
    assert lost["x"] == [30.0]
    assert lost["marker"]["symbol"] == ["x-thin"]
    assert "1 crossed did not converge" in figure.note
    assert figure.rows[0][-1] == "did not converge"


def test_the_finding_follows_the_ranks() -> None:
    apart = _figure(_machine("a", *FAST), _machine("b", *SLOW)).caption
    assert apart.startswith("a is the fastest of 2 results: ")
    close = _figure(_machine("a", *FAST), _machine("b", *(t + 0.01 for t in FAST))).caption
    assert close.startswith("Which is the fastest cannot be told: 2 of 2 results share")
    assert "nobody else has been timed" in _figure(_machine("a", *FAST)).caption
    assert "none is ranked" in _figure(_machine("a", *FAST, round_name="practice")).caption


def test_bars_give_way_to_strokes_where_times_are_far_apart() -> None:
    figure = _figure(_machine("a", *FAST), _machine("b", *(100 * t for t in FAST)))
    assert figure.log_x
    assert {trace["type"] for trace in figure.traces} == {"scatter"}
    assert figure.traces[0]["marker"]["symbol"] == "line-ns"
    assert "The stroke is the score" in figure.note


def test_long_times_are_in_minutes() -> None:
    figure = _figure(_machine("a", *(600 * t for t in FAST)))
    assert figure.x_title == "time to train in min"
    assert figure.traces[0]["x"][0] < 60


def test_eight_results_are_drawn_of_more() -> None:
    figure = _figure(*(_machine(f"m{n}", *(n + t for t in FAST)) for n in range(9)))
    assert len(figure.y_names) == 8
    assert figure.note.endswith("Drawn are the first 8 of 9.")
