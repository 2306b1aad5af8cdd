"""Figures: plotly accepts them, captions state what was found, tables hold the numbers."""

import json

import plotly.graph_objects as go
from portal_example import (
    example,
    further_scenarios,
    inference_run,
    published,
    system,
)

from harness.queries import RAISED
from harness.records import Mode, Scenario
from portal.chart import Figure
from portal.figures import figures
from portal.listing import Listing, list_results


def _all() -> list[Figure]:
    return [figure for listing in list_results(example()) for figure in figures(listing)]


def _figure(runs: list) -> Figure:  # type: ignore[type-arg]
    (listing,) = list_results([published(system("a", "acme"), runs)])
    (figure,) = figures(listing)
    return figure


def test_plotly_accepts_every_figure_and_knows_only_basic_traces() -> None:
    found = _all()
    expected = "convergence latency completions first-token per-token lateness search"
    assert {figure.id for figure in found} == set(expected.split())
    for figure in found:
        go.Figure(json.loads(json.dumps(figure.plot())))
        assert {trace["type"] for trace in figure.traces} <= {"scatter", "bar", "pie"}
        assert len(figure.headers) == len(figure.rows[0])


def test_quantiles_with_too_few_queries_are_not_printed() -> None:
    figure = _figure([inference_run(1, Scenario.SINGLE_STREAM, Mode.PERFORMANCE, 1.0)])
    shown = {row[1]: row[2] for row in figure.rows}
    assert shown["99.0%"] == "too few queries (needs 10,000)"
    assert shown["90.0%"].endswith("ms")
    assert "2,048 queries" in figure.caption


def test_completions_end_at_the_last_sample() -> None:
    figure = _figure([inference_run(1, Scenario.OFFLINE, Mode.PERFORMANCE, 1.0)])
    (trace,) = figure.traces
    assert trace["y"][-1] == 2048
    assert trace["x"] == sorted(trace["x"])


def _further(scenario: Scenario) -> Listing:
    listings = list_results([published(system("a", "acme"), further_scenarios(1.0))])
    return next(each for each in listings if each.entry.result.scenario is scenario)


def test_each_scenario_has_the_figures_that_it_is_about() -> None:
    def ids(scenario: Scenario) -> list[str]:
        return [figure.id for figure in figures(_further(scenario))]

    assert ids(Scenario.MULTI_STREAM) == ["latency"]
    assert ids(Scenario.SERVER) == ["latency", "lateness", "search"]
    assert ids(Scenario.INTERACTIVE) == ["first-token", "per-token", "lateness"]


def test_runs_without_an_answer_have_no_figure() -> None:
    evidence, files = inference_run(1, Scenario.OFFLINE, Mode.PERFORMANCE, 1.0)
    assert evidence.queries is not None
    evidence.queries["error"] = RAISED
    (listing,) = list_results([published(system("a", "acme"), [(evidence, files)])])
    assert figures(listing) == []
