"""The browser replays a round's log as Python does, and refuses one that is not whole."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import pytest
import test_review_played
import test_review_replay
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from review_logs import CITATION, RESULTS, ROLES, Book
from review_rounds import ROUND, Play
from test_portal_verify_page import state, verdict
from verify_site import Site, make_site

from portal.content import Content
from portal.replay_file import log_text
from portal.round_review import RoundReview
from portal.verify_page import write_verify
from submissions.review.case import (
    Checked,
    Countersigned,
    Elsewhere,
    Logged,
    Missing,
    Refused,
    Signer,
    Submitted,
)
from submissions.review.case import (
    Content as Said,
)
from submissions.review.event import Kind, ReviewEvent
from submissions.review.replay import Replay, replay
from submissions.review.status import State

pytestmark = needs_chromium
OPENED = """async log => {
  const lv = levelfield, held = lv.round.fromScript(log, "the log");
  const keys = await lv.keys.readKeyring(held.keyring, "keyring");
  const bundle = {digest: "", files: new Map(), source: null};
  const whole = await lv.review.open(held, keys, bundle);
  const replayed = lv.replay.replayed(whole.logged);
  return replayed.bundles().map(replayed.status);
}"""
BUNDLES = ["a" * 20, "b" * 20, "c" * 20]
WHO = ["acme", "both", "lab", "uni", "inst", "chair"]
STATUSES = """logs => JSON.stringify(JSON.parse(logs).map(entries => {
  const replayed = levelfield.replay.replayed(entries);
  return [replayed.bundles().map(replayed.status), replayed.unplaced];
}))"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    site = tmp_path_factory.mktemp("replay")
    write_verify(site, Content(()))
    page = browser.new_page()
    page.goto((site / "verify.html").as_uri())
    yield page
    page.close()


def _said(content: Said) -> dict[str, Any]:
    match content:
        case Submitted(submitter, nonce, results):
            return {"kind": "submitted", "submitter": submitter, "nonce": nonce,
                    "results": list(results)}  # fmt: skip
        case Checked(failed):
            return {"kind": "checked", "failed": list(failed)}
        case Countersigned(statement):
            return {"kind": "countersigned", "statement": statement}
        case Elsewhere():
            return {"kind": "elsewhere"}
        case Missing(reason):
            return {"kind": "missing", "reason": reason}
        case Refused(reason):
            return {"kind": "refused", "reason": reason}
    return {"kind": "event", "event": content.model_dump(mode="json")}


def _entry(one: Logged) -> dict[str, Any]:
    return {"index": one.index, "envelope": one.envelope, "bundle": one.bundle, "by": one.by,
            "roles": sorted(one.roles), "content": _said(one.content)}  # fmt: skip


def _agree(page: Page, logs: Sequence[Sequence[Logged]]) -> list[dict[str, Any]]:
    """The statuses of all logs, which both replays must give alike."""
    found = json.loads(
        page.evaluate(STATUSES, json.dumps([list(map(_entry, log)) for log in logs]))
    )
    for log, (told, unplaced) in zip(logs, found, strict=True):
        assert told == [one.model_dump(mode="json") for one in replay(log).values()]
        assert unplaced == [asdict(one) for one in Replay(log).unplaced]
    return [one for told, _ in found for one in told]


def _object(book: Book, chance: random.Random, names: list[str]) -> None:
    """An objection with votes, and perhaps what follows from it."""
    names.append(book.event("lab", "objection", text="wrong"))
    for by in chance.sample(["lab", "uni", "inst", "both"], chance.randrange(4)):
        decision = chance.choice(["uphold", "waive", "reject"])
        names.append(book.event(by, "vote", refers_to=names[1], decision=decision))
    if chance.random() < 0.3:
        decision, votes = chance.choice(["uphold", "uphold", "reject"]), tuple(names[2:])
        decided = {"decision": decision, "refers_to": names[1], "votes": votes}
        names.append(book.event("chair", "verdict", **decided, text="so it is"))
        names.append(book.event("acme", "appeal", refers_to=names[-1], text="it is not"))


def _random_log(chance: random.Random) -> list[Logged]:
    """What anybody may try to say, of what was said before and of what never was."""
    book = Book()
    names = [book.statement]
    if chance.random() < 0.5:
        _object(book, chance, names)
    for number, bundle in enumerate(BUNDLES[1:] if chance.random() < 0.5 else [], 1):
        names.append(book.say("acme", Submitted("acme", f"{number:032x}", RESULTS), bundle))
    for _ in range(chance.randrange(4, 40)):
        bundle = chance.choice([*BUNDLES, BUNDLES[0], BUNDLES[0]])
        by, kind = chance.choice(WHO), chance.choice(_KINDS)
        names.append(_say(book, chance, (by, bundle, kind), names))
        last = book.entries[-1]
        if chance.random() < 0.05:
            others = [Signer(one, frozenset(ROLES[one])) for one in chance.sample(WHO, 2)]
            by_others = tuple(others[: chance.randrange(3)])
            book.entries[-1] = replace(last, signers=by_others)
        if chance.random() < 0.05:
            book.entries.append(replace(last, index=len(book.entries)))
        if chance.random() < 0.1:
            names.append(book.say(by, last.content, bundle))
    return book.entries


