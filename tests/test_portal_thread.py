"""A bundle's thread: every entry in words, where its words lead, and what counts for nothing."""

from pathlib import Path

import pytest
from portal_example import HOSTILE, example
from review_logs import A, B, Book
from review_site import busy_book, round_review, round_said

from portal.boards import make_boards
from portal.content import Content
from portal.listing import list_results
from portal.review_page import listings_by_bundle, what_raises
from portal.thread import Fact, Said, thread
from portal.thread_page import command, write_threads
from submissions.review.case import Checked, Elsewhere, Missing, Refused, Submitted
from submissions.review.event import Citation


def titles(book: Book, bundle: str = A) -> list[tuple[str, str, str]]:
    """Icon, words and who, of each entry."""
    return [(one.icon, one.title, one.by) for one in thread(round_said(book), bundle, ())]


def last(book: Book, bundle: str = A) -> Said:
    return thread(round_said(book), bundle, ())[-1]


def test_entries_are_told_in_the_order_of_the_log() -> None:
    book = Book().accepted()
    book.event("chair", "publish")
    assert titles(book) == [
        ("◆", "Handed in", "acme"),
        ("✓", "Check passed", "lab"),
        ("✓", "Countersigned", "lab"),
        ("✓", "Review done", "lab"),
        ("✓", "Review done", "uni"),
        ("✓", "Published", "chair"),
    ]


def test_who_signed_is_told_with_the_key() -> None:
    said, review = last(Book()), round_said(Book())
    (key,) = said.keys
    entry = review.keyring.find(key)
    assert entry is not None
    assert entry.organisation == "acme"


@pytest.mark.parametrize(
    ("content", "title", "facts"),
    [
        (Checked(("TRAIN-3",)), "Check failed",
         [Fact("failed", "TRAIN-3", "rules/index.html#TRAIN-3")]),
        (Checked(("XYZ-9",)), "Check failed", [Fact("failed", "XYZ-9")]),
        (Refused("bad signature"), "Statement that does not hold",
         [Fact("because", "bad signature")]),
        (Missing("gone"), "Missing", [Fact("because", "gone")]),
        (Elsewhere(), "Statement of another kind", []),
    ],
)  # fmt: skip
def test_what_a_statement_says(content: object, title: str, facts: list[Fact]) -> None:
    book = Book()
    book.say("lab", content)  # type: ignore[arg-type]
    assert (last(book).title, list(last(book).facts)) == (title, facts)


def test_what_counts_for_nothing_says_why() -> None:
    book = Book()
    book.event("acme", "review-done")
    assert last(book).ignored == f"self-review: acme is the submitter of bundle {A}"
    assert (last(book).kind, last(book).icon) == ("plain", "–")


def test_an_amended_bundles_entries_are_in_the_thread_of_its_successor() -> None:
    book = Book()
    objection = book.event("lab", "objection", text="so")
    book.say("acme", Submitted("acme", "1" * 32, ()), B)
    book.event("acme", "amend", superseded_by=B)
    book.event("lab", "drop", B, refers_to=objection)
    assert [title for _, title, _ in titles(book, B)] == [
        "Handed in", "Objection", "Handed in", "Amended by another bundle", "Objection dropped",
    ]  # fmt: skip
    assert [title for _, title, _ in titles(book)][-1] == "Amended by another bundle"
    told = last(book, B).facts[0]
    assert (told.name, told.value) == ("on", "objection of lab, entry 1")
    assert told.address == "log/2026.1/index.html#E1"


def test_a_reference_that_is_in_no_log_leads_nowhere() -> None:
    book = Book()
    book.event("lab", "second", refers_to="e" * 64)
    assert last(book).facts == (Fact("on", "eeeeeeeeeeee…, which is not in the log"),)
    assert "no event about this bundle" in last(book).ignored


