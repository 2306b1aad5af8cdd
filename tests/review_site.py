"""A round's folder with a real log of said things whose envelopes are empty words, for pages."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from portal_example import HOSTILE
from review_logs import Book

from portal.listing import Published
from portal.round_review import RoundReview
from submissions.keys import KeyEntry, Keyring, KeyRole, PublicKey
from submissions.log_entry import LogEntry
from submissions.review.case import Checked, Countersigned, Logged, Submitted
from submissions.review.event import Citation
from submissions.review.reading import signers
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog

ROLES: dict[str, tuple[KeyRole, ...]] = {
    "acme": ("submit",),
    "initech": ("submit",),
    "lab": ("review", "replicate"),
    "uni": ("review",),
    "inst": ("review",),
    "chair": ("root",),
    "keeper": ("log",),
}
REPLICA, UNKNOWN_BUNDLE = "r" * 20, "u" * 20


@cache
def keys() -> dict[str, Ed25519PrivateKey]:
    """A key of each organisation."""
    return {name: Ed25519PrivateKey.generate() for name in ROLES}


def keyring() -> Keyring:
    """Whose keys these are."""
    entries = []
    for name, roles in ROLES.items():
        key = PublicKey.of(keys()[name])
        entries.append(
            KeyEntry(organisation=name, key_id=key.key_id, public_key=key.line, roles=roles)
        )
    return Keyring(keys=tuple(entries))


def round_said(book: Book, folder: Path = Path("nowhere"), name: str = "2026.1") -> RoundReview:
    """The review of a round whose log says what ``book`` says; without a folder."""
    known = {entry.organisation: entry for entry in keyring().keys}
    logged = tuple(
        replace(entry, signers=signers([known[entry.by]] if entry.by in known else []))
        for entry in book.entries
    )
    info = RoundInfo(round=name, nonce="0" * 32, origin=f"example.org/{name}")
    pointers = tuple(map(_pointer, book.entries))
    return RoundReview(RoundFolder(folder), info, keyring(), None, pointers, logged)


def round_review(folder: Path, book: Book, name: str = "2026.1") -> RoundReview:
    """The same with a real log in ``folder``."""
    said = round_said(book, folder, name)
    said.folder.create(folder, said.info)
    said.folder.keyring.write_text(keyring().to_json())
    said.folder.events.mkdir()
    for entry in book.entries:
        said.folder.envelope_path(entry.envelope).write_bytes(b"%d" % entry.index)
    log = RoundLog.open(said.folder)
    log.append(said.entries or (), keys()["keeper"])
    return replace(said, note=log.note, entries=log.verify())


def _pointer(entry: Logged) -> LogEntry:
    kind = type(entry.content).__name__.lower()
    return LogEntry(
        envelope=entry.envelope,
        subject=entry.bundle,
        predicate_type=f"urn:example:{kind}",
        actor=entry.by,
        kind="statement",
    )


def busy_book(bundles: Sequence[Published]) -> Book:
    """A round with four bundles of ``bundles`` in as many states, with hostile words."""
    objected, published, waived, fresh = (one.bundle for one in bundles[:4])
    log = objected.submission.entries[0].runs[0].file("events.log")
    book = Book()
    book.entries.clear()
    for number, bundle in enumerate((objected, published, waived, fresh)):
        results = tuple(entry.path for entry in bundle.submission.entries)
        by = bundle.submission.submitter
        book.say(by, Submitted(by, f"{number:032x}", results), bundle.id)
    statement = book.entries[1].envelope
    book.event("chair", "review-assigned", objected.id, reviewer="uni")
    cited = Citation(file=log, sha256="0" * 64, first=5, last=6, lines_sha256="1" * 64)
    elsewhere = cited.model_copy(update={"file": "system.json"})
    objection = book.event(
        "lab", "objection", objected.id, rule="TRAIN-3", at=(cited, elsewhere),
        text=f"The run stopped early: {HOSTILE}\n\u0645\u0631\u062d\u0628\u0627\n" + "long" * 80,
    )  # fmt: skip
    book.event("uni", "second", objected.id, refers_to=objection)
    book.event("acme", "response", objected.id, refers_to=objection, text="It did not.")
    book.event("acme", "review-done", objected.id)
    book.event("lab", "review-done", UNKNOWN_BUNDLE)
    for content in (Checked(()), Countersigned(statement)):
        book.say("lab", content, published.id)
    book.event("uni", "replicate-request", published.id)
    book.event("lab", "replicate-result", published.id, replica=REPLICA, outcome="equal")
    book.event("lab", "review-done", published.id, text="read every run")
    book.event("uni", "review-done", published.id)
    book.event("chair", "publish", published.id)
    book.event("initech", "erratum", published.id, text=f"512 GB, {HOSTILE}")
    book.say("uni", Checked(("TRAIN-3",)), waived.id)
    mild = book.event("lab", "objection", waived.id, rule="TRAIN-3", text="late")
    vote = book.event("uni", "vote", waived.id, refers_to=mild, decision="waive")
    book.event(
        "chair", "verdict", waived.id, refers_to=mild, decision="waive", rule="TRAIN-3",
        effect=HOSTILE, votes=(vote,), text="small",
    )  # fmt: skip
    return book
