"""A round's folder with a real log of said things whose envelopes are empty words, for pages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from portal_example import HOSTILE
from review_logs import Book

from portal.listing import Published
from portal.round_review import RoundReview
from submissions.keys import Keyring, add_to_keyring, generate, load_private
from submissions.log_entry import LogEntry
from submissions.review.case import Checked, Countersigned, Logged, Signer, Submitted
from submissions.review.event import Citation
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog

ROLES = {
    "acme": ("submit",),
    "initech": ("submit",),
    "lab": ("review", "replicate"),
    "uni": ("review",),
    "inst": ("review",),
    "chair": ("root",),
    "keeper": ("log",),
}
REPLICA, UNKNOWN_BUNDLE = "r" * 20, "u" * 20


def round_review(folder: Path, book: Book, name: str = "2026.1") -> RoundReview:
    """The review of a round whose log says what ``book`` says."""
    for organisation, roles in ROLES.items():
        key = generate(folder / "keys" / organisation, organisation)
        add_to_keyring(folder / "round/keyring.json", organisation, key, roles)  # type: ignore[arg-type]
    info = RoundInfo(round=name, nonce="0" * 32, origin=f"example.org/{name}")
    held = RoundFolder.create(folder / "round", info)
    entries, logged = [], []
    keyring = Keyring.read(held.keyring)
    for entry in book.entries:
        held.write_envelope(b"%d" % entry.index)
        entries.append(_pointer(entry))
        logged.append(replace(entry, signers=_known(keyring, entry)))
    log = RoundLog.open(held)
    log.append(entries, load_private(folder / "keys/keeper"))
    return RoundReview(held, info, keyring, log.note, log.verify(), tuple(logged))


def _pointer(entry: Logged) -> LogEntry:
    kind = type(entry.content).__name__.lower()
    return LogEntry(
        envelope=entry.envelope,
        subject=entry.bundle,
        predicate_type=f"urn:example:{kind}",
        actor=entry.by,
        kind="statement",
    )


def _known(keyring: Keyring, entry: Logged) -> tuple[Signer, ...]:
    return tuple(
        Signer(key.organisation, frozenset(key.roles), key.key_id)
        for key in keyring.keys
        if key.organisation == entry.by
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
