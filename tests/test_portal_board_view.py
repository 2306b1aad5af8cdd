"""Energy, cost and frontiers of a leaderboard: what is ranked together, and what is not."""

from dataclasses import replace

import numpy as np
from portal_example import (
    HOSTILE,
    PRICE,
    all_scenarios,
    further_scenarios,
    inference_run,
    published,
    system,
)

from harness.records import Mode, Scenario
from harness.telemetry.energy import Boundary
from portal.board_view import board_view
from portal.constraint_chips import filters
from portal.energy_board import energy_boards, energy_cells
from portal.identity import Identities, identities
from portal.listing import Listing, Published, list_results
from portal.measured import Measured, UnitEnergy, measure
from portal.pareto import Axis, axes, pareto_figures, unbeaten
from portal.price_board import price_board


def _machine(name: str, speed: float, watts: float, **limits: float) -> Published:
    runs = all_scenarios(speed, watts, **limits)
    return published(system(name, "acme"), runs, round_name="2026.1")


def _trainings(*entries: Published) -> list[Listing]:
    found = list_results(entries)
    trained = [each for each in found if each.entry.result.scenario is Scenario.TRAIN]
    return sorted(trained, key=lambda each: each.entry.result.value or 0)


def _looks(ranked: list[Listing]) -> Identities:
    return identities(each.organisation for each in ranked)


def _two() -> list[Listing]:
    return _trainings(_machine("fast", 0.8, 300.0), _machine("slow", 1.0, 200.0))


def _joules(boundary: Boundary, joules: float, uncertainty_j: float = 1.0) -> Measured:
    return Measured("training run", 10.0, (UnitEnergy(boundary, joules, uncertainty_j),))


def test_boundaries_are_never_ranked_together() -> None:
    fast, slow = _two()
    boards = energy_boards(
        [fast, slow],
        {fast.id: _joules(Boundary.WALL, 900.0), slow.id: _joules(Boundary.BOARD, 100.0)},
        _looks([fast, slow]),
    )
    assert [(b.boundary, [row.rank for row in b.rows]) for b in boards] == [
        (Boundary.BOARD, [1]),
        (Boundary.WALL, [1]),
    ]
    assert all(board.figure is None for board in boards)


def test_overlapping_uncertainties_share_a_rank() -> None:
    ranked = _two()
    first, second = (each.id for each in ranked)
    board = Boundary.BOARD
    apart = {first: _joules(board, 300.0), second: _joules(board, 200.0)}
    assert [row.rank for row in energy_boards(ranked, apart, _looks(ranked))[0].rows] == [1, 2]
    close = {first: _joules(board, 300.0, 60.0), second: _joules(board, 200.0, 60.0)}
    (shared,) = energy_boards(ranked, close, _looks(ranked))
    assert [(row.listing.system_name, row.rank) for row in shared.rows] == [
        ("slow", 1),
        ("fast", 1),
    ]
    assert shared.figure is not None
    assert "cannot be told" in shared.figure.caption


def test_performance_per_watt_from_the_runs_themselves() -> None:
    ranked = _two()
    measured = {each.id: found for each in ranked if (found := measure(each)) is not None}
    (board,) = energy_boards(ranked, measured, _looks(ranked))
    assert [str(row.watts) for row in board.rows] == ["200 W", "300 W"]
    assert board.rows[0].per_watt.endswith("training runs per kWh")
    assert board.figure is not None
    assert board.figure.plot()["layout"]["xaxis"]["rangemode"] == "tozero"
    cells = energy_cells(measured)[ranked[0].id]
    assert [boundary for _, boundary in cells] == ["board"]


