"""Figures of one performance run after another: how long queries took, and how late they began."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.records import InferenceSettings, Metric, Scenario
from portal.chart import (
    POINTS,
    QUANTILES,
    REFERENCE,
    SERIES,
    Figure,
    floats,
    has_enough,
    line,
    marks,
    samples_for,
    shown,
)
from portal.listing import Listing
from portal.quantities import for_people
from portal.query_times import QueryTimes, Seconds, quantile, query_times
from rules.submission import RunEvidence

INVISIBLE = 0.01
"""A generator is called invisible below this share of the 99th percentile of latency."""
_LEAST_S = 1e-7
"""Lateness below it is drawn there: a logarithmic axis has no zero."""


@dataclass(frozen=True)
class _Quantity:
    """What a distribution is of."""

    id: str
    title: str
    words: str
    of: Callable[[QueryTimes], Seconds]
    bound_s: float | None = None


_LATENCY = _Quantity("latency", "Latency", "latency", lambda times: times.latency)


def latency_figures(listing: Listing, runs: Sequence[RunEvidence]) -> list[Figure]:
    """The distributions that ``listing``'s scenario is about, then the generator's lateness."""
    times = {
        listing.number(run): query_times(run.queries) for run in runs if run.queries is not None
    }
    wanted = _wanted(listing.entry.result.scenario, runs[0].run.settings)
    found = [
        _distribution(listing, each, measured)
        for each in wanted
        if (measured := {n: each.of(t) for n, t in times.items() if len(each.of(t))})
    ]
    late = {n: t for n, t in times.items() if len(t.lateness)}
    open_loop = listing.entry.result.scenario.open_loop
    return [*found, _lateness(late)] if open_loop and late else found


def _wanted(scenario: Scenario, settings: InferenceSettings | None) -> list[_Quantity]:
    """What the scenario bounds, with the bounds that the run was given."""
    if settings is None or not scenario.open_loop:
        return [_LATENCY]
    if scenario is Scenario.SERVER:
        return [replace(_LATENCY, bound_s=_seconds(settings.latency_bound_ns))]
    return [
        _Quantity(
            "first-token",
            "Time to the first token",
            "time to the first token",
            lambda times: times.first_token,
            _seconds(settings.ttft_bound_ns),
        ),
        _Quantity(
            "per-token",
            "Time per further token",
            "time per further token",
            lambda times: times.per_token,
            _seconds(settings.tpot_bound_ns),
        ),
    ]


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9


def lateness_words(times: QueryTimes) -> str:
    """The generator's lateness in numbers, and how it compares with what was measured."""
    late = times.lateness
    numbers = ", ".join(
        f"{name} {for_people(value, 's')}"
        for name, value in (
            ("p50", quantile(late, 0.5)),
            ("p99", quantile(late, 0.99)),
            ("max", float(late[-1])),
        )
    )
    share = quantile(late, 0.99) / max(quantile(times.latency, 0.99), 1e-9)
    verdict = "invisible" if share < INVISIBLE else "visible"
    return f"{numbers}; p99 is {for_people(share, '%')} of that of latency: {verdict}"


def _distribution(listing: Listing, what: _Quantity, measured: dict[int, Seconds]) -> Figure:
    traces = [trace for i, (n, s) in enumerate(measured.items()) for trace in _curve(n, s, i)]
    if what.bound_s is not None:
        label = f"Bound {for_people(what.bound_s, 's')}"
        traces.append(
            line(label, [shown(what.bound_s * 1e3)] * 2, [0, 100], REFERENCE, dash="dash")
        )
    result = listing.entry.result
    if result.metric is Metric.LATENCY and result.value is not None:
        traces.append(_score_mark(listing, result.value))
    return Figure(
        id=what.id,
        title=what.title,
        caption=" ".join(_sentence(what, n, seconds) for n, seconds in measured.items()),
        traces=tuple(traces),
        x_title=f"{what.words} in ms (logarithmic)",
        y_title="queries answered within, %",
        table_caption=f"Quantiles of {what.words} in the performance runs, as measured",
        headers=("Run", "Share of queries", what.words.capitalize(), "Queries"),
        rows=tuple(_row(n, s, q) for n, s in measured.items() for q in QUANTILES),
        log_x=True,
    )


