"""Errata and waivers of all rounds: those that count, in the order of the log."""

from dataclasses import replace
from pathlib import Path

from portal_example import HOSTILE, example
from review_logs import A, Book
from review_site import round_said

from portal.boards import make_boards
from portal.content import Content
from portal.errata_page import corrections, write_errata
from portal.imported_terms import Imported
from portal.listing import Listing, list_results
from portal.round_review import RoundReview


def page(site: Path, *reviews: RoundReview) -> str:
    write_errata(site, Content((), reviews))
    return (site / "errata/index.html").read_text("utf-8")


def waived(*, by: str = "chair") -> Book:
    book = Book().accepted()
    objection = book.event("lab", "objection", rule="TRAIN-3", text="late")
    vote = book.event("uni", "vote", refers_to=objection, decision="waive")
    book.event(
        by, "verdict", refers_to=objection, decision="waive", rule="TRAIN-3",
        effect=HOSTILE, votes=(vote,), text="small",
    )  # fmt: skip
    return book


def test_an_erratum_leads_to_its_place_in_the_thread(tmp_path: Path) -> None:
    book = Book()
    book.event("acme", "erratum", text=f"the host has 512 GB, {HOSTILE}")
    text = page(tmp_path, round_said(book))
    assert "<bdi>the host has 512 GB, &lt;script&gt;alert" in text
    assert f'href="../review/2026.1/{A}/index.html#E1"' in text


def test_a_waiver_tells_rule_effect_and_votes_and_the_vote_is_none() -> None:
    (one,) = corrections(round_said(waived()), "waive")
    assert (one.rule, one.effect, one.votes) == ("TRAIN-3", HOSTILE, ("uni: waive",))
    assert one.rule_address == "rules/index.html#TRAIN-3"


def test_what_counts_for_nothing_corrects_nothing(tmp_path: Path) -> None:
    book = waived(by="lab")
    book.event("uni", "erratum", text="not mine to correct")
    review = round_said(book)
    assert len(review.ignored) == 2
    text = page(tmp_path, review)
    assert "None: nobody has corrected anything." in text
    assert "None: every rule counts against every bundle." in text


def test_a_reclassified_bundle_is_told(tmp_path: Path) -> None:
    book = Book()
    book.event("chair", "verdict", decision="reclassify", effect="open division", text="so")
    assert "<bdi>open division</bdi>" in page(tmp_path, round_said(book))


def test_without_a_round_it_says_so(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert "no errata or waivers are known" in text
    assert "None." in text


def test_where_imported_results_come_from_is_told_once(tmp_path: Path) -> None:
    imported = Imported("not verified here", f"from {HOSTILE}", {}, {})
    boards = make_boards(list_results(example()[:2]))
    content = Content(
        tuple(
            replace(
                board,
                ranked=tuple(_imported(one, imported) for one in board.ranked),
                refused=tuple(_imported(one, imported) for one in board.refused),
            )
            for board in boards
        )
    )
    write_errata(tmp_path, content)
    text = (tmp_path / "errata/index.html").read_text("utf-8")
    assert "<strong>not verified here</strong>, 2 bundles. from &lt;script&gt;" in text


def _imported(listing: Listing, imported: Imported) -> Listing:
    return replace(listing, published=replace(listing.published, imported=imported))