_KINDS = [
    *get_args(Kind),
    *("submit", "check", "countersign", "refused", "elsewhere"),
    *("review-done", "check", "countersign", "objection", "vote", "verdict", "verdict"),
    *("objection", "drop", "drop", "second", "amend", "amend"),
]
"""What is said, some of it more often."""
_OF: dict[str, tuple[str, ...]] = dict.fromkeys(_KINDS, ()) | {
    **dict.fromkeys(("second", "drop", "concede", "response"), ("objection",)),
    **dict.fromkeys(("vote", "verdict"), ("objection", "response", "appeal")),
    **dict.fromkeys(("replicate-grant", "replicate-refuse"), ("replicate-request",)),
    "appeal": ("verdict",),
}
"""To what it refers, more often than not."""


def _say(
    book: Book, chance: random.Random, what: tuple[str, str, str], names: Sequence[str]
) -> str:
    by, bundle, kind = what
    fit = [one.envelope for one in book.entries if getattr(one.content, "type", "") in _OF[kind]]
    name = chance.choice(fit if fit and chance.random() < 0.6 else [*names, names[-1], "f" * 64])
    plain: dict[str, Said] = {
        "submit": Submitted(by, f"{chance.randrange(3):032x}", RESULTS),
        "check": Checked(chance.choice([(), (), ("TRAIN-3",), ("LOG-1", "AUDIT-2")])),
        "countersign": Countersigned(name),
        "refused": Refused("bad signature"),
        "elsewhere": Elsewhere(),
    }
    if kind in plain:
        return book.say(by, plain[kind], bundle)
    fields: dict[str, Any] = {}
    if kind in ("second", "drop", "response", "concede", "replicate-grant", "replicate-refuse"):
        fields["refers_to"] = name
    if kind in ("objection", "response", "replicate-refuse", "appeal", "withdraw", "erratum"):
        fields["text"] = "so"
    if kind in ("vote", "appeal"):
        fields["refers_to"] = name
    if kind == "vote":
        fields["decision"] = chance.choice(["uphold", "reject", "waive", "void"])
    if kind == "review-assigned":
        fields["reviewer"] = chance.choice(WHO)
    if kind == "amend":
        fields["superseded_by"] = chance.choice(BUNDLES)
    if kind == "replicate-result":
        fields |= {"replica": chance.choice(BUNDLES)}
        fields["outcome"] = chance.choice(["equal", "different", "cannot tell"])
    if kind == "verdict":
        decision = chance.choice(["uphold", "reject", "waive", "reclassify", "void", "attest"])
        votes = [
            one.envelope
            for one in book.entries
            if isinstance(one.content, ReviewEvent)
            and (one.content.type, one.content.refers_to) == ("vote", name)
        ]
        fields |= {"decision": decision, "text": "why", "rule": "TRAIN-3", "effect": "none"}
        fields |= {"refers_to": name, "votes": tuple(votes if chance.random() < 0.8 else ())}
    return book.event(by, kind, bundle, **fields)


REASONS = (
    "is the same statement", "is no statement of the submitter", "replayed: its nonce is that of",
    "it speaks for", "nobody signed it", "lab and uni signed it", "alone; ", "self-review: ",
    "has recused itself", "the keyring gives", "which is no event about this bundle",
    "it refers to a ", "only an erratum can be added", "the objection is closed already",
    "cannot second its own objection", "or the chair may drop it", "is frozen; ask",
    "has not submitted bundle", "was not submitted after", "is part of another amendment",
    "has voted on this already", "it does not count all votes", "can only be upheld or rejected",
    "a waiver needs votes", "against the votes", "does not reject this bundle",
    "an erratum is for the submitter", "not accepted: ", "does not replicate itself",
    "bad signature",
)  # fmt: skip
"""Every reason for which an entry about a bundle counts for nothing."""


def test_a_whole_review_is_replayed_alike_after_each_of_its_entries(page: Page) -> None:
    whole = test_review_replay.WHOLE
    told = _agree(page, [whole[:count] for count in range(len(whole) + 1)])
    assert {one["level"] for one in told} == {"L1", "L2", "L3", "L4"}


