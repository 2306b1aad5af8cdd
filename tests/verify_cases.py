"""A bundle that was signed, checked, countersigned and logged, and ways to make it a bad one."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import rfc8785
from bad_bundles import BAD, files_of
from toy import MS, ToyLibrary, ToyModel, toy_subject
from valid import SYSTEM

from harness.clock import SimulatedClock
from harness.inference import Target, Task, infer
from harness.records import InferenceSettings, Mode, Scenario
from rules.rule import Report
from submissions.attestation import countersign, sign, sign_verdict
from submissions.bundle import Bundle
from submissions.checkpoint import Checkpoint, sign_checkpoint
from submissions.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from submissions.keys import Keyring, KeyRole, add_to_keyring, generate, load_private
from submissions.log_entry import LogEntry
from submissions.merkle import inclusion_ranges, leaf_hash, root_of
from submissions.pack import pack
from submissions.receipt import Receipt

ORIGIN = "levelfield.example/golden"
ROLES: dict[str, tuple[KeyRole, ...]] = {
    "acme": ("submit",),
    "lab": ("review",),
    "keeper": ("log",),
    "other": ("submit",),
}
SETTINGS = InferenceSettings(min_duration_ns=20 * MS, min_query_count=5)
Files = dict[str, bytes]


@dataclass(frozen=True)
class World:
    """A reviewed bundle in a folder, and the keys of those who act in it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "bundle"

    @property
    def keyring(self) -> Keyring:
        return Keyring.read(self.folder / "keyring.json")

    def key(self, organisation: str) -> Any:
        return load_private(self.folder / "keys" / organisation)

    def envelopes(self) -> list[str]:
        """Digests of the submitter's statement, the verdict and the countersignature, in order."""
        order = ("benchmark-result", "test-result", "countersignature")
        found = {
            kind: path for path in self._attestations() for kind in order if kind in said(path)
        }
        return [digest_of(found[kind].read_bytes()) for kind in order]

    def _attestations(self) -> list[Path]:
        return sorted((self.root / "attestations").iterdir())


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def said(path: Path) -> str:
    """The predicate type of an envelope."""
    return str(payload_of(path.read_bytes())["predicateType"])


def payload_of(envelope: bytes) -> dict[str, Any]:
    """The statement in an envelope."""
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    assert isinstance(statement, dict)
    return statement


def make_world(folder: Path, workload: str = "toy") -> World:
    """A bundle of offline inference that acme signed, and the lab checked and countersigned."""
    world = World(folder)
    subject = replace(toy_subject(), system=SYSTEM, workload=workload)
    for number, mode in enumerate((Mode.PERFORMANCE, Mode.ACCURACY), 1):
        clock = SimulatedClock(1_790_000_000_000 + 3_600_000 * number)
        target = Target("toy:Toy", ToyModel(clock), ToyLibrary(), lambda _: 1.0)
        seeds = {"library": 2, "order": 3, "schedule": 4}
        task = Task(Scenario.OFFLINE, mode, SETTINGS, seeds)
        infer(target, task, folder / "runs" / f"run_{number}", subject, clock)
    bundle = pack([folder / "runs"], "acme", "practice", world.root)
    for organisation, roles in ROLES.items():
        public = generate(folder / "keys" / organisation, organisation)
        add_to_keyring(folder / "keyring.json", organisation, public, roles)
    sign(bundle, world.key("acme"))
    report = Report(round="practice", findings=(), passed=("SYS-1",), not_applicable=())
    bundle = Bundle.open(world.root)
    sign_verdict(bundle, report, world.key("lab"))
    countersign(Bundle.open(world.root), report, world.keyring, world.key("lab"))
    return world


