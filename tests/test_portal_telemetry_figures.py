"""Charts of telemetry: what is drawn, what is said, and that a gap stays a gap."""

import json
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
from portal_example import published, system, training_run

from harness.telemetry.log import Reading, Sample, TelemetryLog
from portal.chart import SERIES, Band, Figure
from portal.site import publish
from portal.telemetry_figures import telemetry_figures
from portal.telemetry_series import rates, series_of, thinned
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence


def log_of(source: str, quantity: str, *readings: Reading, start_ms: int = 0) -> TelemetryLog:
    return TelemetryLog(
        tuple(
            Sample(time_ms=start_ms + 100 * step, source=source, values={quantity: reading})
            for step, reading in enumerate(readings)
        )
    )


def run_with(source: str, quantity: str, *readings: Reading) -> RunEvidence:
    """A training run whose telemetry starts with its window."""
    evidence, _ = training_run(1, 8.0)
    window = timed_window_ms(evidence.log)
    assert window is not None
    log = log_of(source, quantity, *readings, start_ms=window[0])
    return RunEvidence(evidence.path, evidence.run, evidence.log, None, None, log)


def _figures(*readings: Reading, bands: tuple[Band, ...] = ()) -> list[Figure]:
    return telemetry_figures(run_with("nvml", "power_w", *readings), bands)


def test_one_chart_a_subject_with_the_window_shaded() -> None:
    (figure,) = _figures((300.0,), (340.0,), (None,))
    assert figure.id == "power"
    assert figure.caption == "Board: 320 W on average, 300 W to 340 W."
    assert figure.traces[0]["y"] == [300.0, 340.0, None]
    assert [(band.start, band.stop) for band in figure.bands] == [(0.0, 8.0)]
    assert figure.rows[0] == ("Board", "300 W", "320 W", "340 W", "2", "1")
    go.Figure(json.loads(json.dumps(figure.plot())))


def test_disturbances_are_shaded_and_said() -> None:
    band = Band("Power throttling", 1.0, 2.5, SERIES[6], label="1")
    (figure,) = _figures((300.0,), bands=(band,))
    assert "Shaded darker: 1 power throttling." in figure.caption
    shapes = figure.plot()["layout"]["shapes"]
    assert [shape["x0"] for shape in shapes] == [0.0, 1.0]
    assert shapes[1]["label"]["text"] == "1"


def test_a_gap_is_no_zero_and_nothing_measured_is_no_chart() -> None:
    assert _figures((None,), (None,)) == []
    assert _figures(None) == []


def test_readings_outside_the_window_alone_are_said() -> None:
    evidence, _ = training_run(1, 8.0)
    late = log_of("nvml", "power_w", 5.0, start_ms=2**45)
    run = RunEvidence(evidence.path, evidence.run, evidence.log, None, None, late)
    (figure,) = telemetry_figures(run)
    assert figure.caption == "Board: no reading within the timed window."
    assert figure.rows == (("Board", "–", "–", "–", "0", "0"),)


def test_energy_that_only_grows_is_drawn_as_power() -> None:
    (figure,) = telemetry_figures(
        run_with("rapl", "package_energy_j", (10.0,), (14.0,), (1.0,), (2.0,))
    )
    assert figure.traces[0]["y"] == [40.0, None, 10.0]


def test_a_device_that_vanishes_leaves_the_others() -> None:
    lost = log_of("nvml", "power_w", (1.0, 2.0), (1.5, None), (2.0,))
    found = series_of(lost, "nvml", "power_w")
    assert [[value for _, value in one.points] for one in found] == [
        [1.0, 1.5, 2.0],
        [2.0, None, None],
    ]
    assert [one.entry for one in found] == ["device 0", "device 1"]


def test_what_is_read_at_a_slower_pace_has_no_gaps_between() -> None:
    rare = TelemetryLog(
        tuple(
            Sample(time_ms=at, source="host", values={"cpu_frequency_hz": 1.0} if at % 2 else {})
            for at in range(4)
        )
    )
    (one,) = series_of(rare, "host", "cpu_frequency_hz")
    assert one.points == ((1, 1.0), (3, 1.0))


def test_many_devices_are_one_mean() -> None:
    (one,) = series_of(log_of("nvml", "power_w", (1.0, 2.0, 3.0, 4.0, 10.0)), "nvml", "power_w")
    assert (one.entry, one.points[0][1]) == ("mean of 5 devices", 4.0)


def test_rates_of_a_clock_that_stands_are_gaps() -> None:
    (one,) = series_of(
        TelemetryLog(
            tuple(Sample(time_ms=5, source="a", values={"e_j": float(n)}) for n in (1, 2))
        ),
        "a",
        "e_j",
    )
    assert [value for _, value in rates(one, "e_j").points] == [None]


def test_thinning_keeps_gaps_apart() -> None:
    assert thinned([(0, 1.0), (1, 3.0), (2, None), (3, None)], 2) == [(0, 2.0), (2, None)]
    assert thinned([], 2) == []


def test_the_run_page_has_the_charts_and_the_result_page_how_busy_it_was(tmp_path: Path) -> None:
    evidence, files = training_run(1, 4.0)
    limited = evidence.run.model_copy(update={"constraints": {"gpu_power_limit_w": 300}})
    published_one = published(system("a", "acme"), [(replace(evidence, run=limited), files)])
    publish([published_one], tmp_path / "site")
    run = next((tmp_path / "site").glob("x/*/runs/1/index.html")).read_text("utf-8")
    assert 'id="utilisation-data"' in run
    assert "charts.js" in run
    assert "power cap 300 W" in run
    result = next((tmp_path / "site").glob("x/*/index.html")).read_text("utf-8")
    assert "CPU utilisation" in result
    assert "power cap 300 W" in result
