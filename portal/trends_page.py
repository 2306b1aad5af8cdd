"""The pages of trends: one a workload, and one that leads to them."""

from pathlib import Path

from portal.content import Content
from portal.identity import Identities, identities_of
from portal.listing import safe
from portal.rendering import write_page
from portal.trends import Trend, trend_figure, trends


def write_trends(site: Path, content: Content) -> None:
    """Write ``trends/`` and a page below it for each workload of a round that ranks."""
    found, looks = trends(content.boards), identities_of(content)
    write_page(
        site,
        "trends/index.html",
        "trends.html",
        here="trends",
        workloads=[_row(name, found[name]) for name in found],
    )
    for name, held in found.items():
        _write_trend(site, name, held, looks)


def _address(workload: str) -> str:
    return f"trends/{safe(workload)}/index.html"


def _row(workload: str, held: list[Trend]) -> dict[str, object]:
    rounds = dict.fromkeys(point.round for trend in held for point in trend.points)
    return {
        "title": held[0].last.best.workload_title,
        "address": _address(workload),
        "rounds": list(rounds),
        "trends": held,
    }


def _write_trend(site: Path, workload: str, held: list[Trend], looks: Identities) -> None:
    title = held[0].last.best.workload_title
    parts = [(trend, trend_figure(trend, looks)) for trend in held]
    write_page(
        site,
        _address(workload),
        "trend.html",
        here="trends",
        title=title,
        parts_of=parts,
        drawn=any(figure for _, figure in parts),
        crumbs=(("Trends", "trends/index.html"), (title, "")),
    )
