"""Two bundles side by side: of each result that both have, which is faster, if one can tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import LevelfieldError
from harness.records import HIGHER_IS_BETTER
from portal.listing import Listing, Published, list_results
from portal.scores import (
    RunScore,
    compared_runs,
    run_scores,
    score_interval,
    time_without_luck,
)
from rules.repeatability import ReferenceTime
from rules.significance import (
    Comparison,
    Interval,
    Runs,
    Verdict,
    compare,
    compare_means,
    verdicts,
)


@dataclass(frozen=True)
class Side:
    """One of the two results."""

    listing: Listing
    runs: Runs | None
    """None of inference."""
    interval: Interval | None
    speed: ReferenceTime | None

    @property
    def value(self) -> float | None:
        """The claimed score."""
        return self.listing.entry.result.value

    @property
    def dots(self) -> list[RunScore]:
        """Runs that have a value of the score's kind."""
        return [score for _, score in run_scores(self.listing) if score.value is not None]


@dataclass(frozen=True)
class Row:
    """One workload and scenario that both bundles have."""

    a: Side
    b: Side
    score: Comparison | None
    verdict: Verdict
    """Of the scores; of all rows together no more than 5 % are wrong to name one."""
    speed: Comparison | None
    """Time per sample times the reference's samples."""
    speed_verdict: Verdict

    @property
    def ratio(self) -> float | None:
        """A's score over B's."""
        a, b = self.a.value, self.b.value
        return a / b if a is not None and b else None


def compare_bundles(a: Published, b: Published) -> list[Row]:
    """Every result that both have in one round, workload, scenario and division, in A's order.

    `LevelfieldError` if there is none.
    """
    others = {one.board_address: one for one in list_results([b])}
    found = [
        (_side(one), _side(others[one.board_address]))
        for one in list_results([a])
        if one.board_address in others
    ]
    if not found:
        raise LevelfieldError(
            f"{a.bundle.id} and {b.bundle.id}: no workload and scenario that both have in one "
            "round and division; compare bundles of the same round"
        )
    scores = [compare(a.runs, b.runs) if a.runs and b.runs else None for a, b in found]
    speeds = [
        compare_means(a.speed.runs, b.speed.runs) if a.speed and b.speed else None for a, b in found
    ]
    told = zip(found, scores, verdicts(scores), speeds, verdicts(speeds), strict=True)
    return [Row(*sides, one, said, other, too) for sides, one, said, other, too in told]


def _side(listing: Listing) -> Side:
    return Side(
        listing, compared_runs(listing), score_interval(listing), time_without_luck(listing)
    )


def comparison_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """``rows`` for machines; an end of an interval that is open is null."""
    return [
        {
            "workload": row.a.listing.entry.result.workload,
            "scenario": row.a.listing.entry.result.scenario.value,
            "division": row.a.listing.division.value,
            "metric": row.a.listing.entry.result.metric.value,
            "unit": row.a.listing.unit,
            "higher_is_better": HIGHER_IS_BETTER[row.a.listing.entry.result.metric],
            "a": _side_json(row.a),
            "b": _side_json(row.b),
            "ratio": row.ratio,
            "verdict": row.verdict.value,
            "score": _comparison_json(row.score),
            "without_luck": _comparison_json(row.speed),
            "without_luck_verdict": row.speed_verdict.value,
        }
        for row in rows
    ]


def _side_json(side: Side) -> dict[str, Any]:
    speed = side.speed
    return {
        "result": side.listing.id,
        "value": side.value,
        "interval": _interval_json(side.interval),
        "runs": [{"value": dot.value, "dropped": dot.dropped} for dot in side.dots],
        "errors": len(side.listing.errors),
        "without_luck": None
        if speed is None
        else {
            "seconds": speed.seconds,
            "interval": _interval_json(speed.interval),
            "reference_samples": speed.match.reference.mean,
            "batch_size": speed.match.reference.batch_size,
        },
    }


def _comparison_json(found: Comparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "ratio": found.ratio,
        "interval": _interval_json(found.interval),
        "p_ratio": found.p_ratio,
        "p_ranks": found.p_ranks,
    }


def _interval_json(interval: Interval | None) -> list[float | None] | None:
    if interval is None:
        return None
    return [interval.low, interval.high if math.isfinite(interval.high) else None]
