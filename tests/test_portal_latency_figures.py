"""Distributions of latency against the bound, and the generator's lateness in words."""

import numpy as np
from portal_example import further_scenarios, published, system

from harness.records import Scenario
from portal.chart import Figure
from portal.figures import figures
from portal.latency_figures import lateness_words
from portal.listing import list_results
from portal.query_times import QueryTimes


def _figures(scenario: Scenario, slowness: float = 1.0) -> dict[str, Figure]:
    listings = list_results([published(system("a", "acme"), further_scenarios(slowness))])
    (listing,) = (each for each in listings if each.entry.result.scenario is scenario)
    return {figure.id: figure for figure in figures(listing)}


def test_the_bound_is_drawn_and_what_lies_beyond_it_is_counted() -> None:
    figure = _figures(Scenario.SERVER, slowness=3.0)["latency"]
    bound = next(trace for trace in figure.traces if trace["name"] == "Bound 15.0 ms")
    assert bound["x"] == [15.0, 15.0]
    beyond = int(figure.caption.split("; ")[2].split(" ")[0])
    assert 100 < beyond < 500
    assert figure.caption.endswith("lie beyond the bound of 15.0 ms.")


def test_only_quantiles_with_enough_queries_are_marked() -> None:
    figure = _figures(Scenario.SERVER)["latency"]
    marked = next(trace for trace in figure.traces if trace["mode"] == "markers+text")
    assert marked["text"] == ["p50", "p90"]
    assert marked["y"] == [50.0, 90.0]


def test_a_query_of_several_samples_counts_once() -> None:
    figure = _figures(Scenario.MULTI_STREAM)["latency"]
    assert "1,024 queries" in figure.caption
    assert figure.traces[-1]["name"] == "Score"


def test_interactive_has_a_bound_on_each_time() -> None:
    found = _figures(Scenario.INTERACTIVE)
    bounds = [found[name].traces[-1]["name"] for name in ("first-token", "per-token")]
    assert bounds == ["Bound 15.0 ms", "Bound 4.00 ms"]


def test_lateness_is_compared_with_latency() -> None:
    late = np.full(1000, 5e-5)
    none = np.empty(0)
    fast = QueryTimes(np.full(1000, 1e-3), late, none, none)
    slow = QueryTimes(np.full(1000, 1e-2), late, none, none)
    assert lateness_words(slow) == (
        "p50 50.0 µs, p99 50.0 µs, max 50.0 µs; p99 is 0.500 % of that of latency: invisible"
    )
    assert lateness_words(fast).endswith("p99 is 5.00 % of that of latency: visible")


def test_the_lateness_figure_ends_at_the_latest() -> None:
    figure = _figures(Scenario.SERVER)["lateness"]
    assert figure.rows[-1][1] == "100%"
    assert figure.traces[0]["y"][-1] == 100
