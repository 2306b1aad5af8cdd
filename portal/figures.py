"""Figures as plain dicts for plotly.js, each with a caption that states its finding and a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.queries import NEVER, OK
from harness.records import Mode, Scenario
from portal.listing import Listing
from portal.quantities import for_people
from rules.submission import RunEvidence

SERIES = ("#1c8f6d", "#d17a1f", "#5a78d6", "#b0509a", "#7c8a2c", "#2b93b5", "#c04f4a", "#8a6fc4")
"""Mid-tones that keep 3:1 against the light and the dark page."""
_TARGET = "#8a8f8c"
_POINTS = 400
QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Figure:
    """A chart that loses nothing without JavaScript: caption and table say it all."""

    id: str
    caption: str
    traces: tuple[dict[str, Any], ...]
    x_title: str
    y_title: str
    table_caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    layout: dict[str, Any]

    def plot(self) -> dict[str, Any]:
        """The figure as plotly.js takes it; the page adds the theme's colours."""
        layout = {
            "xaxis": {"title": {"text": self.x_title}, "automargin": True},
            "yaxis": {"title": {"text": self.y_title}, "automargin": True},
            "margin": {"l": 56, "r": 16, "t": 12, "b": 48},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hovermode": "closest",
            **self.layout,
        }
        return {"data": list(self.traces), "layout": layout}


def figures(listing: Listing) -> list[Figure]:
    """The charts of one result; empty where its runs hold nothing to draw."""
    if listing.entry.result.scenario is Scenario.TRAIN:
        return [_convergence(listing)] if listing.entry.of_mode(Mode.TRAINING) else []
    runs = [e for e in listing.entry.of_mode(Mode.PERFORMANCE) if e.queries is not None]
    if not any(_answered(run).size for run in runs):
        return []
    if listing.entry.result.scenario is Scenario.OFFLINE:
        return [_completions(listing, runs)]
    return [_latencies(listing, runs)]


def evaluations(evidence: RunEvidence) -> list[tuple[float, float]]:
    """``(seconds since run_start, quality)`` of each evaluation that the log holds."""
    start = evidence.log.first("run_start")
    if start is None:
        return []
    return [
        ((event.time_ms - start.time_ms) / 1000, float(event.value))
        for event in evidence.log.all("eval_accuracy")
        if isinstance(event.value, int | float)
    ]


def _convergence(listing: Listing) -> Figure:
    target = listing.card.training.target
    curves = {listing.number(run): evaluations(run) for run in listing.entry.of_mode(Mode.TRAINING)}
    reached = [n for n, curve in curves.items() if any(target.met(quality) for _, quality in curve)]
    longest = max((curve[-1][0] for curve in curves.values() if curve), default=1.0)
    traces = [
        _line(f"Run {n}", *_columns(curve), SERIES[i % len(SERIES)], markers=True)
        for i, (n, curve) in enumerate(curves.items())
    ]
    traces.append(
        _line("Target", [0.0, longest], [target.value] * 2, _TARGET, dash="dash"),
    )
    return Figure(
        id="convergence",
        caption=f"{len(reached)} of {len(curves)} runs reached {target.metric} {target.value:g}.",
        traces=tuple(traces),
        x_title="seconds since run_start",
        y_title=target.metric,
        table_caption="Every evaluation of every run",
        headers=("Run", "Seconds since run_start", target.metric),
        rows=tuple(
            (str(n), f"{seconds:.3f}", f"{quality:.6g}")
            for n, curve in curves.items()
            for seconds, quality in curve
        ),
        layout={},
    )


def _columns(curve: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in curve], [y for _, y in curve]


def _answered(evidence: RunEvidence) -> NDArray[np.void]:
    queries = evidence.queries
    assert queries is not None  # callers keep only runs that have a query log
    answered: NDArray[np.void] = queries[(queries["error"] == OK) & (queries["completed"] != NEVER)]
    return answered


