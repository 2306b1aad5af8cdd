"""Axes, marks and the rule of how many samples a quantile needs."""

from typing import Any

import pytest

from portal.chart import REFERENCE, Figure, has_enough, line, log_ticks, samples_for


def test_a_logarithmic_axis_is_labelled_with_round_numbers() -> None:
    assert log_ticks([0.0, 3.0, 40.0]) == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert log_ticks([0.1, 9_000.0]) == [0.1, 1, 10, 100, 1000, 10_000]
    assert log_ticks([0.0]) == [1, 2, 5]


def test_ticks_are_written_out() -> None:
    figure = Figure(
        id="a",
        title="A",
        caption="",
        traces=(line("Run 1", [0.2, 2000.0], [0.0, 1.0], "#000"),),
        x_title="x",
        y_title="y",
        table_caption="",
        headers=("x",),
        rows=(),
        log_x=True,
    )
    layout = figure.plot()["layout"]
    assert layout["xaxis"]["ticktext"] == ["0.1", "1", "10", "100", "1,000", "10,000"]
    assert "type" not in layout["yaxis"]


@pytest.mark.parametrize(("share", "needed"), [(0.5, 200), (0.99, 10_000), (0.999, 100_000)])
def test_a_quantile_needs_enough_samples(share: float, needed: int) -> None:
    assert samples_for(share) == needed
    assert has_enough(needed, share)
    assert not has_enough(needed - 1, share)


def _with(*traces: dict[str, Any], **fields: Any) -> dict[str, Any]:
    figure = Figure(
        id="a",
        title="A",
        caption="",
        traces=traces,
        x_title="x",
        y_title="y",
        table_caption="",
        headers=("x",),
        rows=(),
        **fields,
    )
    return figure.plot()


def test_the_ninth_series_waits_in_the_legend_and_a_bound_does_not() -> None:
    series = [line(f"Run {n}", [0.0], [1.0], "#000") for n in range(9)]
    unnamed = line("more of run 1", [0.0], [1.0], "#000") | {"showlegend": False}
    bound = line("Bound", [0.0], [1.0], REFERENCE)
    drawn = _with(*series[:8], unnamed, series[8], bound)["data"]
    assert [trace["name"] for trace in drawn if "visible" in trace] == ["Run 8"]
    assert drawn[-2]["visible"] == "legendonly"
    assert "visible" not in series[8]


def test_names_stand_from_the_top_in_place_of_numbers() -> None:
    layout = _with(line("a", [1.0], [0], "#000"), y_names=("first", "second"))["layout"]
    assert layout["yaxis"]["ticktext"] == ["first", "second"]
    assert layout["yaxis"]["range"] == [1.5, -0.5]
    assert "tickvals" not in layout["xaxis"]
    assert _with(x_names=("2026.1",))["layout"]["xaxis"]["range"] == [-0.5, 0.5]


def test_names_beside_the_marks_are_told_to_the_page() -> None:
    assert _with(direct=True)["layout"]["meta"] == {"direct": True}
    assert "meta" not in _with()["layout"]
