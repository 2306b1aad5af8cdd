"""The log on the site: its pages, and files from which anybody can verify it."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from review_logs import A, Book
from review_site import keys, round_review, round_said

from harness.errors import LevelfieldError
from portal.content import Content
from portal.review_addresses import PAGE, entry_address
from portal.round_log_page import write_round_logs
from submissions.keys import KeyEntry, Keyring, PublicKey
from submissions.review.case import Elsewhere, Missing
from submissions.round_folder import RoundFolder
from submissions.round_log import RoundLog


def page(site: Path, address: str = "index.html") -> str:
    return (site / "log/2026.1" / address).read_text("utf-8")


def test_the_log_can_be_verified_from_the_site_and_from_its_zip(tmp_path: Path) -> None:
    review = round_review(tmp_path / "round", Book().accepted())
    write_round_logs(tmp_path / "site", Content((), (review,)))
    with zipfile.ZipFile(tmp_path / "site/log/2026.1.zip") as zipped:
        zipped.extractall(tmp_path / "taken")
    for folder in (tmp_path / "site/log/2026.1", tmp_path / "taken/2026.1"):
        assert RoundLog.open(RoundFolder(folder)).verify() == review.entries
    tile = next((tmp_path / "taken/2026.1/log").glob("tile/entries/000.p/*"))
    tile.write_bytes(tile.read_bytes().replace(b'"lab"', b'"uni"'))
    with pytest.raises(LevelfieldError, match="copy the log again"):
        RoundLog.open(RoundFolder(tmp_path / "taken/2026.1")).verify()


def test_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    review = round_review(tmp_path / "round", Book())
    for site in ("one", "two"):
        write_round_logs(tmp_path / site, Content((), (review,)))
    for path in (tmp_path / "one").rglob("*"):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.is_dir() or path.read_bytes() == other.read_bytes()


def test_a_page_tells_checkpoint_entries_and_where_they_lead(tmp_path: Path) -> None:
    review = round_review(tmp_path / "round", Book())
    write_round_logs(tmp_path, Content((), (review,)))
    text, envelope = page(tmp_path), review.logged[0].envelope
    assert review.note is not None
    assert review.note.checkpoint.root.hex() in text
    assert "Signed for the log by keeper" in text
    assert "No witness has signed it yet" in text
    assert f'href="../../log/2026.1/events/{envelope}.dsse.json"><code>{envelope}' in text
    assert f'href="../../review/2026.1/{A}/index.html#E0"' in text
    assert (tmp_path / f"log/2026.1/events/{envelope}.dsse.json").read_bytes() == b"0"


def test_a_witness_is_named_and_a_false_one_is_told(tmp_path: Path) -> None:
    review = round_review(tmp_path / "round", Book())
    log = RoundLog.open(review.folder)
    public = PublicKey.of(keys()["inst"])
    eye = KeyEntry(
        organisation="eye", key_id=public.key_id, public_key=public.line, roles=("witness",)
    )
    others = [one for one in review.keyring.keys if one.organisation != "inst"]
    seen = replace(
        review,
        keyring=Keyring(keys=(*others, eye)),
        note=log.cosign("eye", keys()["inst"], 1_790_000_000),
    )
    write_round_logs(tmp_path, Content((), (seen,)))
    assert "Witnessed by eye on 2026-09-21 14:13 UTC" in page(tmp_path)
    assert seen.note is not None
    forged = seen.note.signatures[-1]
    wrong = replace(forged, signature=bytes(byte ^ 1 for byte in forged.signature))
    note = replace(seen.note, signatures=(seen.note.signatures[0], wrong))
    write_round_logs(tmp_path, Content((), (replace(seen, note=note),)))
    assert "bad cosignature: eye did not witness this" in page(tmp_path)


def test_hostile_types_are_escaped_and_what_counts_for_nothing_is_told(tmp_path: Path) -> None:
    book = Book()
    book.event("acme", "review-done")
    review = round_review(tmp_path / "round", book)
    assert review.entries is not None
    hostile = review.entries[1].model_copy(update={"predicate_type": "<script>" + "x" * 150})
    shown = replace(review, entries=(review.entries[0], hostile))
    write_round_logs(tmp_path, Content((), (shown,)))
    assert "<script>x" not in page(tmp_path)
    assert "&lt;script&gt;x" in page(tmp_path)
    assert "counts for nothing" in page(tmp_path)
    assert "self-review: acme" in page(tmp_path)


def test_a_long_log_is_cut_into_pages(tmp_path: Path) -> None:
    book = Book()
    for _ in range(PAGE):
        book.say("uni", Elsewhere())
    review = round_review(tmp_path / "round", book)
    write_round_logs(tmp_path, Content((), (review,)))
    assert entry_address(review, PAGE - 1) == f"log/2026.1/index.html#E{PAGE - 1}"
    assert entry_address(review, PAGE) == f"log/2026.1/page-2/index.html#E{PAGE}"
    assert f'id="E{PAGE - 1}"' in page(tmp_path)
    assert f'id="E{PAGE}"' not in page(tmp_path)
    assert f'id="E{PAGE}"' in page(tmp_path, "page-2/index.html")
    assert "Entries 500 to 500 of 501" in page(tmp_path, "page-2/index.html")
    assert 'href="../../../log/2026.1/index.html">Page 1</a>' in page(tmp_path, "page-2/index.html")


def test_a_log_that_cannot_be_replayed_is_not_shown(tmp_path: Path) -> None:
    book = Book()
    book.say("lab", Missing("events/x: missing"))
    review = replace(round_said(book), entries=None)
    write_round_logs(tmp_path, Content((), (review,)))
    assert "cannot be replayed, and is not shown" in page(tmp_path)
    assert "entry 1 is missing: events/x: missing" in page(tmp_path)
    assert [path.name for path in (tmp_path / "log").iterdir() if path.suffix == ".zip"] == []
    assert entry_address(review, 0) == ""


def test_an_envelope_that_changed_since_is_refused(tmp_path: Path) -> None:
    review = round_review(tmp_path / "round", Book())
    review.folder.envelope_path(review.logged[0].envelope).write_bytes(b"other")
    with pytest.raises(LevelfieldError, match="differs from its name"):
        write_round_logs(tmp_path, Content((), (review,)))


def test_without_a_round_it_says_so(tmp_path: Path) -> None:
    write_round_logs(tmp_path, Content(()))
    assert "No round’s log was published here" in (tmp_path / "log/index.html").read_text("utf-8")
