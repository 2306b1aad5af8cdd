"""Results side by side: one page, an index of all results, and a small file of each.

The page runs in the reader's browser and loads only what is compared. Files are scripts that call
a function, because a page that is opened from a disk may load those and nothing else.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.records import HIGHER_IS_BETTER
from portal.compare_facts import fact_groups
from portal.content import Content
from portal.listing import Listing
from portal.measured import BOUNDARY_WORDS, Measured, measure
from portal.quantities import for_people, range_for_people, step_of
from portal.rendering import write_page
from portal.scores import compared_runs, run_scores, score_interval, time_without_luck
from rules.significance import LEAST_RUNS, Estimate, Interval, estimate_mean, estimate_score

ADDRESS = "compare/index.html"
LETTERS = "abcdef"
"""Names of the compared in the address, in order."""


def write_compare(site: Path, content: Content) -> None:
    """Write the page, its index and the results' files."""
    write_page(
        site,
        ADDRESS,
        "compare.html",
        here="compare",
        crumbs=(("Compare", ""),),
        most=len(LETTERS),
        least_runs=LEAST_RUNS,
    )
    index = [_index_entry(listing) for listing in content.listings]
    _write(site / "compare" / "index-data.js", "levelfieldIndex", index)
    for listing in content.listings:
        _write(site / "compare" / "data" / f"{listing.id}.js", "levelfieldResult", record(listing))


def compare_address(listings: Sequence[Listing]) -> str:
    """Address, from the site's root, that compares the first of ``listings``; empty for fewer
    than two. Ids are safe as they stand.
    """
    if len(listings) < 2:
        return ""
    chosen = zip(LETTERS, listings, strict=False)
    return f"{ADDRESS}?" + "&".join(f"{letter}={listing.id}" for letter, listing in chosen)


def _write(path: Path, function: str, value: Any) -> None:
    """A script that hands ``value`` to ``function``; escapes keep it ASCII and one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    path.write_text(f"{function}({text});\n", "utf-8")


def _index_entry(listing: Listing) -> dict[str, Any]:
    """What the page must know of every result, to find it and to refuse to compare it."""
    return {
        "id": listing.id,
        "system": listing.system_name,
        "organisation": listing.organisation,
        "workload": listing.workload_title,
        "scenario": listing.scenario_title,
        "division": listing.division.value,
        "round": listing.round.name,
        "score": str(listing.score or ""),
        "page": listing.address,
        "board": listing.board_address,
        "refused": len(listing.errors),
        "imported": listing.imported is not None,
    }


def record(listing: Listing) -> dict[str, Any]:
    """What the page loads of one result that is compared."""
    value, speed = listing.entry.result.value, time_without_luck(listing)
    runs, interval = compared_runs(listing), score_interval(listing)
    size, unit = step_of(value or 0.0, listing.shown_unit)
    return {
        "id": listing.id,
        "metric": listing.metric_title,
        "higher": HIGHER_IS_BETTER[listing.entry.result.metric],
        "rankable": listing.rankable,
        "value": value,
        "size": size,
        "unit": unit,
        "interval": _ends(interval),
        "margin": _margin(listing, interval),
        "training": runs is not None,
        "runs": [
            [score.value, int(score.dropped)]
            for _, score in run_scores(listing)
            if score.value is not None
        ],
        "lost": sum(map(math.isinf, runs.seconds)) if runs else 0,
        "estimate": _estimate(estimate_score(runs) if runs else None),
        "speed": {
            "text": str(for_people(speed.seconds, listing.shown_unit, 4)),
            "value": speed.seconds,
            "margin": _margin(listing, speed.interval, 4),
            "estimate": _estimate(estimate_mean(speed.runs)),
        }
        if speed
        else None,
        "use": _use(measure(listing)),
        "facts": fact_groups(listing),
    }


def _ends(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [interval.low, _finite(interval.high)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _margin(listing: Listing, interval: Interval | None, digits: int = 3) -> str:
    if interval is None:
        return ""
    return range_for_people(interval.low, interval.high, listing.shown_unit, digits)


def _estimate(found: Estimate | None) -> Mapping[str, Any] | None:
    """As ``significance.js`` takes it; a lost run is null."""
    if found is None:
        return None
    return {
        "value": found.value,
        "variance": found.variance,
        "freedom": found.freedom,
        "runs": [_finite(one) for one in found.runs],
    }


def _use(measured: Measured | None) -> list[dict[str, Any]]:
    """Energy by boundary, and cost: what it is of, what it is counted in, how sure it is."""
    if measured is None:
        return []
    rows: list[dict[str, Any]] = [
        {
            "what": f"Energy of a {measured.unit}, {BOUNDARY_WORDS[energy.boundary]}",
            "value": energy.joules,
            "uncertain": energy.uncertainty_j,
            "text": f"{for_people(energy.joules, 'J')} ± {for_people(energy.uncertainty_j, 'J')}",
        }
        for energy in measured.energies
    ]
    if measured.cost is not None:
        rows.append(
            {
                "what": f"Cost of a {measured.per[1]}, {measured.currency}".rstrip(", "),
                "value": measured.cost,
                "uncertain": 0,
                "text": f"{for_people(measured.cost, '')} {measured.currency}".strip(),
            }
        )
    return rows