def make_log(world: World, *, signer: str = "keeper", subject: str | None = None) -> dict[str, Any]:
    """The log of the world's statements, with a receipt for each."""
    bundle = Bundle.open(world.root)
    kinds = [said(path) for path in sorted((world.root / "attestations").iterdir())]
    by_digest = {
        digest_of(path.read_bytes()): kind
        for path, kind in zip(sorted((world.root / "attestations").iterdir()), kinds, strict=True)
    }
    entries = [
        LogEntry(
            envelope=digest,
            subject=subject or bundle.id,
            predicate_type=by_digest[digest],
            actor="acme" if "benchmark" in by_digest[digest] else "lab",
            kind="statement",
        )
        for digest in world.envelopes()
    ]
    hashes = [leaf_hash(entry.to_bytes()) for entry in entries]
    checkpoint = Checkpoint(ORIGIN, len(entries), root_of(hashes))
    note = sign_checkpoint(checkpoint, world.key(signer)).to_bytes().decode()
    receipts = [
        Receipt(
            index=index,
            entry=entry,
            proof=tuple(
                root_of(hashes[start:end]).hex()
                for start, end in inclusion_ranges(index, len(entries))
            ),
            checkpoint=note,
        ).to_json()
        for index, entry in enumerate(entries)
    ]
    return {"origin": ORIGIN, "receipts": receipts}


@dataclass(frozen=True)
class Case:
    """What is changed of the good bundle, and what both verifiers must say of it."""

    change: dict[str, bytes | None]
    reason: str
    """A regular expression; empty where nothing is wrong."""
    step: int | None = None
    """At which step the browser stops."""
    keyring: str | None = None
    log: dict[str, Any] | None = None
    level: str = "L0"


class Maker:
    """Makes the cases: each begins with a fresh copy of the good bundle."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.good = files_of(world.root)
        self.signed = {path: d for path, d in self.good.items() if not self._is_labs(path, d)}
        self.log = make_log(world)
        self.cases: dict[str, Case] = {}

    def _is_labs(self, path: str, data: bytes) -> bool:
        return path.startswith("attestations/") and "benchmark" not in str(payload_of(data))

    def add(self, name: str, files: Files, reason: str, step: int | None, **more: Any) -> None:
        """A case in which the bundle consists of ``files``."""
        gone: dict[str, bytes | None] = {path: None for path in self.good if path not in files}
        changed = {path: data for path, data in files.items() if self.good.get(path) != data}
        self.cases[name] = Case({**gone, **changed}, reason, step, **more)

    def spoil(self, name: str, step: int) -> None:
        """One of the bad bundles of `bad_bundles`, with the submitter's statement alone."""
        with tempfile.TemporaryDirectory() as aside:
            root = write(Path(aside) / "bundle", self.signed)
            BAD[name].spoil(root)
            self.add(name, files_of(root), BAD[name].reason, step)

    def resign(self, change: Callable[[dict[str, Any]], None], *, by: str = "acme") -> Files:
        """The bundle with the submitter's statement changed and signed anew."""
        (path,) = (one for one in self.signed if one.startswith("attestations/"))
        statement = payload_of(self.signed[path])
        change(statement)
        return self.enveloped(rfc8785.dumps(statement), by)

    def enveloped(self, payload: bytes, by: str = "acme", **fields: Any) -> Files:
        """The bundle with an envelope around ``payload`` in place of its own."""
        key = self.world.key(by)
        signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
        envelope = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
            **fields,
        }
        return self.with_envelope(rfc8785.dumps(envelope))

    def with_envelope(self, envelope: bytes) -> Files:
        """The bundle with this envelope in place of its own."""
        kept = {p: d for p, d in self.signed.items() if not p.startswith("attestations/")}
        return {**kept, f"attestations/{digest_of(envelope)[:16]}.dsse.json": envelope}

    def own(self) -> tuple[bytes, dict[str, Any]]:
        """The submitter's payload, and its envelope."""
        (path,) = (one for one in self.signed if one.startswith("attestations/"))
        envelope = json.loads(self.signed[path])
        return base64.b64decode(envelope["payload"]), envelope

    def keys(self, change: Callable[[list[dict[str, Any]]], None]) -> str:
        """The keyring changed, as text."""
        keyring = json.loads(self.world.keyring.to_json())
        change(keyring["keys"])
        return json.dumps(keyring)


def write(root: Path, files: Files) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root
