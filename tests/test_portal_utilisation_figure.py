"""MFU beside NVML's utilisation: only where a run tells both, on slim results too."""

import json

import plotly.graph_objects as go
import pytest
from portal_example import inference_run, published, system

from harness.records import Mode, Peak, Scenario
from portal.facts import slim
from portal.listing import Published, list_results
from portal.utilisation_figure import utilisation_figures, utilisation_of

PEAK = Peak(device="a", flops={"fp32": 1e14}, bandwidth_bytes_per_s=1e9, measured_ms=0)


def _machine(name: str, watts: float, peak: Peak | None, latency: float = 0.9) -> Published:
    runs = [
        inference_run(n, Scenario.OFFLINE, mode, latency, watts=watts, peak=peak)
        for n, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1)
    ]
    return published(system(name, name), runs, round_name="2026.1")


def test_both_stand_side_by_side_and_the_widest_gap_is_told() -> None:
    entries = [_machine("a", 200.0, PEAK), _machine("b", 200.0, PEAK, 1.8)]
    (figure,) = utilisation_figures(list_results(entries))
    go.Figure(json.loads(json.dumps(figure.plot())))
    nvml, mfu = figure.traces
    assert nvml["x"] == [98.0, 98.0]
    assert sorted(mfu["x"]) == pytest.approx([min(mfu["x"]), 2 * min(mfu["x"])], rel=0.01)
    assert figure.caption.startswith("The two lie furthest apart for b, of 2 results: busy 98.0 %")
    assert "at least one kernel ran" in figure.note
    assert "operations that the model needs" in figure.note


@pytest.mark.parametrize(("watts", "peak"), [(0.0, PEAK), (200.0, None)])
def test_one_without_the_other_is_not_drawn(watts: float, peak: Peak | None) -> None:
    assert utilisation_figures(list_results([_machine("a", watts, peak)])) == []


def test_a_result_without_its_logs_still_tells() -> None:
    entry = _machine("a", 200.0, PEAK)
    (whole,) = list_results([entry])
    found = utilisation_of(whole)
    assert found is not None
    assert found.runs == 1
    assert found.nvml > 0.9 > found.mfu


def test_slim_results_keep_it() -> None:
    (light,) = slim(_machine("a", 200.0, PEAK))
    assert not light.entry.runs[0].log.events
    assert utilisation_of(light) is not None
