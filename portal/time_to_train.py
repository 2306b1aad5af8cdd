"""Time to train as a figure: the score of each result as a bar, and every run as a dot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records import Mode
from portal.chart import MOST, Figure, shown
from portal.identity import Identities, Identity
from portal.labels import short
from portal.listing import Listing
from portal.margins import margins
from portal.quantities import for_people
from portal.rendering import plural
from portal.scores import RunScore, run_scores

_WIDE = 20
"""Ratio of the longest to the shortest time from which bars would hide all but the slowest."""
_MINUTES_FROM_S = 600.0
_HEIGHT = 0.5
"""Of the runs of one result, whose rows are 1 apart."""


@dataclass(frozen=True)
class _Dot:
    """One run."""

    row: int
    number: int
    seconds: float
    y: float
    part: str
    look: Identity


_PARTS = ("scored", "dropped", "did not converge")


def time_to_train(
    ranked: Sequence[Listing],
    looks: Identities,
    *,
    id: str,
    title: str,
    name: Callable[[Listing], str],
    noun: str = "result",
) -> Figure:
    """The first eight of ``ranked``, which are trainings, best first.

    ``name`` labels a row, ``noun`` is what each is the only one of.
    """
    drawn = list(ranked[:MOST])
    dots = [dot for row, each in enumerate(drawn) for dot in _dots(row, each, looks)]
    scores = [each.entry.result.value or 0.0 for each in drawn]
    longest = max([*scores, *(dot.seconds for dot in dots)])
    scale, unit = (60.0, "min") if longest >= _MINUTES_FROM_S else (1.0, "s")
    wide = longest > _WIDE * min(scores)
    bars = _ticks if wide else _bars
    colours = [looks[each.organisation].colour for each in drawn]
    return Figure(
        id=id,
        title=title,
        caption=_finding(ranked, name, noun),
        traces=(
            bars([shown(score / scale) for score in scores], colours),
            *(_series(part, held, scale) for part in _PARTS if (held := _of(dots, part))),
        ),
        x_title=f"time to train in {unit}{' (logarithmic)' if wide else ''}",
        y_title="",
        table_caption="Every run, and the score with its 95 % interval",
        headers=("System", "Organisation", "Score", "Interval", "Runs", "Run", "Time", "Part"),
        rows=tuple(_rows(drawn, dots)),
        note=f"{_key(dots, wide)}{_rest(ranked)}",
        log_x=wide,
        y_names=tuple(short(name(each)) for each in drawn),
    )


def _dots(row: int, listing: Listing, looks: Identities) -> list[_Dot]:
    """The trainings of a result; one that missed its target lies where it ended."""
    runs = [
        (listing.number(evidence), (evidence.run.duration_ns or 0) / 1e9, score)
        for evidence, score in run_scores(listing)
        if evidence.run.mode is Mode.TRAINING
    ]
    gap = _HEIGHT / max(len(runs) - 1, 1)
    return [
        _Dot(
            row=row,
            number=number,
            seconds=took if score.value is None else score.value,
            y=round(row + (at - (len(runs) - 1) / 2) * gap, 4),
            part=_part(score),
            look=looks[listing.organisation],
        )
        for at, (number, took, score) in enumerate(runs)
        if score.value is not None or took > 0
    ]


def _part(score: RunScore) -> str:
    if score.value is None:
        return _PARTS[2]
    return _PARTS[1] if score.dropped or score.outside else _PARTS[0]


def _of(dots: Sequence[_Dot], part: str) -> list[_Dot]:
    return [dot for dot in dots if dot.part == part]


def _bars(scores: list[float], colours: list[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": "Score",
        "showlegend": False,
        "x": scores,
        "y": list(range(len(scores))),
        "width": 0.74,
        "marker": {"color": colours, "opacity": 0.28},
        "hovertemplate": "score %{x}<extra></extra>",
    }


def _ticks(scores: list[float], colours: list[str]) -> dict[str, Any]:
    """A stroke for each score: on a logarithmic axis a bar has no beginning."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Score",
        "showlegend": False,
        "x": scores,
        "y": list(range(len(scores))),
        "marker": {
            "symbol": "line-ns",
            "size": 26,
            "color": colours,
            "line": {"width": 4, "color": colours},
        },
        "hovertemplate": "score %{x}<extra></extra>",
    }


def _series(part: str, dots: Sequence[_Dot], scale: float) -> dict[str, Any]:
    forms = {_PARTS[0]: "{}", _PARTS[1]: "{}-open", _PARTS[2]: "x-thin"}
    colours = [dot.look.colour for dot in dots]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"Run, {part}",
        "showlegend": False,
        "x": [shown(dot.seconds / scale) for dot in dots],
        "y": [dot.y for dot in dots],
        "hovertext": [f"run {dot.number}, {part}" for dot in dots],
        "hovertemplate": "%{hovertext}: %{x}<extra></extra>",
        "marker": {
            "size": 10,
            "symbol": [forms[part].format(dot.look.symbol) for dot in dots],
            "color": colours,
            "line": {"width": 2, "color": colours} if part != _PARTS[0] else {"width": 0},
        },
    }


def _finding(ranked: Sequence[Listing], name: Callable[[Listing], str], noun: str) -> str:
    """Who is the fastest, as far as the ranks tell; the note says what the marks mean."""
    first, count = ranked[0], plural(len(ranked), noun)
    leads = [each for each in ranked if each.rank == 1]
    if not first.rankable:
        return f"{name(first)} took {first.score}, the least of {count}; none is ranked."
    if len(ranked) == 1:
        return f"{name(first)} took {first.score}; nobody else has been timed."
    if len(leads) > 1:
        return (
            f"Which is the fastest cannot be told: {len(leads)} of {count} share the first rank, "
            f"from {leads[0].score} to {leads[-1].score}."
        )
    second = ranked[1]
    return (
        f"{name(first)} is the fastest of {count}: {first.score}. "
        f"{name(second)} follows with {second.score}."
    )


def _key(dots: Sequence[_Dot], wide: bool) -> str:
    """What the marks mean, and how many there are of each."""
    marks = ("filled", "hollow", "crossed")
    parts = [
        f"{len(held)} {mark} {'was' if len(held) == 1 else 'were'} {part}"
        if part != _PARTS[2]
        else f"{len(held)} {mark} did not converge and lies where it gave up"
        for mark, part in zip(marks, _PARTS, strict=True)
        if (held := _of(dots, part))
    ]
    bar = "The stroke" if wide else "The bar"
    return f"{bar} is the score, each mark a run: {', '.join(parts)}."


def _rest(ranked: Sequence[Listing]) -> str:
    return f" Drawn are the first {MOST} of {len(ranked):,}." if len(ranked) > MOST else ""


def _rows(drawn: Sequence[Listing], dots: Sequence[_Dot]) -> list[tuple[str, ...]]:
    sure = margins(drawn)
    counts = [sum(dot.row == row for dot in dots) for row in range(len(drawn))]
    return [
        (
            drawn[dot.row].system_name,
            drawn[dot.row].organisation,
            str(drawn[dot.row].score),
            sure[drawn[dot.row].id].score or "too few runs",
            str(counts[dot.row]),
            str(dot.number),
            str(for_people(dot.seconds, "s", 4)),
            dot.part,
        )
        for dot in dots
    ]
