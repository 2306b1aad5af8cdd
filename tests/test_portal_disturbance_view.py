"""What disturbed a run, in words and as bands, under the same numbers."""

from dataclasses import replace
from pathlib import Path

from portal_example import published, system, training_run

from harness.telemetry.log import Sample, TelemetryLog
from portal.disturbance_view import disturbance_lines, disturbed_bands, disturbed_runs
from portal.listing import list_results
from portal.site import publish
from rules.disturbance import disturbances
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence

_THERMAL = 0x20


def _throttled() -> tuple[RunEvidence, dict[str, bytes]]:
    """A run whose accelerator is too hot from 2 s to 4 s."""
    evidence, files = training_run(1, 8.0)
    window = timed_window_ms(evidence.log)
    assert window is not None
    samples = tuple(
        Sample(
            time_ms=window[0] + 100 * step,
            source="nvml",
            values={"throttle_reasons": (_THERMAL if 20 <= step < 40 else 0,), "power_w": (300.0,)},
        )
        for step in range(81)
    )
    return replace(evidence, telemetry=TelemetryLog(samples)), files


def test_lines_and_bands_tell_of_the_same_stretch() -> None:
    evidence, _ = _throttled()
    found = disturbances(evidence)
    (line,), (band,) = disturbance_lines(evidence, found), disturbed_bands(evidence, found)
    assert (line.number, line.kind, line.when) == (1, "Thermal throttling", "2.0 s to 4.0 s")
    assert (band.label, band.name, band.start, band.stop) == ("1", line.kind, 2.0, 4.0)


def test_a_quiet_run_is_not_listed() -> None:
    (listing,) = list_results([published(system("a", "acme"), [training_run(1, 8.0)])])
    assert disturbed_runs(listing) == []


def test_both_pages_tell_of_it(tmp_path: Path) -> None:
    publish([published(system("a", "acme"), [_throttled()])], tmp_path / "site")
    result = next((tmp_path / "site").glob("x/*/index.html")).read_text("utf-8")
    assert "thermal throttling, 2.00 s in all: accelerator 0 was slowed down" in result
    run = next((tmp_path / "site").glob("x/*/runs/1/index.html")).read_text("utf-8")
    assert "Shaded darker: 1 thermal throttling." in run
    assert '"x0": 2.0' in run
