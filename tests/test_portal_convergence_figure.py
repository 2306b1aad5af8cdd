"""Convergence: every run is drawn, and the caption says what TRAIN-15 weighs."""

from dataclasses import replace

import msgspec
import pytest
from portal_example import published, reference_of, system, training_run

from harness.card import ReferenceConvergencePoint
from harness.events import EventLog
from harness.records import Division
from portal import scores
from portal.chart import Figure
from portal.convergence_figure import convergence_figure
from portal.listing import Listing, list_results
from rules.submission import RunEvidence

Points = tuple[ReferenceConvergencePoint, ...]


def _listing(*runs: tuple[RunEvidence, dict[str, bytes]]) -> Listing:
    (listing,) = list_results([published(system("a", "acme"), [*runs], round_name="2026.1")])
    return listing


def _five(**facts: float) -> Listing:
    return _listing(*(training_run(n, 8.0 + n / 10, **facts) for n in range(1, 6)))  # type: ignore[arg-type]


def _against(samples: int, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """Five runs of 12,000 samples beside a reference that takes ``samples``."""
    monkeypatch.setattr(scores, "load_points", lambda _: reference_of(samples))
    return convergence_figure(_five())


def test_runs_that_reached_the_target_are_told_from_those_that_did_not() -> None:
    figure = convergence_figure(
        _listing(training_run(1, 8.0), training_run(2, 8.0), training_run(3, 8.0, converges=False))
    )
    assert figure.caption.startswith("2 of 3 runs reached accuracy")
    assert [trace["name"] for trace in figure.traces if trace.get("showlegend", True)][:3] == [
        "Run that reached the target",
        "Run that did not",
        "Target",
    ]
    assert figure.traces[2]["line"]["dash"] == "dot"
    assert len(figure.rows) == 24
    assert figure.rows[0] == ("1", "1.000", "1,500", figure.rows[0][3])


def test_the_caption_says_what_the_reference_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    slower = _against(10_000, monkeypatch)
    assert "12,000 samples on average; the reference takes 10,000" in slower.caption
    assert slower.caption.endswith("are asked for: allowed.")
    faster = _against(20_000, monkeypatch)
    assert faster.caption.endswith("refused, faster than luck explains.")
    (band,) = faster.bands
    assert band.start < 20_000 < band.stop


def test_without_a_reference_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "load_points", lambda _: ())
    figure = convergence_figure(_five())
    assert "cannot be compared with the reference" in figure.caption
    assert figure.bands == ()
    assert "Least mean allowed" not in {trace["name"] for trace in figure.traces}


def test_the_open_division_is_not_held_to_it() -> None:
    runs = [training_run(n, 8.0) for n in range(1, 6)]
    opened = [
        (replace(e, run=e.run.model_copy(update={"division": Division.OPEN})), f) for e, f in runs
    ]
    figure = convergence_figure(_listing(*opened))
    assert "open division is not held" in figure.caption
    assert figure.bands == ()


def test_logs_without_samples_are_drawn_over_time() -> None:
    evidence, files = training_run(1, 8.0)
    events = tuple(
        msgspec.structs.replace(event, metadata={}) if event.key == "eval_accuracy" else event
        for event in evidence.log.events
    )
    figure = convergence_figure(_listing((replace(evidence, log=EventLog(events)), files)))
    assert figure.x_title == "seconds since run_start"
    assert figure.traces[0]["x"][:2] == [1.0, 2.0]
    assert figure.rows[0][2] == "–"