def test_cost_follows_the_price_and_the_unpriced_stand_last() -> None:
    priced = published(system("p", "acme", price=PRICE), all_scenarios(1.0), round_name="2026.1")
    ranked = _trainings(priced, _machine("free", 0.5, 0.0))
    measured = {each.id: found for each in ranked if (found := measure(each)) is not None}
    board = price_board(ranked, measured)
    assert board is not None
    assert [row.listing.system_name for row in board.rows] == ["p", "free"]
    first, last = board.rows
    each = measured[first.listing.id]
    assert each.cost is not None
    assert abs(float(first.per_hour) * first.hours - each.cost) < 1e-5 * each.cost
    assert (first.currency, last.stated, last.cost) == ("USD", "not stated", "–")


def test_a_lower_cap_is_within_a_higher_one() -> None:
    tight = _machine("tight", 1.0, 200.0, gpu_power_limit_w=250)
    loose = _machine("loose", 1.0, 200.0, gpu_power_limit_w=300)
    free = _machine("free", 0.5, 400.0)
    ranked = _trainings(tight, loose, free)
    found = {each.system_name: filters(ranked)[each.id] for each in ranked}
    assert found == {
        "tight": ("within 250 W", "within 300 W"),
        "loose": ("within 300 W",),
        "free": (),
    }


def test_the_frontier_is_what_nobody_beats_in_all() -> None:
    speed = Axis("score", "s", True, {"a": 9.0, "b": 5.0, "c": 4.0, "d": 1.0}, {})
    energy = Axis("energy-1", "J", False, {"a": 7.0, "b": 2.0, "c": 3.0}, {})
    assert unbeaten(["a", "b", "c"], (speed, energy)) == ["a", "b"]
    assert unbeaten(["a", "d"], (speed, energy)) == ["a"]
    assert unbeaten(["d", "c"], (energy, speed)) == ["c"]


def test_the_frontier_is_drawn_in_steps_and_names_cannot_be_markup() -> None:
    entries = (_machine(HOSTILE, 0.8, 300.0), _machine("slow", 1.0, 200.0))
    ranked = _trainings(*entries)
    view = board_view(ranked, _looks(ranked))
    (figure,) = view.pareto
    assert figure.traces[0]["line"]["shape"] == "hv"
    assert figure.traces[0]["x"] == sorted(figure.traces[0]["x"])
    assert "<script>" not in figure.traces[1]["name"]
    assert "2 of 2 are on the frontier" in figure.caption


def _server(slowness: float) -> Published:
    evidence, files = inference_run(
        1, Scenario.SERVER, Mode.PERFORMANCE, 4.0 * slowness, slowness=slowness
    )
    assert evidence.queries is not None
    queries = np.tile(evidence.queries, 6)
    queries["query"] = np.arange(len(queries))
    return published(system("a", "acme"), [(replace(evidence, queries=queries), files)])


def test_latency_is_an_axis_of_an_open_loop_with_enough_queries() -> None:
    over = axes(ranked := list_results([_server(1.0), _server(0.8)]), {})
    assert over[1].title == "99th percentile of latency in s"
    assert len(over[1].values) == 2
    assert [figure.id for figure in pareto_figures(ranked, over, _looks(ranked))] == [
        "pareto-latency"
    ]
    short = list_results([published(system("a", "acme"), further_scenarios(1.0))])
    assert axes([each for each in short if each.entry.search], {})[1].values == {}


def test_nothing_measured_nothing_shown() -> None:
    ranked = _trainings(_machine("a", 1.0, 0.0))
    view = board_view(ranked, _looks(ranked))
    assert (view.energy, view.cells, view.pareto, view.choices) == ((), {}, (), ())
    assert [figure.id for figure in view.charts] == ["time-to-train"]
    assert board_view([], {}).pareto == ()


def test_throughput_against_latency_stands_first_and_once() -> None:
    ranked = list_results([_server(1.0), _server(0.8)])
    view = board_view(ranked, _looks(ranked))
    assert [figure.id for figure in view.charts] == ["pareto-latency"]
    assert view.charts[0].traces[0]["line"]["shape"] == "vh"
    assert view.pareto == ()
