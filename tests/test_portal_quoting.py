"""Words in which a result may be quoted, and why it must not be."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portal_example import HOSTILE, example, finding

from portal.boards import make_boards
from portal.listing import Listing, Published, list_results
from portal.quoting import bibtex, markdown, one_line, quotation, why_not_quotable
from portal.rendering import pages_are_private
from submissions.review.status import State, Status

DATA = "0123456789ab"


def listings(entries: list[Published]) -> list[Listing]:
    return [listing for board in make_boards(list_results(entries)) for listing in board.listings]


@pytest.fixture(scope="module")
def trained() -> Listing:
    return next(each for each in listings(example()) if each.rank == 1 and not each.sut)


def standing(state: State, **changes: object) -> Status:
    """A bundle that stands in a round's log."""
    known = dict.fromkeys(Status.model_fields, ())
    return Status.model_construct(
        **known | {"state": state, "why": "lab objects", "levels": {}, **changes}
    )


def with_standing(listing: Listing, status: Status) -> Listing:
    return replace(listing, published=replace(listing.published, standing=status))


def test_a_quotation_has_all_that_belongs_to_a_number(trained: Listing) -> None:
    text = quotation(trained, DATA)
    for part in (
        "Rack server with two sockets of Initech",
        "Image classification, training, 6.99 s (95 % interval 6.64 s to 7.37 s)",
        "round 2026.1, closed division, rank 1",
        "trust level L1: signed; 1 warning",
        f"Result {trained.id}, data {DATA}.",
    ):
        assert part in text
    assert why_not_quotable(trained) == ""


def test_what_must_not_be_quoted_says_why(trained: Listing) -> None:
    report = trained.published.report.model_copy(update={"findings": (finding(),)})
    refused = replace(trained, published=replace(trained.published, report=report))
    assert "The check refuses it: 1 finding." in why_not_quotable(refused)
    none = trained.entry.result.model_copy(update={"value": None})
    assert "no score" in why_not_quotable(
        replace(trained, entry=replace(trained.entry, result=none))
    )
    practice = next(each for each in listings(example()) if not each.rankable)
    assert "practise" in why_not_quotable(practice)


@pytest.mark.parametrize("state", list(State))
def test_a_review_that_went_against_it_forbids_to_quote_it(trained: Listing, state: State) -> None:
    against = state in {
        State.UNKNOWN,
        State.AMENDED,
        State.REJECTED,
        State.VOID,
        State.WITHDRAWN,
    }
    assert bool(why_not_quotable(with_standing(trained, standing(state)))) is against


def test_a_review_is_part_of_the_quotation(trained: Listing) -> None:
    assert "review: under review" in quotation(
        with_standing(trained, standing(State.UNDER_REVIEW)), DATA
    )


def test_nothing_of_a_private_preview_may_be_quoted(trained: Listing) -> None:
    with pages_are_private(True):
        assert "private preview" in why_not_quotable(trained)


def test_bibtex_is_an_entry_whose_braces_balance(trained: Listing) -> None:
    hostile = next(each for each in listings(example()) if not each.rankable)
    for listing in (trained, hostile):
        entry = bibtex(listing, DATA, "https://SITE/x/index.html")
        assert re.match(r"@misc\{levelfield-[a-z0-9-]+,\n", entry)
        assert entry.count("{") == entry.count("}")
        assert not re.search(r"(?<!\\)[%&$#]", entry)


@settings(max_examples=30, deadline=None)
@given(name=st.text())
def test_no_name_breaks_an_entry(trained: Listing, name: str) -> None:
    system = trained.published.system
    assert system.declared is not None
    declared = system.declared.model_copy(update={"name": name, "organisation": name})
    machine = system.model_copy(update={"declared": declared})
    submission = replace(trained.published.bundle.submission, system=machine)
    bundle = replace(trained.published.bundle, submission=submission)
    named = replace(trained, published=replace(trained.published, bundle=bundle))
    entry = bibtex(named, DATA, "https://SITE/")
    assert entry.count("{") == entry.count("}")
    assert len(entry.splitlines()) in (7, 8)


@given(st.text())
def test_one_line_is_one_line_without_hidden_signs(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert line == line.strip()


def test_markdown_cannot_be_broken_out_of() -> None:
    assert markdown("a](https://x) <b> *c*\n# d") == r"a\](https://x) \<b\> \*c\* # d"
    assert "<script>" not in markdown(HOSTILE)