def _sentence(what: _Quantity, number: int, seconds: Seconds) -> str:
    n = len(seconds)
    said = (
        f"Run {number} answered half of its {n:,} queries within "
        f"{for_people(quantile(seconds, 0.5), 's')} each; "
        f"the slowest took {for_people(float(seconds[-1]), 's')}"
    )
    if what.id != _LATENCY.id:
        said = (
            f"Run {number}: half of the {n:,} times are within "
            f"{for_people(quantile(seconds, 0.5), 's')}; the longest is "
            f"{for_people(float(seconds[-1]), 's')}"
        )
    if what.bound_s is None:
        return f"{said}."
    over = int(n - np.searchsorted(seconds, what.bound_s, side="right"))
    bound = for_people(what.bound_s, "s")
    return f"{said}; {over:,} ({for_people(over / n, '%')}) lie beyond the bound of {bound}."


def _curve(number: int, seconds: Seconds, index: int) -> list[dict[str, Any]]:
    """The distribution as steps, and a mark at each quantile that has enough queries."""
    n = len(seconds)
    marked = [share for share in QUANTILES if has_enough(n, share)]
    shares = np.unique([*np.linspace(0, 1, min(n, POINTS)), *marked])
    points = seconds[np.minimum((shares * n).astype(np.int64), n - 1)]
    colour = SERIES[index % len(SERIES)]
    traces = [line(f"Run {number}", *floats(points * 1e3, shares * 100), colour, shape="hv")]
    if marked:
        x = [shown(quantile(seconds, share) * 1e3) for share in marked]
        y = [shown(share * 100) for share in marked]
        labels = [f"p{share * 100:g}" for share in marked]
        traces.append(marks(f"Quantiles of run {number}", x, y, colour, "circle", labels))
    return traces


def _score_mark(listing: Listing, value: float) -> dict[str, Any]:
    """The score on the curve; it lies a little to the right, being an estimate on the safe side."""
    share = listing.percentile
    if share is None:
        return line("Score", [shown(value * 1e3)] * 2, [0, 100], SERIES[1], dash="dot")
    mark = line("Score", [shown(value * 1e3)], [share * 100], SERIES[1], markers=True)
    return mark | {"mode": "markers", "marker": {"size": 11, "symbol": "diamond"}}


def _row(number: int, seconds: Seconds, share: float) -> tuple[str, ...]:
    n = len(seconds)
    value = f"too few queries (needs {samples_for(share):,})"
    if has_enough(n, share):
        value = str(for_people(quantile(seconds, share), "s", digits=4))
    return (str(number), f"{share:.1%}", value, f"{n:,}")


def _lateness(times: dict[int, QueryTimes]) -> Figure:
    traces, rows, sentences = [], [], []
    for index, (number, each) in enumerate(times.items()):
        traces += _curve(number, np.maximum(each.lateness, _LEAST_S) * 1e3, index)
        rows += [_row(number, each.lateness, share) for share in QUANTILES]
        longest = str(for_people(float(each.lateness[-1]), "s", digits=4))
        rows.append((str(number), "100%", longest, f"{len(each.lateness):,}"))
        sentences.append(f"Lateness of run {number}: {lateness_words(each)}.")
    return Figure(
        id="lateness",
        title="Lateness of the load generator",
        caption=" ".join(sentences),
        traces=tuple(traces),
        x_title="issue after schedule in µs (logarithmic)",
        y_title="queries issued within, %",
        table_caption="Quantiles of lateness: latency counts from the schedule, so it includes it",
        headers=("Run", "Share of queries", "Lateness", "Queries"),
        rows=tuple(rows),
        log_x=True,
    )
