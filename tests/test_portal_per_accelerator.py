"""What one accelerator does: of which results it is shown, and what is lost as more are added."""

import json

import plotly.graph_objects as go
import pytest
from portal_example import all_scenarios, published, system

from harness.records import Scenario
from portal.boards import make_boards
from portal.chart import Figure
from portal.identity import identities
from portal.listing import Published, list_results
from portal.per_accelerator import accelerator_figures


def _machine(organisation: str, count: int, speed: float) -> Published:
    one = system(f"{count} of {organisation}", organisation)
    many = one.model_copy(update={"accelerators": one.accelerators * count})
    return published(many, all_scenarios(speed, 200.0), round_name="2026.1")


def _figures(scenario: Scenario, *entries: Published) -> dict[str, Figure]:
    boards = make_boards(list_results(entries))
    (board,) = (each for each in boards if each.any.entry.result.scenario is scenario)
    looks = identities(each.organisation for each in board.ranked)
    return {figure.id: figure for figure in accelerator_figures(board.ranked, looks)}


def test_the_best_per_accelerator_need_not_lead() -> None:
    entries = (_machine("a", 1, 1.0), _machine("b", 4, 0.5))
    figure = _figures(Scenario.OFFLINE, *entries)["per-accelerator"]
    go.Figure(json.loads(json.dumps(figure.plot())))
    assert figure.y_names == ("1 of a: 1", "4 of b: 4")
    assert figure.traces[0]["x"][0] == pytest.approx(2 * figure.traces[0]["x"][1], rel=0.01)
    assert figure.caption.startswith("1 of a does the most with one accelerator")
    assert "is of 4 of b with 4" in figure.caption


def test_a_training_costs_the_time_of_all_its_accelerators() -> None:
    entries = (_machine("a", 1, 1.0), _machine("b", 4, 0.5))
    figure = _figures(Scenario.TRAIN, *entries)["per-accelerator"]
    assert figure.y_names[0] == "1 of a: 1"
    assert figure.traces[0]["x"][1] == pytest.approx(2 * figure.traces[0]["x"][0], rel=0.01)
    assert " to " in figure.rows[0][4]


def test_equal_counts_latency_and_machines_without_any_have_no_figure() -> None:
    equal = (_machine("a", 2, 1.0), _machine("b", 2, 0.5))
    assert _figures(Scenario.OFFLINE, *equal) == {}
    differing = (_machine("a", 1, 1.0), _machine("b", 2, 0.5))
    assert _figures(Scenario.SINGLE_STREAM, *differing) == {}
    without = (_machine("a", 0, 1.0), _machine("b", 2, 0.5))
    assert _figures(Scenario.OFFLINE, *without) == {}


@pytest.mark.parametrize("scenario", [Scenario.TRAIN, Scenario.OFFLINE])
def test_efficiency_is_against_the_smallest_of_the_same_organisation(scenario: Scenario) -> None:
    entries = (_machine("a", 2, 1.0), _machine("a", 8, 0.5), _machine("b", 4, 0.9))
    figure = _figures(scenario, *entries)["scaling"]
    go.Figure(json.loads(json.dumps(figure.plot())))
    ideal, curve = figure.traces
    assert ideal["x"] == [2, 8]
    assert curve["x"] == [2.0, 8.0]
    assert curve["y"] == pytest.approx([100, 50], rel=0.01)
    assert figure.plot()["layout"]["xaxis"]["ticktext"] == ["2", "8"]
    assert "a keeps 50" in figure.caption
    assert {row[0] for row in figure.rows} == {"a"}


def test_one_size_each_is_no_scaling() -> None:
    assert "scaling" not in _figures(
        Scenario.OFFLINE, _machine("a", 2, 1.0), _machine("b", 4, 0.9), _machine("a", 2, 0.8)
    )
