"""A site with a page of every kind, and which of its pages stand for all."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from portal_example import example
from review_site import busy_book, round_review

from portal.listing import Published
from portal.site import publish
from submissions.review.status import Status


def whole_site(folder: Path) -> Path:
    """The example's site with a round that is under review."""
    entries = example()
    real = [one for one in entries if one.bundle.submission.round == "2026.1"]
    review = round_review(folder / "2026.1", busy_book(real))
    reviewed = [_standing(one, review.statuses) for one in entries]
    return publish(reviewed, folder / "site", [review]).parent


def _standing(one: Published, statuses: Mapping[str, Status]) -> Published:
    return replace(one, standing=statuses.get(one.bundle.id))


def kinds(site: Path) -> dict[str, list[Path]]:
    """Pages by their place in the site: ``x/*/runs/*``, a kind each."""
    found: dict[str, list[Path]] = {}
    for path in sorted(site.rglob("*.html")):
        first, *rest = path.relative_to(site).parts
        words = ["runs" if part == "runs" else "*" for part in rest[:-1]]
        found.setdefault("/".join([first, *words]), []).append(path)
    return found


def samples(site: Path) -> list[Path]:
    """The page with most on it, of each kind."""
    return [
        max(pages, key=lambda path: (path.stat().st_size, path)) for pages in kinds(site).values()
    ]
