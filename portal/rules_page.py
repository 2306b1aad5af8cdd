"""The rules by number, with the results here that break them, and what each round asks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page
from portal.review_addresses import rule_address
from rules.handbook import SCOPES, terms_in_words
from rules.mlperf.case import STRICT_SCOPES
from rules.mlperf.strict import STRICT_RULES
from rules.registry import SUBJECTS, Rule, Scope
from rules.round import read_round, round_names
from rules.rule import RULES

_SHOWN = 20
"""Results that a rule names at most; how many there are it always says."""
_SUBJECTS = {
    "ROUND": "Round and bundle",
    "INTENT": "Announced runs",
    "SYSTEM": "System",
    "LOG": "Logs",
    "TELE": "Telemetry",
    "TRAIN": "Training",
    "INFER": "Inference",
    "AUDIT": "Audits",
    "SCORE": "Score",
}
_MARKS = re.compile(r"``(?P<code>[^`]+)``|(?P<rule>\b[A-Z]{3,12}-[0-9]{1,3}\b)")


@dataclass(frozen=True)
class Span:
    """A stretch of a rule's text."""

    text: str
    code: bool = False
    address: str = ""
    """Of the rule that it names."""


@dataclass(frozen=True)
class Found:
    """Results that a rule has something against."""

    refused: tuple[Listing, ...] = ()
    warned: tuple[Listing, ...] = ()


@dataclass(frozen=True)
class RuleView:
    """One rule as the page shows it."""

    number: str
    on: str
    title: tuple[Span, ...]
    paragraphs: tuple[tuple[Span, ...], ...]
    found: Found


def write_rules(site: Path, content: Content) -> None:
    """Write ``rules/index.html``."""
    found = findings_by_rule(content.listings)
    own = [_view(one, SCOPES, found) for one in RULES.values()]
    write_page(
        site,
        "rules/index.html",
        "rules.html",
        here="rules",
        subjects=[
            (_SUBJECTS[name], name, [one for one in own if one.number.startswith(f"{name}-")])
            for name in SUBJECTS
        ],
        strict=[_view(one, STRICT_SCOPES, found) for one in STRICT_RULES.values()],
        official=found.get("OFFICIAL", Found()),
        most=_SHOWN,
        terms=_terms(),
        rounds=round_names(),
    )


def findings_by_rule(listings: Iterable[Listing]) -> dict[str, Found]:
    """By number, the results that a rule refuses and those that it only tells something of."""
    refused: dict[str, dict[str, Listing]] = {}
    warned: dict[str, dict[str, Listing]] = {}
    for listing in listings:
        for finding in listing.findings:
            kind = refused if listing.published.refuses(finding) else warned
            kind.setdefault(finding.rule, {})[listing.id] = listing
    return {
        number: Found(
            tuple(refused.get(number, {}).values()), tuple(warned.get(number, {}).values())
        )
        for number in refused | warned
    }


def _view(one: Rule, on: Mapping[Scope, str], found: Mapping[str, Found]) -> RuleView:
    rest = one.text.removeprefix(one.title).strip()
    paragraphs = [" ".join(text.split()) for text in rest.split("\n\n") if text]
    return RuleView(
        one.number,
        on[one.on],
        spans(one.title),
        tuple(map(spans, paragraphs)),
        found.get(one.number, Found()),
    )


def spans(text: str) -> tuple[Span, ...]:
    """A rule's text, cut at what is code in it and at the numbers of other rules."""
    found, at = list[Span](), 0
    for mark in _MARKS.finditer(text):
        found.append(Span(text[at : mark.start()]))
        if mark["code"]:
            found.append(Span(mark["code"], code=True))
        else:
            found.append(Span(mark["rule"], address=rule_address(mark["rule"])))
        at = mark.end()
    return tuple(span for span in (*found, Span(text[at:])) if span.text)


def _terms() -> list[tuple[str, ...]]:
    """What each round asks, a row a question, a column a round."""
    columns = [terms_in_words(read_round(name)) for name in round_names()]
    return [
        (name.replace("_", " "), *(column[name].replace("`", "") for column in columns))
        for name in columns[0]
    ]