def test_every_state_is_replayed_alike(page: Page) -> None:
    books = {
        State.SUBMITTED: Book(),
        State.UNDER_REVIEW: Book(),
        State.OBJECTED: Book(),
        State.WITHDRAWN: Book(),
        State.VOID: Book(),
        State.REJECTED: Book(),
        State.AMENDED: Book(),
        State.ACCEPTED: Book().accepted(),
        State.PUBLISHED: Book().accepted(),
        State.UNKNOWN: Book(),
    }
    books[State.UNDER_REVIEW].event("chair", "review-assigned", reviewer="lab")
    books[State.OBJECTED].event("lab", "objection", text="wrong", at=(CITATION,), rule="LOG-1")
    books[State.WITHDRAWN].event("acme", "withdraw", text="sorry")
    books[State.VOID].event("chair", "verdict", decision="void", text="so")
    rejected = books[State.REJECTED]
    objection = rejected.event("lab", "objection", text="wrong")
    rejected.event("chair", "verdict", refers_to=objection, decision="uphold", text="so")
    books[State.AMENDED].say("acme", Submitted("acme", "1" * 32, RESULTS), BUNDLES[1])
    books[State.AMENDED].event("acme", "amend", superseded_by=BUNDLES[1])
    books[State.PUBLISHED].event("chair", "publish")
    books[State.UNKNOWN].say("lab", Missing("not here"))
    assert set(books) == set(State)
    for wanted, book in books.items():
        assert wanted in {one["state"] for one in _agree(page, [book.entries])}


def test_many_random_reviews_are_replayed_alike(page: Page) -> None:
    told = _agree(page, [_random_log(random.Random(seed)) for seed in range(800)])
    reasons = {one["reason"] for status in told for one in status["ignored"]}
    for wanted in REASONS:
        assert any(wanted in reason for reason in reasons), wanted


def test_signed_envelopes_are_opened_and_replayed_alike(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rules.rule.check", test_review_played.check_but_for_the_toy)
    monkeypatch.chdir(tmp_path)
    test_review_played.test_three_organisations_play_a_review_through(Play(tmp_path))
    review = RoundReview.of(tmp_path / ROUND)
    found = page.evaluate(OPENED, log_text(review))
    assert found == [one.model_dump(mode="json") for one in review.statuses.values()]
    assert [one["state"] for one in found] == [State.AMENDED, State.PUBLISHED]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("replayed"))


@pytest.fixture
def held(site: Site) -> Iterator[Path]:
    """The log as the site has it; it is put back after a test."""
    path = site.folder / "verify/logs/practice.js"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def _step(browser: Browser, site: Site) -> tuple[str, str]:
    page = browser.new_page()
    page.goto((site.folder / "verify/index.html").as_uri())
    page.set_input_files("#verify-folder", site.logged.root)
    found = verdict(page)[0], state(page, 11)
    page.close()
    return found


def test_the_log_is_replayed_whole(browser: Browser, site: Site) -> None:
    word, text = _step(browser, site)
    assert word == "verified"
    assert "Replayed here, all 1 entries of the log" in text
    assert "submitted: no checker has given a verdict yet. Level L1." in text


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda log: log["entries"].pop(), "0 entries, and its checkpoint is of 1"),
        (lambda log: log["entries"].append(log["entries"][0]), "2 entries, and its checkpoint"),
        (lambda log: log["entries"][0]["entry"].update(actor="lab"), "are not those that"),
        (lambda log: log["entries"][0].update(envelope=None), "entry 0 is missing"),
        (lambda log: log["entries"][0].update(envelope="e30="), "entry 0 is missing"),
        (lambda log: log.update(checkpoint="x"), "not a checkpoint"),
        (lambda log: log.update(round="2026.1"), "was never handed in"),
        (lambda log: log.update(more=1), "more: not a field of it"),
        (lambda log: log.clear(), "missing"),
    ],
)
def test_a_log_that_is_not_whole_turns_red(
    browser: Browser, site: Site, held: Path, spoil: Any, reason: str
) -> None:
    begin, _, text = held.read_text("ascii").partition(" = ")
    log = json.loads(json.loads(text.removesuffix(";\n")))
    spoil(log)
    held.write_text(f"{begin} = {json.dumps(json.dumps(log))};\n", "ascii")
    word, text = _step(browser, site)
    assert word == "refused"
    assert reason in text


def test_a_site_that_says_otherwise_turns_red(browser: Browser, site: Site) -> None:
    proof = site.folder / f"verify/proofs/{site.logged.id}.js"
    before = proof.read_text("ascii")
    proof.write_text(before.replace('"standing":"submitted: ', '"standing":"accepted: '))
    try:
        word, text = _step(browser, site)
    finally:
        proof.write_text(before)
    assert word == "refused"
    assert "replayed here it says “submitted" in text
    assert "and this site says “accepted" in text