def _latencies(listing: Listing, runs: Sequence[RunEvidence]) -> Figure:
    traces, rows, sentences = [], [], []
    for index, run in enumerate(runs):
        answered = _answered(run)
        seconds = np.sort((answered["completed"] - answered["scheduled"]) / 1e9)
        n, number = len(seconds), listing.number(run)
        shares = np.linspace(0, 1, min(n, _POINTS))
        points = seconds[(shares * (n - 1)).astype(np.int64)]
        trace = _line(f"Run {number}", *_floats(points * 1e3, shares * 100), SERIES[index])
        traces.append(trace | {"line": {**trace["line"], "shape": "hv"}})
        rows += [(str(number), f"{q:.1%}", _quantile(seconds, q), f"{n:,}") for q in QUANTILES]
        sentences.append(
            f"Run {number} answered half of its {n:,} queries within "
            f"{for_people(float(np.median(seconds)), 's')} each; "
            f"the slowest took {for_people(float(seconds[-1]), 's')}."
        )
    if listing.entry.result.value is not None:
        traces.append(_score_mark(listing, listing.entry.result.value))
    return Figure(
        id="latency",
        caption=" ".join(sentences),
        traces=tuple(traces),
        x_title="latency in ms (logarithmic)",
        y_title="queries answered within, %",
        table_caption="Quantiles of latency in the performance runs, as measured",
        headers=("Run", "Share of queries", "Latency", "Queries"),
        rows=tuple(rows),
        layout={"xaxis": {"title": {"text": "latency in ms (logarithmic)"}, "type": "log"}},
    )


def _score_mark(listing: Listing, value: float) -> dict[str, Any]:
    """The score on the curve; it lies a little to the right, being an estimate on the safe side."""
    share = listing.round.settings(listing.entry.result.scenario).percentile
    mark = _line("Score", [float(f"{value * 1e3:.6g}")], [share * 100], SERIES[1], markers=True)
    return mark | {"mode": "markers", "marker": {"size": 11, "symbol": "diamond"}}


def _quantile(seconds: NDArray[np.float64], share: float) -> str:
    """A quantile needs 100 / (1 - share) samples before it is worth printing."""
    needed = round(100 / (1 - share))
    if len(seconds) < needed:
        return f"too few queries (needs {needed:,})"
    return str(for_people(float(seconds[int(len(seconds) * share)]), "s", digits=4))


def _completions(listing: Listing, runs: Sequence[RunEvidence]) -> Figure:
    traces, rows, sentences = [], [], []
    for index, run in enumerate(runs):
        answered = _answered(run)
        seconds = np.sort(answered["completed"] - answered["scheduled"].min()) / 1e9
        n, number = len(seconds), listing.number(run)
        counts = np.unique(np.linspace(1, n, min(n, _POINTS)).astype(np.int64))
        times = seconds[counts - 1]
        traces.append(_line(f"Run {number}", *_floats(times, counts), SERIES[index]))
        rows += [
            (str(number), f"{share:.0%}", f"{seconds[int(np.ceil(n * share)) - 1]:.4f}")
            for share in (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
        ]
        half = float(seconds[int(np.ceil(n / 2)) - 1])
        sentences.append(
            f"Run {number} answered {n:,} samples in {for_people(float(seconds[-1]), 's')}, "
            f"the first half of them in {for_people(half, 's')}."
        )
    return Figure(
        id="completions",
        caption=" ".join(sentences),
        traces=tuple(traces),
        x_title="seconds since the start",
        y_title="samples answered",
        table_caption="When each share of the samples had been answered",
        headers=("Run", "Share of samples", "Seconds"),
        rows=tuple(rows),
        layout={},
    )


def _floats(x: NDArray[Any], y: NDArray[Any]) -> tuple[list[float], list[float]]:
    """Rounded to six digits: a chart shows no more, and the page stays small."""
    return [float(f"{v:.6g}") for v in x], [float(f"{v:.6g}") for v in y]


def _line(
    name: str,
    x: list[float],
    y: list[float],
    colour: str,
    *,
    dash: str = "solid",
    markers: bool = False,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if markers else "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2, "dash": dash},
    }
