"""A comparison of two bundles as a terminal shows it: both scores, a verdict, every run a dot."""

from collections.abc import Iterator, Sequence

from harness.records import HIGHER_IS_BETTER, Scenario
from portal.comparison import Row, Side
from portal.listing import Published
from portal.quantities import for_people, range_for_people
from portal.rendering import plural
from rules.significance import LEAST_RUNS, Comparison, Verdict

LEGEND = "o scored run   . run left out   | score   - 95 % interval"
_MARGIN = 4
_NARROWEST = 24


def describe_comparison(rows: Sequence[Row], width: int | None) -> Iterator[str]:
    """The lines of ``rows``; with a ``width`` of the terminal, a plot of the runs in each."""
    for name, published in (("A", rows[0].a.listing.published), ("B", rows[0].b.listing.published)):
        yield f"{name}  {_who(published)}"
    drawn = False
    for row in rows:
        yield ""
        yield from _row(row)
        if width and row.a.runs and (plot := draw(row.a, row.b, max(_NARROWEST, width - _MARGIN))):
            yield from ("", *plot)
            drawn = True
    if drawn:
        yield from ("", LEGEND)


def _who(published: Published) -> str:
    bundle = published.bundle
    return _plain(
        f"{published.system.name}, {bundle.submission.submitter}, bundle {bundle.id}"
        + ("" if published.report.ok else " (its check found errors)")
    )


def _plain(text: str) -> str:
    """Without what would move a terminal's cursor or change its colours."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _row(row: Row) -> Iterator[str]:
    listing = row.a.listing
    result = listing.entry.result
    better = "higher" if HIGHER_IS_BETTER[result.metric] else "lower"
    yield f"{result.workload} {result.scenario}, {listing.division} division ({better} is better)"
    for name, side in (("A", row.a), ("B", row.b)):
        yield f"  {name}  {_score(side)}"
    if row.ratio is not None:
        yield f"  A / B = {_ratio(row.ratio, row.score)}: {_verdict(row)}"
    if row.a.speed and row.b.speed:
        a, b = (for_people(one.speed.seconds, "s", 4) for one in (row.a, row.b) if one.speed)
        ratio = row.a.speed.seconds / row.b.speed.seconds
        yield f"  without luck, at the reference's samples: A {a}, B {b}"
        yield f"  A / B = {_ratio(ratio, row.speed)}: {_WORDS[row.speed_verdict]}"


def _score(side: Side) -> str:
    score = side.listing.score
    if score is None:
        return "no score"
    count = f", {plural(len(side.runs.seconds), 'run')}" if side.runs else ""
    if side.interval is None:
        return f"{score}{count}"
    interval = range_for_people(side.interval.low, side.interval.high, side.listing.shown_unit)
    return f"{score} [{interval}]{count}"


def _ratio(ratio: float, found: Comparison | None) -> str:
    if found is None:
        return f"{ratio:.4g}"
    interval = f"{found.interval.low:.4g} to {found.interval.high:.4g}"
    return f"{ratio:.4g} [{interval}], p {found.p_ratio:.2g}, of the order {found.p_ranks:.2g}"


_WORDS = {
    Verdict.A_FASTER: "A is faster",
    Verdict.B_FASTER: "B is faster",
    Verdict.CANNOT_TELL: "cannot tell, the difference may be luck",
    Verdict.TOO_FEW: f"too few runs to tell luck from speed; it takes {LEAST_RUNS} of each",
}


def _verdict(row: Row) -> str:
    if row.a.listing.entry.result.scenario is not Scenario.TRAIN:
        return "cannot tell, one run of each does not say what another would give"
    return _WORDS[row.verdict]


def draw(a: Side, b: Side, width: int) -> list[str]:
    """Both results' runs on one axis of ``width`` characters; empty where all lie on one point."""
    values = [dot.value for side in (a, b) for dot in side.dots if dot.value is not None]
    values += [side.value for side in (a, b) if side.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low == high:
        return []
    unit = a.listing.shown_unit
    least, most = str(for_people(low, unit)), str(for_people(high, unit))
    lines = [f"  {name} {_dots(side, low, high, width)}" for name, side in (("A", a), ("B", b))]
    return [*lines, f"    {least}{most:>{width - len(least)}}"]


def _dots(side: Side, low: float, high: float, width: int) -> str:
    cells = [" "] * width

    def place(value: float) -> int:
        return round(min(max((value - low) / (high - low), 0.0), 1.0) * (width - 1))

    if side.interval:
        first, last = place(side.interval.low), place(side.interval.high)
        cells[first : last + 1] = "-" * (last + 1 - first)
    # Scored runs last, so that none is hidden by one that is left out.
    for dot in sorted(side.dots, key=lambda dot: not dot.dropped):
        cells[place(dot.value or 0.0)] = "." if dot.dropped else "o"
    if side.value is not None:
        cells[place(side.value)] = "|"
    return "".join(cells).rstrip()
