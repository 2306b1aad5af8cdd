"""Keyrings on the site: whose key counts for what, from where to where."""

from dataclasses import replace
from pathlib import Path

from portal_example import HOSTILE
from review_logs import Book
from review_site import keyring, round_review, round_said

from portal.content import Content
from portal.keys_page import write_keys
from portal.round_review import RoundReview
from submissions.keys import Keyring


def page(site: Path, *reviews: RoundReview) -> str:
    write_keys(site, Content((), reviews))
    return (site / "keys/index.html").read_text("utf-8")


def test_every_key_is_told_and_can_be_linked_to(tmp_path: Path) -> None:
    text = page(tmp_path, round_review(tmp_path / "round", Book()))
    for entry in keyring().keys:
        assert f'id="{entry.key_id}"' in text
    assert "review, replicate" in text
    assert 'href="../log/2026.1/index.html#E0">0</a>' in text
    assert "No root key signs this keyring" in text


def test_a_revoked_key_says_when_and_why_and_leaves_the_signers_file(tmp_path: Path) -> None:
    first, second, *_ = keyring().keys
    lost = first.model_copy(update={"status": "revoked", "to_index": 7, "reason": HOSTILE})
    review = replace(round_said(Book()), keyring=Keyring(keys=(lost, second)))
    text = page(tmp_path, review)
    assert "revoked" in text
    assert ">7</td>" in text
    assert "<bdi>&lt;script&gt;alert" in text
    signers = (tmp_path / "keys/2026.1/allowed_signers").read_text("utf-8")
    assert signers == f'{second.organisation} namespaces="levelfield" {second.public_key}\n'


def test_a_key_of_two_rounds_has_one_address(tmp_path: Path) -> None:
    both = (round_said(Book()), round_said(Book(), name="practice"))
    text = page(tmp_path, *both)
    assert text.count(f'id="{keyring().keys[0].key_id}"') == 1
    assert (tmp_path / "keys/practice/allowed_signers").is_file()


def test_without_a_round_it_says_so(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert "No round’s keyring was published here" in text
    assert "What a key may be for" in text
