"""The charts of one result: which figures its scenario has, and that of offline."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.queries import NEVER, OK, new_log
from harness.records import Mode, Scenario
from portal.chart import POINTS, SERIES, Figure, floats, line
from portal.convergence_figure import convergence_figure
from portal.latency_figures import latency_figures
from portal.listing import Listing
from portal.quantities import for_people
from portal.search_figure import search_figure
from rules.submission import RunEvidence


def figures(listing: Listing) -> list[Figure]:
    """The charts of one result; empty where its runs hold nothing to draw."""
    if listing.entry.result.scenario is Scenario.TRAIN:
        return [convergence_figure(listing)] if listing.entry.of_mode(Mode.TRAINING) else []
    found = _of_runs(listing)
    search = listing.entry.search
    return found if search is None else [*found, search_figure(search)]


def _of_runs(listing: Listing) -> list[Figure]:
    runs = [e for e in listing.entry.of_mode(Mode.PERFORMANCE) if _answered(e).size]
    if not runs:
        return []
    if listing.entry.result.scenario is Scenario.OFFLINE:
        return [_completions(listing, runs)]
    return latency_figures(listing, runs)


def _answered(evidence: RunEvidence) -> NDArray[np.void]:
    queries = new_log(0) if evidence.queries is None else evidence.queries
    answered: NDArray[np.void] = queries[(queries["error"] == OK) & (queries["completed"] != NEVER)]
    return answered


def _completions(listing: Listing, runs: Sequence[RunEvidence]) -> Figure:
    traces, rows, sentences = [], [], []
    for index, run in enumerate(runs):
        answered = _answered(run)
        seconds = np.sort(answered["completed"] - answered["scheduled"].min()) / 1e9
        n, number = len(seconds), listing.number(run)
        counts = np.unique(np.linspace(1, n, min(n, POINTS)).astype(np.int64))
        times = seconds[counts - 1]
        traces.append(line(f"Run {number}", *floats(times, counts), SERIES[index % len(SERIES)]))
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
        title="Completion",
        caption=" ".join(sentences),
        traces=tuple(traces),
        x_title="seconds since the start",
        y_title="samples answered",
        table_caption="When each share of the samples had been answered",
        headers=("Run", "Share of samples", "Seconds"),
        rows=tuple(rows),
    )
