"""Envelopes of every kind, whole and spoilt: both replays take the same, and leave the same."""

import base64
import copy
import hashlib
import json
import random
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from chromium import needs_chromium
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page
from review_logs import CITATION
from test_portal_replay import _entry

from portal.content import Content
from portal.proof import keyring_of
from portal.verify_page import write_verify
from submissions.countersignature import COUNTERSIGNATURE
from submissions.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from submissions.keys import KeyEntry, Keyring, PublicKey
from submissions.log_entry import LogEntry
from submissions.manifest import Manifest, describe
from submissions.review.case import Refused
from submissions.review.citation import mismatch
from submissions.review.event import NOT_PLAIN, REVIEW_EVENT, ReviewEvent
from submissions.review.reading import RoundReader
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.statement import BENCHMARK_RESULT, STATEMENT_TYPE, Subject
from submissions.verdict import TEST_RESULT

pytestmark = needs_chromium
HOW_MANY = 1500
SUBJECT = Subject.of("5" * 64)
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    for number, name in enumerate(("acme", "lab", "chair", "stranger"), 1)
}
LIVES: dict[str, dict[str, Any]] = {
    "acme": {"roles": ("submit", "review")},
    "lab": {"roles": ("review",), "from_index": 2, "to_index": 6, "status": "revoked"},
    "chair": {"roles": ("root", "log")},
}
RING = Keyring(
    keys=tuple(
        KeyEntry(
            organisation=name,
            key_id=PublicKey.of(KEYS[name]).key_id,
            public_key=PublicKey.of(KEYS[name]).line,
            **life,
        )
        for name, life in LIVES.items()
    )
)
CLAIM = {
    "workload": "toy", "workload_sha256": ["1" * 64], "scenario": "offline",
    "division": "closed", "metric": "samples_per_second", "value": "1.5",
}  # fmt: skip
SAID: list[tuple[str, dict[str, Any]]] = [
    (BENCHMARK_RESULT, {
        "round": "practice", "nonce": "0" * 32, "submitter": "acme", "category": "available",
        "rules": {"code": "1" * 64, "round": "2" * 64},
        "harness": {"version": "1", "commit": None, "clean": True},
        "system": "3" * 64, "results": [CLAIM], "supersedes": None,
    }),
    (TEST_RESULT, {
        "result": "WARNED", "passedTests": ["SYS-1"], "warnedTests": ["LOG-2"], "failedTests": [],
        "configuration": [{"name": "levelfield/round/practice", "digest": {"sha256": "1" * 64}}],
        "url": "https://a.example/log",
    }),
    (COUNTERSIGNATURE, {
        "round": "practice", "nonce": "0" * 32, "submitter": "acme", "statement": "4" * 64,
        "verdict": "reviewed", "findings": {"passed": 3, "errors": 0, "warnings": 2**31},
    }),
    *((REVIEW_EVENT, ReviewEvent(by="lab", target=SUBJECT.name, **fields).model_dump(mode="json"))
      for fields in (
        {"type": "objection", "text": "no\n\tü", "rule": "LOG-1", "at": (CITATION,) * 2},
        {"type": "vote", "refers_to": "6" * 64, "decision": "waive"},
        {"type": "verdict", "text": "so", "decision": "waive", "refers_to": "6" * 64,
         "rule": "TRAIN-3", "effect": "x" * 500, "votes": ("7" * 64,)},
        {"type": "replicate-result", "replica": "a" * 20, "outcome": "cannot tell"},
        {"type": "amend", "superseded_by": "b" * 20},
        {"type": "review-assigned", "reviewer": "uni"},
        {"type": "publish"},
    )),
]  # fmt: skip
"""Predicates that hold, one of each shape."""
VALUES = [
    None, True, False, 0, 1, -1, 1.5, 2**31, 2**31 + 1, "", "x", "acme", "a" * 20, "A-1", "f" * 64,
    "F" * 64, "waive", "verdict", "results/toy/train", "results/toy/Train", [], ["f" * 64], {},
    "x" * 501, "\U0001f600" * 500, "\U0001f600" * 501, "é" * 8192, "é" * 8193, "a\u200bb", "\ue000",
    "\x7f", "\u202e", "a\r\n", "https://x", "practice", "other", "<b>", "__proto__", "toString",
    "a\n", "\n", "-", "a" * 64, "a" * 65, [None], {"sha256": "1" * 64}, ["x"] * 257,
]  # fmt: skip
KINDS = ["toString", "constructor", "None", "x/y", "urn:levelfield:predicate/keyring/v1"]
OPENED = """async ([cases, keyring]) => {
  const lv = levelfield, keys = await lv.keys.readKeyring(lv.bytes.ofText(keyring), "keyring");
  const round = { name: "practice", keys, doubted: {}, unseen: [], bundle: { digest: "" } };
  const found = [];
  for (const [entry, index, data] of JSON.parse(cases)) {
    const one = await lv.review.opened(entry, index, lv.bytes.ofBase64(data, "envelope"), round);
    const told = lv.review.logged(entry, index, one);
    delete told.content.bundle;
    delete told.content.digest;
    found.push(told);
  }
  return JSON.stringify(found);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    site = tmp_path_factory.mktemp("opened")
    write_verify(site, Content(()))
    page = browser.new_page()
    page.goto((site / "verify.html").as_uri())
    yield page
    page.close()


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to everything that a statement holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in inner:
        yield (*path, key)
        if isinstance(held, dict | list):
            yield from _places(held, (*path, key))


def _spoilt(statement: Any, chance: random.Random) -> Any:
    """A copy with one thing changed, left out or put in."""
    whole = copy.deepcopy(statement)
    *way, last = chance.choice(list(_places(whole)))
    held = whole
    for key in way:
        held = held[key]
    what = chance.randrange(8)
    if what == 0:
        del held[last]
    elif what == 1 and isinstance(held, dict):
        held[chance.choice(["more", "__proto__", "schema"])] = 1
    elif what == 2 and isinstance(held[last], list):
        held[last] = held[last] * chance.choice([2, 65, 300])
    else:
        held[last] = chance.choice(VALUES)
    return whole


def _signature(payload: bytes, by: str, chance: random.Random) -> dict[str, str]:
    key = KEYS[by]
    raw = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    if chance.random() < 0.04:
        raw = raw[:-1] + bytes([raw[-1] ^ 1])
    hint = chance.choice([PublicKey.of(key).key_id] * 3 + ["", PublicKey.of(KEYS["acme"]).key_id])
    return {"keyid": hint, "sig": base64.b64encode(raw).decode()}


def _envelope(payload: bytes, chance: random.Random) -> bytes:
    by = [chance.choice(["acme", "lab", "chair", "acme", "acme", "stranger"])]
    if chance.random() < 0.1:
        by *= chance.choice([0, 2, 16, 17])
    envelope: Any = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [_signature(payload, name, chance) for name in by],
    }
    if chance.random() < 0.1 and by:
        envelope = _spoilt(envelope, chance)
    return rfc8785.dumps(envelope)


def _case(chance: random.Random) -> tuple[LogEntry, int, bytes]:
    kind, predicate = chance.choice([*SAID, *SAID[:3] * 2])
    statement: Any = {
        "_type": STATEMENT_TYPE,
        "subject": [SUBJECT.model_dump(mode="json")],
        "predicateType": kind,
        "predicate": predicate,
    }
    told, subject = kind, SUBJECT.name
    if chance.random() < 0.6:
        statement = _spoilt(statement, chance)
    if chance.random() < 0.05:
        told = statement["predicateType"] = chance.choice(KINDS)
    if chance.random() < 0.03:
        told = "None"
        statement["predicateType"] = None
    if chance.random() < 0.05:
        told, subject = chance.choice([(chance.choice(KINDS), subject), (kind, "c" * 20)])
    payload = rfc8785.dumps(statement)
    if chance.random() < 0.06:
        payload = chance.choice(
            [b"[]", b"null", b"1", b"{", payload + b"\n", payload.replace(b",", b", ", 1), b""]
        )
    data = _envelope(payload, chance)
    digest = hashlib.sha256(data).hexdigest()
    entry = LogEntry(
        envelope=digest, subject=subject, predicate_type=told, actor="lab", kind="statement"
    )
    return entry, chance.randrange(8), data


def test_the_same_characters_are_plain(page: Page) -> None:
    odd = json.loads(
        page.evaluate(
            """() => JSON.stringify(Array.from({ length: 0x110000 }, (_, n) => n)
              .filter(n => levelfield.records.unplain(String.fromCodePoint(n))))"""
        )
    )
    assert odd == [number for number in range(0x110000) if NOT_PLAIN.search(chr(number))]
    refused = {number for number in range(0x110000) if unicodedata.category(chr(number))[0] == "C"}
    assert set(odd) <= refused - {9, 10}


def test_envelopes_are_opened_alike(page: Page, tmp_path: Path) -> None:
    info = RoundInfo(round="practice", nonce="0" * 32, origin="a.example/p")
    reader = RoundReader(RoundFolder(tmp_path), info, RING)
    cases = [_case(random.Random(seed)) for seed in range(HOW_MANY)]
    asked = [
        [json.loads(entry.to_bytes()), index, base64.b64encode(data).decode()]
        for entry, index, data in cases
    ]
    found = json.loads(page.evaluate(OPENED, [json.dumps(asked), keyring_of(RING.keys)]))
    kinds: Counter[str] = Counter()
    for (entry, index, data), told in zip(cases, found, strict=True):
        here = reader.opened(index, entry, data)
        wanted = _entry(here)
        for one in (wanted, told):
            # Each says in its own words why it refuses.
            reason = one["content"].pop("reason", "")
        kinds[wanted["content"]["kind"]] += 1
        assert told == wanted, (data, here.content if isinstance(here.content, Refused) else reason)
    assert len(kinds) == 7, kinds
    assert min(kinds.values()) > 20, kinds


def test_lines_are_cited_alike_and_not_without_end(page: Page) -> None:
    run = "results/toy/train/run_{}/events.log"
    texts = (b"one\ntwo\nthree", b"\n\n", b"", b"x\n")
    files = {run.format(number): text for number, text in enumerate(texts, 1)}
    held = Manifest(
        round="practice",
        nonce="0" * 32,
        submitter="acme",
        files=tuple(describe(path, data) for path, data in files.items()),
    )
    cited = [
        CITATION.model_copy(
            update={
                "file": file,
                "sha256": hashlib.sha256(files.get(file, b"")).hexdigest(),
                "first": first,
                "last": last,
                "lines_sha256": hashlib.sha256(lines).hexdigest(),
            }
        )
        for file in (*files, "none")
        for first in range(1, 5)
        for last in range(1, 5)
        for lines in (b"one\n", b"one\ntwo\n", b"three", b"two\nthree", b"\n", b"\n\n", b"x\n", b"")
    ]
    found = page.evaluate(
        """async ([cited, files, most]) => {
          const lv = levelfield, data = new Map(Object.entries(files).map(([path, text]) =>
            [path, lv.bytes.ofText(text)]));
          const held = new Map();
          for (const [path, bytes] of data) {
            held.set(path, {path, size: bytes.length, sha256: await lv.bytes.sha256(bytes)});
          }
          const source = { read: async path => data.get(path) };
          const reader = lv.cite.reader(source), odd = lv.cite.reader(source);
          odd.spend(most);
          return [
            await Promise.all(JSON.parse(cited).map(one => lv.cite.mismatch(one, held, reader))),
            await lv.cite.mismatch(JSON.parse(cited)[0], held, odd),
          ];
        }""",
        [
            json.dumps([one.model_dump(mode="json") for one in cited]),
            {path: data.decode() for path, data in files.items()},
            2**31,
        ],
    )
    assert found == [[mismatch(one, held, files.__getitem__) or "" for one in cited], None]
    assert len({one.split(":")[0] for one in found[0]}) > 4
