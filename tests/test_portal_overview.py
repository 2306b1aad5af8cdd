"""The front page's charts: which leaderboards they show, what they say, or none."""

import json
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from portal_example import HOSTILE, all_scenarios, example, published, system, training_run

from harness.telemetry.energy import Boundary
from portal import overview
from portal.boards import Board, make_boards
from portal.chart import MOST
from portal.identity import Identities, identities
from portal.listing import Listing, Published, list_results
from portal.measured import Measured, UnitEnergy, measure
from portal.overview import Overview, overviews, without_energy


def _of(entries: list[Published]) -> tuple[list[Board], Identities]:
    listings = list_results(entries)
    return make_boards(listings), identities(each.organisation for each in listings)


def _machine(organisation: str, speed: float, watts: float = 200.0) -> Published:
    runs = all_scenarios(speed, watts)
    return published(system(f"box of {organisation}", organisation), runs, round_name="2026.1")


def _charts(entries: list[Published]) -> list[Overview]:
    return overviews(*_of(entries))


def test_both_charts_are_of_the_round_that_ranks_and_plotly_takes_them() -> None:
    energy, times = _charts(example())
    assert energy.board.address == "r/2026.1/image_classification/offline/closed/index.html"
    assert times.board.address == "r/2026.1/image_classification/train/closed/index.html"
    for chart in (energy, times):
        go.Figure(json.loads(json.dumps(chart.figure.plot())))
        assert all(len(row) == len(chart.figure.headers) for row in chart.figure.rows)
    assert without_energy([energy, times]) == ""


def test_nothing_measured_is_told_and_no_results_make_no_chart() -> None:
    charts = _charts([_machine("a", 1.0, 0.0), _machine("b", 1.0, 0.0)])
    assert [chart.figure.id for chart in charts] == ["time-to-train"]
    assert "no chart of speed against energy yet" in without_energy(charts)
    assert _charts([]) == []


def _energies(monkeypatch: pytest.MonkeyPatch, joules: dict[str, float]) -> Overview:
    """The chart where each organisation took what is given, give or take 1 J."""

    def known(listing: Listing) -> Measured | None:
        found, taken = measure(listing), joules[listing.organisation]
        assert found is not None
        return replace(found, energies=(UnitEnergy(Boundary.WALL, taken, 1.0),))

    monkeypatch.setattr(overview, "measure", known)
    entries = [_machine(name, 1.0 + at / 10) for at, name in enumerate(joules)]
    return _charts(entries)[0]


def test_the_frontier_is_who_no_other_beats_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = _energies(monkeypatch, {"fast": 9.0, "beaten": 12.0, "frugal": 4.0}).figure
    assert figure.traces[0]["line"]["shape"] == "hv"
    assert figure.traces[0]["x"] == [4.0, 9.0]
    assert "fast is the fastest of 3 organisations, frugal takes the least" in figure.caption
    assert "2 of them are beaten by no other" in figure.caption
    assert [(row[0], row[-1]) for row in figure.rows] == [
        ("fast", "yes"),
        ("beaten", "no"),
        ("frugal", "yes"),
    ]


def test_the_finding_follows_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    both = _energies(monkeypatch, {"fast": 4.0, "slow": 9.0}).figure.caption
    assert "fast is both the fastest of 2 organisations and takes the least" in both
    unsure = _energies(monkeypatch, {"fast": 4.0, "slow": 5.0}).figure.caption
    assert "which takes the least energy cannot be told" in unsure


def test_eight_organisations_are_drawn_those_of_the_frontier_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joules = {f"org {n:02}": 50.0 + n for n in range(10)} | {"frugal": 4.0}
    figure = _energies(monkeypatch, joules).figure
    names = [trace["name"] for trace in figure.traces[1:]]
    assert len(names) == MOST
    assert "frugal" in names
    assert "drawn are 8 of 11 organisations" in figure.note
    assert len(figure.rows) == 11


def test_of_an_organisation_the_best_result_is_drawn() -> None:
    entries = [_machine("a", 1.0), _machine("b", 1.1), published(
        system("slower", "a"), all_scenarios(1.5, 200.0), round_name="2026.1")]  # fmt: skip
    energy, times = _charts(entries)
    assert [row[5] for row in energy.figure.rows] == ["best of 2", "best of 1"]
    assert times.figure.y_names == ("a", "b")
    assert "box of a" in {row[0] for row in times.figure.rows}
    assert "slower" not in {row[0] for row in times.figure.rows}


def test_a_name_cannot_be_markup() -> None:
    hostile = published(
        system(HOSTILE, HOSTILE), [training_run(n, 8.0 + n) for n in range(5)], round_name="2026.1"
    )
    (times,) = _charts([hostile])
    assert not any("<" in name for name in times.figure.y_names)
