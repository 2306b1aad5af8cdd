"""Axes, marks and the rule of how many samples a quantile needs."""

import pytest

from portal.chart import Figure, has_enough, line, log_ticks, samples_for


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