def test_a_citation_leads_to_the_line_where_the_site_has_it() -> None:
    listings = list_results(example()[:1])
    run = listings[0].entry.runs[1]
    book = Book()
    cited = Citation(
        file=run.file("events.log"), sha256="0" * 64, first=7, last=9, lines_sha256="1" * 64
    )
    other = cited.model_copy(update={"file": "system.json"})
    book.event("lab", "objection", text="so", at=(cited, other))
    facts = thread(round_said(book), A, listings)[-1].facts
    assert facts[0] == Fact("at", cited.text, f"{listings[0].run_address(run)}#L7")
    assert facts[1] == Fact("at", other.text)


def test_the_command_holds_hostile_words_in_quotes() -> None:
    line = command(round_said(Book()), A, "TRAIN-3", "events.log:6", "it's $(rm) `x`")
    assert line.endswith("""--text 'it'"'"'s $(rm) `x`'""")
    assert f"review object {A} --folder submissions/rounds/2026.1 --rule TRAIN-3" in line


def test_what_would_raise_a_level() -> None:
    book = Book().accepted()
    assert "replication" in what_raises(book.status())
    book.event("lab", "replicate-result", replica="r" * 20, outcome="different")
    assert "came out different" in what_raises(book.status())
    book.event("lab", "replicate-result", replica="r" * 20, outcome="equal")
    assert "attested" in what_raises(book.status())
    book.event("lab", "objection", text="so")
    assert "While an objection stands" in what_raises(book.status())
    book.event("acme", "withdraw", text="wrong")
    assert what_raises(book.status()) == ""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The threads of a busy round, by what is in them."""
    site, held = tmp_path_factory.mktemp("threads"), example()[:4]
    review = round_review(site / "round", busy_book(held))
    write_threads(site, Content(tuple(make_boards(list_results(held))), (review,)))
    names = ("objected", "published", "waived", "fresh")
    return {
        name: (site / f"review/2026.1/{one.bundle.id}/index.html").read_text("utf-8")
        for name, one in zip(names, held, strict=True)
    }


def test_hostile_words_are_shown_and_never_markup(pages: dict[str, str]) -> None:
    escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&#34;=1+1"
    assert HOSTILE not in "".join(pages.values())
    assert f'<blockquote dir="auto">The run stopped early: {escaped}\n' in pages["objected"]
    assert f"effect: <bdi>{escaped}</bdi>" in pages["waived"]


def test_the_page_leads_to_rule_log_line_and_key(pages: dict[str, str]) -> None:
    page = pages["objected"]
    assert 'href="../../../rules/index.html#TRAIN-3"' in page
    assert "/runs/1/index.html#L5" in page
    assert 'href="../../../keys/index.html#' in page
    assert "<bdi>system.json:5-6</bdi></dd>" in page
    assert 'href="../../../log/2026.1/index.html#E5">entry 5</a>' in page


def test_findings_of_the_check_are_ready_to_be_cited(pages: dict[str, str]) -> None:
    ready = (
        "--rule TRAIN-3 --at results/image_classification/train/run_1/events.log:6 "
        "--text &#39;the run stopped below its quality target&#39;"
    )
    assert ready in pages["waived"]
    assert "ready to be cited" not in pages["objected"]


def test_nobody_is_led_to_object_where_nothing_can_come_of_it(tmp_path: Path) -> None:
    book = Book()
    book.event("acme", "withdraw", text="wrong system")
    write_threads(tmp_path, Content((), (round_said(book),)))
    page = (tmp_path / f"review/2026.1/{A}/index.html").read_text("utf-8")
    assert "Nothing can come of an objection any more: the bundle is withdrawn." in page
    assert "levelfield review object" not in page


def test_results_are_found_by_their_bundles() -> None:
    held = example()[:2]
    found = listings_by_bundle(Content(tuple(make_boards(list_results(held)))))
    assert {name: len(listings) for name, listings in found.items()} == {
        one.bundle.id: 3 for one in held
    }
