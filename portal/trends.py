"""How the best score of a workload went from round to round, where rounds can be compared."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from harness.records import HIGHER_IS_BETTER, Scenario
from portal.boards import Board
from portal.chart import REFERENCE, Figure, line, shown
from portal.identity import Identities
from portal.labels import short
from portal.listing import Listing
from portal.margins import margins
from portal.quantities import for_people
from portal.rendering import plural
from portal.result_marks import Spot, best_of_each, spots

_WIDE = 20
"""Ratio of the greatest to the least score from which the axis is logarithmic."""


@dataclass(frozen=True)
class Point:
    """The best of one round."""

    board: Board
    best: Listing
    version: str
    """Of what was measured: scores of different ones are not compared."""

    @property
    def round(self) -> str:
        """The round's name."""
        return self.best.round.name

    @property
    def value(self) -> float:
        """The best score."""
        return self.best.entry.result.value or 0.0


@dataclass(frozen=True)
class Trend:
    """One scenario and division of a workload over the rounds that rank, the oldest first."""

    points: tuple[Point, ...]

    @property
    def last(self) -> Point:
        """The best of the newest round."""
        return self.points[-1]

    @property
    def id(self) -> str:
        """Its place on the page."""
        return f"{self.last.best.entry.result.scenario.replace('_', '-')}-{self.last.best.division}"

    @property
    def title(self) -> str:
        """What it is of."""
        return f"{self.last.best.scenario_title}, {self.last.best.division} division"

    @property
    def finding(self) -> str:
        """How the best score moved, or why that cannot be said."""
        return _finding(self.points)


def trends(boards: Iterable[Board]) -> dict[str, list[Trend]]:
    """By workload, and there by scenario and division; rounds that do not rank are left out."""
    grouped: dict[tuple[str, int, str], list[Point]] = {}
    for board in boards:
        if board.best and board.any.rankable:
            result = board.any.entry.result
            scenario = list(Scenario).index(result.scenario)
            place = (result.workload, scenario, result.division.value)
            point = Point(board, board.best, version_of(board.best))
            grouped.setdefault(place, []).append(point)
    found: dict[str, list[Trend]] = {}
    for place in sorted(grouped):
        ordered = tuple(sorted(grouped[place], key=lambda point: _in_order(point.round)))
        found.setdefault(place[0], []).append(Trend(ordered))
    return found


def _in_order(name: str) -> list[tuple[int, str]]:
    """So that round 2026.10 comes after 2026.9."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]


def version_of(listing: Listing) -> str:
    """What a score is of: the workload's files and the bounds on latency that were in force.

    Of an import, whose rounds tell neither, its round.
    """
    if listing.imported:
        return f"round {listing.round.name}"
    run = listing.entry.runs[0].run
    settings = run.settings
    bounds = (
        (settings.latency_bound_ns, settings.ttft_bound_ns, settings.tpot_bound_ns)
        if settings
        else ()
    )
    held = ", ".join(str(for_people(ns / 1e9, "s")) for ns in bounds if ns)
    return f"{run.workload_sha256[:12]}{f' within {held}' if held else ''}"


def _finding(points: Sequence[Point]) -> str:
    last = points[-1]
    if len(points) == 1:
        return (
            f"Only round {last.round} has results so far, the best of them {last.best.score} of "
            f"{last.best.organisation}: a trend takes two."
        )
    since = _stretches(points)[-1]
    first = since[0]
    if len(since) == 1:
        return (
            f"Round {last.round} cannot be compared with those before it, because what is measured "
            f"has changed. Its best is {last.best.score}, of {last.best.organisation}."
        )
    times = first.value / last.value
    if HIGHER_IS_BETTER[last.best.entry.result.metric]:
        times = last.value / first.value
    return (
        f"From round {first.round} to {last.round} the best score went from {first.best.score} "
        f"({first.best.organisation}) to {last.best.score} ({last.best.organisation}): "
        f"{for_people(times, '')} times as fast."
    )


def _stretches(points: Sequence[Point]) -> list[list[Point]]:
    """Rounds one after another of which the same was measured."""
    return [list(held) for _, held in groupby(points, key=lambda point: point.version)]


def trend_figure(trend: Trend, looks: Identities) -> Figure | None:
    """Each organisation's best of each round, the best of all joined; none of a single round."""
    points = trend.points
    if len(points) == 1:
        return None
    held = [(at, each) for at, p in enumerate(points) for each in best_of_each(p.board.ranked)]
    values = [each.entry.result.value or 0.0 for _, each in held]
    wide, last = max(values) > _WIDE * min(values), trend.last.best
    breaks = len(_stretches(points)) - 1
    return Figure(
        id=trend.id,
        title=trend.title,
        caption=trend.finding,
        note=_note(breaks),
        traces=(*_lines(points), *spots([_spot(*one, points) for one in held], looks)),
        x_title="round",
        y_title=f"score in {last.shown_unit}{' (logarithmic)' if wide else ''}",
        table_caption="The best result of each round",
        headers=("Round", "Score", "Interval", "Organisation", "System", "Results",
                 "What was measured"),
        rows=tuple(_row(point) for point in points),
        log_y=wide,
        x_names=tuple(short(point.round) for point in points),
    )  # fmt: skip


def _note(breaks: int) -> str:
    joined = "The line joins the best of each round; every mark is an organisation’s best."
    if not breaks:
        return joined
    return (
        f"{joined} It is broken {'once' if breaks == 1 else f'{breaks} times'}, where the "
        "workload’s files or its bounds changed: scores on the two sides are of different things."
    )


def _lines(points: Sequence[Point]) -> list[dict[str, Any]]:
    """A line for each stretch, of which the first is in the legend."""
    found: list[dict[str, Any]] = []
    start = 0
    for held in _stretches(points):
        x = [float(start + at) for at in range(len(held))]
        if len(held) > 1:
            drawn = line("Best", x, [shown(point.value) for point in held], REFERENCE)
            found.append(drawn | {"showlegend": not found, "legendgroup": "best"})
        start += len(held)
    return found


def _spot(at: int, listing: Listing, points: Sequence[Point]) -> Spot:
    best = points[at].best.id == listing.id
    return Spot(
        listing,
        x=float(at),
        y=listing.entry.result.value or 0.0,
        label=str(listing.score) if best else "",
        about=f"{listing.system_name}: {listing.score}",
    )


def _row(point: Point) -> tuple[str, ...]:
    best = point.best
    return (
        point.round,
        str(best.score),
        margins([best])[best.id].score or "–",
        best.organisation,
        best.system_name,
        plural(len(point.board.ranked), "result"),
        point.version,
    )
