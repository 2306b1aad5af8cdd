"""Convergence against the reference: every run's quality, and when the reference gets there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.card import QualityTarget
from harness.records import Division, Mode
from portal.chart import REFERENCE, SERIES, Band, Figure, line, shown
from portal.listing import Listing
from portal.scores import points_of
from rules.convergence import Match, Verdict, judge
from rules.scoring import pace_of, reference_of
from rules.submission import RunEvidence

_REACHED, _MISSED = SERIES[0], SERIES[6]


@dataclass(frozen=True)
class Evaluation:
    """The quality of a run at some time."""

    seconds: float
    """Since run_start."""
    samples: int | None
    quality: float


_Curves = Mapping[int, Sequence[Evaluation]]
"""By number of the run."""


def evaluations(evidence: RunEvidence) -> list[Evaluation]:
    """Each evaluation that the log holds."""
    start = evidence.log.first("run_start")
    if start is None:
        return []
    return [
        Evaluation((event.time_ms - start.time_ms) / 1000, event.samples_count, float(event.value))
        for event in evidence.log.all("eval_accuracy")
        if isinstance(event.value, int | float)
    ]


def convergence_figure(listing: Listing) -> Figure:
    """Every training run of ``listing``, over samples where the logs tell them, else over time."""
    target = listing.card.training.target
    curves = {listing.number(run): evaluations(run) for run in listing.entry.of_mode(Mode.TRAINING)}
    sampled = all(each.samples is not None for curve in curves.values() for each in curve)
    match = _reference(listing) if sampled else None
    verdict = _verdict(listing) if match else None
    return Figure(
        id="convergence",
        title="Convergence against the reference",
        caption=f"{_reached(curves, target)} {_compared(listing, match, verdict)}",
        traces=tuple(_traces(curves, target, sampled, verdict)),
        x_title="samples trained on" if sampled else "seconds since run_start",
        y_title=target.metric,
        table_caption="Every evaluation of every run",
        headers=("Run", "Seconds since run_start", "Samples", target.metric),
        rows=tuple(
            (str(n), f"{each.seconds:.3f}", _count(each.samples), f"{each.quality:.6g}")
            for n, curve in curves.items()
            for each in curve
        ),
        bands=(_band(match),) if match else (),
    )


def _count(samples: int | None) -> str:
    return "–" if samples is None else f"{samples:,}"


def _reference(listing: Listing) -> Match | None:
    every = listing.card.training.evaluate_every
    return reference_of(listing.entry.runs, listing.round, points_of(listing), every)


def _verdict(listing: Listing) -> Verdict | None:
    """What TRAIN-15 weighs; none of an import, which its own tools judge."""
    every, terms = listing.card.training.evaluate_every, listing.round
    pace = pace_of(listing.entry.runs, terms, points_of(listing), every)
    if pace is None or listing.imported:
        return None
    allowance = terms.convergence.allowance_samples.get(listing.entry.result.workload, 0)
    return judge(pace, terms.convergence, terms.training.runs, allowance)


def _reached(curves: _Curves, target: QualityTarget) -> str:
    reached = sum(any(target.met(each.quality) for each in curve) for curve in curves.values())
    return f"{reached} of {len(curves)} runs reached {target.metric} {target.value:g}."


def _compared(listing: Listing, match: Match | None, verdict: Verdict | None) -> str:
    if listing.division is not Division.CLOSED:
        return "The open division is not held to the reference."
    if match is None:
        return "They cannot be compared with the reference: no point of it serves."
    reference = match.reference
    says = (
        f"the reference takes {reference.mean:,.0f} ± {reference.deviation:,.0f} at batch size "
        f"{reference.batch_size}"
    )
    if verdict is None:
        return f"Of the samples that it takes, {says}."
    word = "allowed" if verdict.passed else "refused, faster than luck explains"
    return (
        f"The runs that count took {verdict.pace.result_mean:,.0f} samples on average; {says}, and "
        f"at least {verdict.limit:,.0f} are asked for: {word}."
    )


def _band(match: Match) -> Band:
    mean, deviation = match.reference.mean, match.reference.deviation
    name = "Reference reaches it, ± a deviation"
    return Band(name, max(0.0, mean - deviation), mean + deviation, REFERENCE, opacity=0.22)


def _traces(
    curves: _Curves, target: QualityTarget, sampled: bool, verdict: Verdict | None
) -> list[dict[str, Any]]:
    traces, named = [], set[str]()
    for number, curve in curves.items():
        met = any(target.met(each.quality) for each in curve)
        name = "Run that reached the target" if met else "Run that did not"
        x = [float(each.samples or 0) if sampled else each.seconds for each in curve]
        traces.append(_thin(number, name, x, [shown(each.quality) for each in curve], met))
        traces[-1]["showlegend"] = name not in named
        named.add(name)
    furthest = max((x for trace in traces for x in trace["x"]), default=1.0)
    traces.append(line("Target", [0.0, furthest], [target.value] * 2, REFERENCE, dash="dash"))
    if verdict and verdict.limit > 0:
        low = min((y for trace in traces for y in trace["y"]), default=0.0)
        limit, high = shown(verdict.limit), shown(target.value)
        traces.append(line("Least mean allowed", [limit] * 2, [low, high], REFERENCE, dash="dot"))
    return traces


def _thin(number: int, name: str, x: list[float], y: list[float], met: bool) -> dict[str, Any]:
    colour = _REACHED if met else _MISSED
    return line(name, x, y, colour, markers=True) | {
        "legendgroup": name,
        "line": {"color": colour, "width": 1.2, "dash": "solid" if met else "dot"},
        "marker": {"size": 4},
        "opacity": 0.75,
        "hovertemplate": f"run {number}: %{{y}} after %{{x}}<extra></extra>",
    }
