"""Where on the site a round's review, its log and the rules stand, from the site's root."""

from collections.abc import Sequence

from portal.listing import OFFICIAL, Listing, safe
from portal.round_review import RoundReview
from rules.mlperf.strict import STRICT_RULES
from rules.rule import RULES
from submissions.review.event import Citation

PAGE = 500
"""Entries of a log on a page."""


def rule_address(number: str) -> str:
    """The rule's text; empty for a number that is none of ours."""
    known = number in RULES or number in STRICT_RULES or number == OFFICIAL
    return f"rules/index.html#{number}" if known else ""


def thread_address(review: RoundReview, bundle: str) -> str:
    """What was said about a bundle; empty for one that was not handed in."""
    known = bundle in review.statuses
    return f"review/{safe(review.name)}/{safe(bundle)}/index.html" if known else ""


def log_address(review: RoundReview, page: int = 1) -> str:
    """A page of the round's log, from 1."""
    further = "" if page == 1 else f"page-{page}/"
    return f"log/{safe(review.name)}/{further}index.html"


def entry_address(review: RoundReview, index: int) -> str:
    """The line of an entry on its page of the log; empty if the log is not shown."""
    if review.entries is None:
        return ""
    return f"{log_address(review, index // PAGE + 1)}#E{index}"


def cited_address(listings: Sequence[Listing], citation: Citation) -> str:
    """The first cited line on the page of a run of these results; empty if it is of no log here."""
    for listing in listings:
        for evidence in listing.entry.runs:
            if citation.file == evidence.file("events.log"):
                return listing.run_address(evidence, citation.first)
    return ""
