"""Words in which a result may be quoted, and why it must not be, if it must not."""

import re
from datetime import UTC, datetime

from portal.listing import Listing
from portal.quantities import range_for_people
from portal.rendering import is_private, plural
from portal.scores import score_interval
from submissions.review.status import State

_NOT_STANDING = (State.UNKNOWN, State.AMENDED, State.REJECTED, State.VOID, State.WITHDRAWN)
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts escaped braces too
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~])")


def why_not_quotable(listing: Listing) -> str:
    """Why a result must not be quoted, in a sentence; empty if it may be."""
    standing = listing.published.standing
    if is_private():
        return "This is a private preview: nothing here is published."
    if listing.errors:
        count = plural(len(listing.errors), "finding")
        return f"The check refuses it: {count}. Its number is only what the submitter claims."
    if listing.entry.result.value is None:
        return "Its runs give no score."
    if not listing.rankable:
        return "It is of a round to practise in: the runs are short and show only that all works."
    if standing and standing.state in _NOT_STANDING:
        return f"Its review says: {standing.state}. {standing.why[:1].upper()}{standing.why[1:]}."
    return ""


def benchmark(listing: Listing) -> str:
    """``Image classification, training``, with the division if it is not the closed one."""
    title = f"{listing.workload_title}, {listing.scenario_title.lower()}"
    return title if listing.division == "closed" else f"{title}, {listing.division} division"


def score_words(listing: Listing) -> str:
    """The score with its 95 % interval, where there is one."""
    found = score_interval(listing)
    if found is None:
        return str(listing.score)
    between = range_for_people(found.low, found.high, listing.shown_unit)
    return f"{listing.score} (95 % interval {between})"


def standing_words(listing: Listing) -> str:
    """How far others vouch for a result: what every quotation has to say."""
    standing, imported = listing.published.standing, listing.published.imported
    if imported:
        return f"{imported.statement}; {imported.source}"
    words = [f"trust level {listing.trust}"]
    if standing:
        words.append(f"review: {standing.state}")
        if standing.open_objections:
            words.append(plural(standing.open_objections, "open objection"))
        if standing.waivers:
            words.append(f"waived: {', '.join(one.rule for one in standing.waivers)}")
    if listing.warnings:
        words.append(plural(len(listing.warnings), "warning"))
    return "; ".join(words)


def quotation(listing: Listing, data: str) -> str:
    """One paragraph that may be quoted; ``data`` is the snapshot that it is taken from."""
    rank = f", rank {listing.rank}" if listing.rank else ""
    return (
        f"{one_line(listing.system_name)} of {one_line(listing.organisation)}: "
        f"{benchmark(listing)}, {score_words(listing)}; {_lower(listing.metric_title)}. "
        f"Levelfield, round {listing.round.title}, {listing.division} division{rank}; "
        f"{standing_words(listing)}. Result {listing.id}, data {data}."
    )


def bibtex(listing: Listing, data: str, address: str) -> str:
    """The same as an entry for BibTeX; ``address`` is the result's page."""
    key = re.sub(r"[^a-z0-9]+", "-", f"levelfield-{listing.id}")
    fields = {
        "title": f"{benchmark(listing)}: {listing.score} on {listing.system_name}",
        "author": listing.organisation,
        "howpublished": f"Levelfield, round {listing.round.title}, {listing.division} division",
        "year": _year(listing),
        "note": f"{score_words(listing)}; {standing_words(listing)}; data {data}",
    }
    lines = [f"  {name} = {{{{{_latex(value)}}}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, f"  url = {{{address}}},", "}"])


def markdown(text: str) -> str:
    """``text`` with every sign that Markdown would take for its own escaped."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def one_line(text: str) -> str:
    """``text`` without line breaks and signs that steer a terminal or turn the line around."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in one_line(text))


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _year(listing: Listing) -> str:
    newest = max((run.run.started_ms for run in listing.entry.runs), default=0)
    return str(datetime.fromtimestamp(newest / 1000, UTC).year) if newest else ""
