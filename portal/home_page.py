"""The front page: every leaderboard with its best result, and the bundles they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.records import Scenario
from portal.boards import Board
from portal.content import Content
from portal.identity import identities_of
from portal.listing import Listing
from portal.overview import overviews, without_energy
from portal.rendering import write_page
from portal.result_list import held

SHOWN_BUNDLES = 20


def write_home(site: Path, content: Content) -> None:
    """Write ``index.html``."""
    newest_first = sorted(
        content.boards, key=lambda board: (not board.any.rankable, -_newest(board.listings))
    )
    groups: dict[tuple[str, str], list[Board]] = {}
    for board in newest_first:
        groups.setdefault((board.any.round.title, board.any.workload_title), []).append(board)
    charts = overviews(content.boards, identities_of(content))
    write_page(
        site,
        "index.html",
        "home.html",
        here="home",
        charts=charts,
        no_energy=without_energy(charts),
        groups=[
            {
                "round": round_title,
                "name": group[0].any.round.name,
                "workload": workload,
                "boards": sorted(group, key=_by_scenario),
            }
            for (round_title, workload), group in groups.items()
        ],
        practice=any(not listing.rankable for listing in content.listings),
        imported=next((one.imported for one in content.published if one.imported), None),
        bundles=_bundle_rows(content.listings)[:SHOWN_BUNDLES],
        bundle_count=len(content.published),
        rounds=list(dict.fromkeys((b.any.round.name, b.any.round.title) for b in newest_first)),
        held=held(content.listings),
    )


def _newest(listings: Sequence[Listing]) -> int:
    """When the newest run started, in ms."""
    return max((e.run.started_ms for li in listings for e in li.entry.runs), default=0)


def _by_scenario(board: Board) -> tuple[int, str]:
    result = board.any.entry.result
    return (list(Scenario).index(result.scenario), result.division)


def _bundle_rows(listings: Sequence[Listing]) -> list[dict[str, Any]]:
    grouped: dict[str, list[Listing]] = {}
    for listing in listings:
        grouped.setdefault(listing.published.bundle.id, []).append(listing)
    rows = []
    for bundle_id in sorted(grouped):
        published = grouped[bundle_id][0].published
        findings = published.report.findings
        errors = sum(map(published.refuses, findings))
        rows.append(
            {
                "id": bundle_id,
                "published": published,
                "listings": grouped[bundle_id],
                "errors": errors,
                "warnings": len(findings) - errors,
                "newest_ms": _newest(grouped[bundle_id]),
            }
        )
    return sorted(rows, key=lambda row: (-row["newest_ms"], row["id"]))
