"""Trends: the best of each round, joined only where the same was measured."""

import json
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
from portal_example import (
    HOSTILE,
    all_scenarios,
    example,
    further_scenarios,
    published,
    system,
    training_run,
)

from harness.records import Run
from portal.boards import Board, make_boards
from portal.content import Content
from portal.identity import identities
from portal.listing import Listing, list_results
from portal.trends import Trend, trend_figure, trends, version_of
from portal.trends_page import write_trends


def _in_round(name: str, speed: float, organisation: str = "acme", version: str = "1") -> Listing:
    """A training of round ``name``, with other files of the workload for another ``version``."""
    runs = [training_run(n, speed * (8 + n / 10)) for n in range(1, 6)]
    runs = [
        (replace(e, run=e.run.model_copy(update={"workload_sha256": version * 64})), f)
        for e, f in runs
    ]
    (listing,) = list_results(
        [published(system(f"box of {organisation}", organisation), runs, round_name="2026.1")]
    )
    return replace(listing, round=listing.round.model_copy(update={"name": name, "title": name}))


def _trend(*listings: Listing) -> Trend:
    ((trend,),) = trends(make_boards(listings)).values()
    return trend


def test_rounds_stand_in_order_and_the_best_are_joined() -> None:
    trend = _trend(
        _in_round("2026.10", 0.5, "initech"),
        _in_round("2026.9", 1.0),
        _in_round("2026.9", 2.0, "initech"),
    )
    assert [point.round for point in trend.points] == ["2026.9", "2026.10"]
    assert "(acme) to 4.15 s (initech): 2.00 times as fast" in trend.finding
    figure = trend_figure(trend, identities(["acme", "initech"]))
    assert figure is not None
    go.Figure(json.loads(json.dumps(figure.plot())))
    best, *marks = figure.traces
    assert best["x"] == [0.0, 1.0]
    assert sorted(len(each["x"]) for each in marks) == [1, 2]
    assert "broken" not in figure.note
    assert [row[0] for row in figure.rows] == ["2026.9", "2026.10"]
    assert " to " in figure.rows[0][2]


def test_the_line_breaks_where_the_workload_changed() -> None:
    trend = _trend(
        _in_round("1", 1.0),
        _in_round("2", 0.9),
        _in_round("3", 0.1, version="2"),
        _in_round("4", 0.08, version="2"),
    )
    figure = trend_figure(trend, identities(["acme"]))
    assert figure is not None
    lines = [trace for trace in figure.traces if trace["mode"] == "lines"]
    assert [trace["x"] for trace in lines] == [[0.0, 1.0], [2.0, 3.0]]
    assert [trace["showlegend"] for trace in lines] == [True, False]
    assert "broken once" in figure.note
    assert trend.finding.startswith("From round 3 to 4 ")


def test_a_changed_last_round_is_compared_with_none() -> None:
    trend = _trend(_in_round("1", 1.0), _in_round("2", 0.1, version="2"))
    assert trend.finding.startswith("Round 2 cannot be compared with those before it")


def test_one_round_is_no_trend() -> None:
    trend = _trend(_in_round("1", 1.0))
    assert trend.finding.startswith("Only round 1 has results so far, the best of them 8.3")
    assert trend_figure(trend, identities(["acme"])) is None


def test_scores_far_apart_are_on_a_logarithmic_axis() -> None:
    trend = _trend(_in_round("1", 100.0), _in_round("2", 1.0))
    figure = trend_figure(trend, identities(["acme"]))
    assert figure is not None
    assert figure.log_y


def test_practice_and_refused_results_do_not_count() -> None:
    held = trends(make_boards(list_results(example())))
    assert {point.round for each in held.values() for t in each for point in t.points} == {"2026.1"}
    for each in held.values():
        assert all(point.best.accepted for trend in each for point in trend.points)


def test_pages_say_so_where_there_is_nothing_yet(tmp_path: Path) -> None:
    write_trends(tmp_path, Content(()))
    assert "No round that ranks has results yet" in (tmp_path / "trends/index.html").read_text()
    practice = published(system("a", "acme"), all_scenarios(1.0))
    write_trends(tmp_path, Content(tuple(make_boards(list_results([practice])))))
    assert not (tmp_path / "trends/image_classification").exists()


def _pages(site: Path, boards: list[Board]) -> tuple[str, str]:
    write_trends(site, Content(tuple(boards)))
    page = site / "trends/image_classification/index.html"
    return (site / "trends/index.html").read_text(), page.read_text()


def test_a_page_has_a_chart_for_each_scenario_and_loads_the_script(tmp_path: Path) -> None:
    index, page = _pages(tmp_path, make_boards([_in_round("1", 1.0), _in_round("2", 0.9)]))
    assert 'href="../trends/image_classification/index.html"' in index
    assert 'id="train-closed"' in page
    assert "charts.js" in page
    _, single = _pages(tmp_path, make_boards([_in_round("1", 1.0)]))
    assert "a trend takes two" in single
    assert "charts.js" not in single


def test_names_are_never_markup(tmp_path: Path) -> None:
    boards = make_boards([_in_round("1", 1.0, HOSTILE), _in_round("2", 0.9, HOSTILE)])
    for text in _pages(tmp_path, boards):
        assert "<script>alert" not in text


@pytest.mark.parametrize("field", ["latency_bound_ns", "ttft_bound_ns"])
def test_another_bound_is_another_version(field: str) -> None:
    listing = list_results([published(system("a", "acme"), further_scenarios(1.0))])[-1]

    def bounded(ns: int) -> str:
        evidence = listing.entry.runs[0]
        settings = evidence.run.settings
        assert settings is not None
        run: Run = evidence.run.model_copy(
            update={"settings": settings.model_copy(update={field: ns})}
        )
        entry = replace(listing.entry, runs=(replace(evidence, run=run),))
        return version_of(replace(listing, entry=entry))

    assert bounded(1_000_000) != bounded(2_000_000)
    assert "within" in bounded(1_000_000)
