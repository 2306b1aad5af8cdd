"""A real round's folder, read for the site: statements, a promise kept, a log to verify."""

import shutil
from pathlib import Path

import pytest
from review_rounds import ROUND, Play

from portal.content import Content
from portal.round_log_page import write_round_logs
from portal.round_review import RoundReview
from portal.thread import thread
from submissions.bundle import Bundle


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.chdir(tmp_path)
    return Play(tmp_path)


@pytest.fixture
def promised(play: Play) -> Bundle:
    """A bundle that was committed to, handed in and revealed, and what a reviewer said."""
    bundle = play.pack("first")
    play.does(f"log commit {bundle.root} {ROUND} --out opening.json", "keeper")
    play.does(f"submit {bundle.root} --round practice", "acme")
    play.does(f"log reveal opening.json {ROUND}", "keeper")
    play.does(f"review done {bundle.id}", "uni", "--text", "read every run", *play.log)
    return bundle


def test_the_site_holds_all_that_log_verify_asks_for(play: Play, promised: Bundle) -> None:
    review = RoundReview.of(ROUND)
    write_round_logs(Path("site"), Content((), (review,)))
    done = play.run(["log", "verify", "site/log/practice", "--seen", "seen"])
    assert done.code == 0, done.text
    page = Path("site/log/practice/index.html").read_text("utf-8")
    for words in ("Promise of a bundle", "Promise kept", "Review done", "for the log by keeper"):
        assert words in page
    assert Path(f"site/log/practice/receipts/{promised.id}.opening.json").is_file()


def test_what_was_signed_is_told_with_the_key_that_signed(promised: Bundle) -> None:
    review = RoundReview.of(ROUND)
    said = thread(review, promised.id, ())
    assert [(one.title, one.by) for one in said] == [("Handed in", "acme"), ("Review done", "uni")]
    assert [one.text for one in said] == ["", "read every run"]
    owner = review.keyring.find(said[1].keys[0])
    assert owner is not None
    assert owner.organisation == "uni"


def test_of_a_log_that_lacks_an_envelope_there_are_no_entries(promised: Bundle) -> None:
    last = RoundReview.of(ROUND).logged[-1].envelope
    (ROUND / f"events/{last}.dsse.json").unlink()
    review = RoundReview.of(ROUND)
    assert review.entries is None
    assert "is missing" in review.replay.missing
    assert thread(review, promised.id, ())[-1].bundle == promised.id


def test_bundles_that_the_log_knows_are_found(play: Play, promised: Bundle) -> None:
    shutil.copytree(play.held(promised), ROUND / "acme" / ("z" * 20))
    assert RoundReview.of(ROUND).bundle_folders() == [ROUND / "acme" / promised.id]


def test_a_round_is_published_from_one_folder(play: Play, promised: Bundle) -> None:
    shutil.copytree(ROUND, "copy")
    words = ["publish", str(ROUND), "copy", "--keyring", "none.json", "--out", "site"]
    done = play.run(words)
    assert done.code == 1
    assert "copy: of round practice, as submissions/rounds/practice is" in done.text
    assert promised.id not in done.text
