"""Golden cases that both verifiers judge alike: ``python tests/verify_golden.py`` makes them anew.

A case is a good bundle with some files changed or gone, and what both must say of it.
"""

import base64
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import rfc8785
from ssh_signatures import PLAIN_KEY, TOKEN_KEY, blob, signature
from verify_cases import ORIGIN, Case, Maker, digest_of, make_log, make_world, payload_of
from verify_judged import GOLDEN

from submissions.layout import signature_path, signed_by_ssh
from submissions.public_key import PublicKey
from submissions.sshsig import armour, signed_bytes

Files = dict[str, bytes]
BAD_BUNDLES = {
    2: "removed added added-beside attestation-edited attestation-renamed manifest-removed "
    "manifest-indented manifest-duplicate-key manifest-minus-zero manifest-large-integer "
    "manifest-byte-order-mark manifest-endless-nesting",
    3: "signature-stripped attestation-duplicate-escaped-key attestation-utf-16",
    6: "manifest-edited",
    7: "edited lengthened shortened emptied run-nan result-duplicate-key system-deep-nesting "
    "answers-not-json run-1e999 system-lone-surrogate",
}
"""Those of `bad_bundles` that are among the cases, by the step at which the browser stops."""


def make_cases(maker: Maker) -> dict[str, Case]:
    """All cases."""
    maker.cases["good"] = Case({}, "", level="L2")
    maker.cases["good-in-the-log"] = Case({}, "", log=maker.log, level="L2")
    maker.add("good-signed-only", maker.signed, "", None, level="L1")
    for step, names in BAD_BUNDLES.items():
        for name in names.split():
            maker.spoil(name, step)
    _envelopes(maker)
    _statements(maker)
    _keys(maker)
    _log(maker)
    _ssh(maker)
    return maker.cases


def _envelopes(maker: Maker) -> None:
    payload, envelope = maker.own()

    def changed(name: str, reason: str, **fields: Any) -> None:
        data = rfc8785.dumps({**envelope, **fields})
        maker.add(name, maker.with_envelope(data), reason, 3)

    changed("payload-type", "its payload type is", payloadType="application/json")
    changed("payload-edited", "bad signature", payload=_flipped(envelope["payload"]))
    changed("payload-in-another-base64", "base64", payload=envelope["payload"] + "\n")
    changed("no-signatures", "0 signatures", signatures=[])
    changed("many-signatures", "17 signatures", signatures=envelope["signatures"] * 17)
    changed("unknown-field", "odd", odd=1)
    (one,) = envelope["signatures"]
    changed("signature-edited", "bad signature", signatures=[{**one, "sig": _flipped(one["sig"])}])
    changed("signature-of-zeros", "bad signature", signatures=[{**one, "sig": "A" * 86 + "=="}])
    signed = maker.enveloped(payload, "other")
    maker.add("signed-by-another", signed, "but the submitter is acme", 6)
    maker.add("signed-by-the-reviewer", maker.enveloped(payload, "lab"), "but the submitter is", 6)


def _flipped(text: str) -> str:
    data = base64.b64decode(text)
    return base64.b64encode(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]).decode()


def _statements(maker: Maker) -> None:
    def resigned(name: str, reason: str, step: int, /, *path: Any, value: Any) -> None:
        def change(statement: dict[str, Any]) -> None:
            place: Any = statement
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value

        maker.add(name, maker.resign(change), reason, step)

    resigned("other-type", "its _type is", 5, "_type", value="https://in-toto.io/Statement/v2")
    resigned("other-predicate", "its predicateType", 5, "predicateType", value="urn:other/v1")
    resigned("more-than-a-claim", "odd", 5, "predicate", "odd", value=1)
    digest = {"sha256": "0" * 64}
    resigned("other-subject", "its subject is", 6, "subject", 0, "digest", value=digest)
    resigned("other-round", "its round is not", 6, "predicate", "round", value="2026.1")
    resigned("other-nonce", "its nonce is not", 6, "predicate", "nonce", value="0" * 32)
    resigned("other-submitter", "its submitter is not", 6, "predicate", "submitter", value="lab")
    resigned("other-system", "its system is not", 6, "predicate", "system", value="0" * 64)
    claims = ("predicate", "results", 0)
    resigned("other-claim", "its results is not", 6, *claims, "value", value="1.0")
    resigned("other-division", "its results is not", 6, *claims, "division", value="open")
    payload, _ = maker.own()
    indented = maker.enveloped(payload.replace(b",", b", ", 1))
    maker.add("payload-not-canonical", indented, "canonical", 5)
    maker.add("payload-no-json", maker.enveloped(b"hello"), "not JSON", 4)
    _countersignatures(maker)


def _countersignatures(maker: Maker) -> None:
    labs = [path for path in maker.good if path not in maker.signed]
    (path,) = (one for one in labs if "countersignature" in str(payload_of(maker.good[one])))
    statement = rfc8785.dumps(payload_of(maker.good[path]))
    own = {name: data for name, data in maker.good.items() if name != path}

    def add(name: str, payload: bytes, by: str, reason: str) -> None:
        envelope = next(
            data
            for name, data in maker.enveloped(payload, by).items()
            if name.startswith("attestations/")
        )
        place = f"attestations/{digest_of(envelope)[:16]}.dsse.json"
        maker.add(name, {**own, place: envelope}, reason, 6)

    add("self-review", statement, "acme", "a self-review")
    add("review-without-the-role", statement, "other", "not review")
    other = payload_of(maker.good[path])
    other["predicate"]["statement"] = "0" * 64
    add("countersigned-something-else", rfc8785.dumps(other), "lab", "that is not here")
    maker.add("countersigned-unsigned", _without_claims(maker), "not here|unsigned", 6)


def _without_claims(maker: Maker) -> Files:
    return {
        path: data
        for path, data in maker.good.items()
        if path not in maker.signed or not path.startswith("attestations/")
    }


def _keys(maker: Maker) -> None:
    def add(name: str, reason: str, step: int | None, change: Any, **more: Any) -> None:
        keyring = maker.keys(lambda keys: change({key["organisation"]: key for key in keys}, keys))
        maker.cases[name] = Case({}, reason, step, keyring, **more)

    add("unknown-key", "bad signature|unknown key", 3, lambda of, keys: keys.remove(of["acme"]))
    add("role-missing", "not submit", 6, lambda of, _: of["acme"].update(roles=["review"]))
    closed = {"status": "revoked", "to_index": 1, "reason": "lost"}
    add("key-revoked", "was revoked", 10, lambda of, _: of["lab"].update(closed))
    add("key-revoked-later", "", None, lambda of, _: of["acme"].update(closed),
        log=maker.log, level="L2")  # fmt: skip
    add("key-revoked-before", "entry [12] of the log", 10, lambda of, _: of["lab"].update(closed),
        log=maker.log)  # fmt: skip
    add("key-not-yet", "entry 0 of the log", 10, lambda of, _: of["acme"].update(from_index=1),
        log=maker.log)  # fmt: skip
    add("key-held-twice", "another entry holds", None, lambda of, keys: keys.append(of["acme"]))
    small = (
        "ssh-ed25519 "
        + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"\0\0\0\x20" + b"\x01" + bytes(31)).decode()
    )
    add("key-of-small-order", "small order", None,
        lambda of, _: of["acme"].update(public_key=small))  # fmt: skip
    add("key-id-of-another", "not the key's SHA-256", None,
        lambda of, _: of["acme"].update(key_id=of["lab"]["key_id"]))  # fmt: skip
    add("key-active-and-closed", "with to_index", None,
        lambda of, _: of["acme"].update(to_index=3))  # fmt: skip


def _log(maker: Maker) -> None:
    def add(name: str, reason: str, log: dict[str, Any], step: int = 9) -> None:
        maker.cases[name] = Case({}, reason, step, log=log)

    def altered(number: int, **fields: Any) -> dict[str, Any]:
        receipts = list(maker.log["receipts"])
        receipts[number] = json.dumps({**json.loads(receipts[number]), **fields})
        return {"origin": ORIGIN, "receipts": receipts}

    first = json.loads(maker.log["receipts"][0])
    wrong = ["0" * 64, *first["proof"][1:]]
    add("proof-edited", "no such entry", altered(0, proof=wrong))
    add("proof-cut", "no such entry", altered(0, proof=first["proof"][1:]))
    add("index-edited", "no such entry", altered(0, index=1))
    entry = {**first["entry"], "envelope": "0" * 64}
    add("entry-edited", "no such entry", altered(0, entry=entry))
    note = first["checkpoint"].replace("\n3\n", "\n4\n")
    add("checkpoint-edited", "bad signature", altered(0, checkpoint=note))
    add("checkpoint-by-another", "signed by no key", make_log(maker.world, signer="acme"))
    add("log-of-another-name", "not of other.example", {**maker.log, "origin": "other.example"})
    short = {"origin": ORIGIN, "receipts": maker.log["receipts"][:2]}
    add("statement-not-logged", "not in the round's log", short)
    other = make_log(maker.world, subject="a" * 20)
    add("logged-for-another", "for another bundle", other)


def _ssh(maker: Maker) -> None:
    payload, _ = maker.own()
    bare = {p: d for p, d in maker.signed.items() if not p.startswith("attestations/")}

    def entry(key: PublicKey) -> dict[str, Any]:
        fields = {"organisation": "acme", "key_id": key.key_id, "public_key": key.line}
        return {**fields, "roles": ["submit"]}

    def add(name: str, key: PublicKey, reason: str, step: int | None, **changes: bytes) -> None:
        signature = armour(blob(payload, key, **changes))
        place = signature_path(payload, signature)
        files = {**bare, place: signature, signed_by_ssh(place): payload}
        keyring = maker.keys(lambda keys: keys.append(entry(key)))
        maker.add(name, files, reason, step, keyring=keyring, level="L0" if reason else "L1")

    add("good-by-ssh", PLAIN_KEY, "", None)
    add("good-by-ssh-sha256", PLAIN_KEY, "", None, hash_name=b"sha256")
    add("good-by-a-token", TOKEN_KEY, "", None)
    add("ssh-of-another-statement", PLAIN_KEY, "bad signature", 3, signature=signature(b"other"))
    add("ssh-namespace", PLAIN_KEY, "namespace", 3, namespace=b"git")
    add("ssh-hash", PLAIN_KEY, "neither sha256 nor sha512", 3, hash_name=b"md5")
    add("ssh-version", PLAIN_KEY, "version 1", 3, version=(2).to_bytes(4, "big"))
    add("ssh-longer", PLAIN_KEY, "too many", 3, rest=b"more")
    absent = signature(signed_bytes(payload, "sha512"), TOKEN_KEY, flags=0)
    add("token-without-its-owner", TOKEN_KEY, "owner was not present", 3, signature=absent)
    own = armour(blob(payload))
    alone = {**bare, signature_path(payload, own): own}
    maker.add("ssh-without-its-statement", alone, "is not there", 3)
    alone = {**bare, signed_by_ssh(signature_path(payload, own)): payload}
    maker.add("statement-without-signature", alone, "nobody signed it", 3)


def main() -> None:
    """Write the golden files."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    GOLDEN.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as aside:
        maker = Maker(make_world(Path(aside)))
        keyring = json.loads(maker.world.keyring.to_json())
        good = {"files": _encoded(maker.good), "keyring": json.dumps(keyring)}
        _write("good", good)
        for name, case in make_cases(maker).items():
            if name != "good":
                _write(name, {**vars(case), "change": _encoded(case.change)})


def _encoded(files: Any) -> dict[str, str | None]:
    return {
        path: None if data is None else base64.b64encode(data).decode()
        for path, data in files.items()
    }


def _write(name: str, content: dict[str, Any]) -> None:
    (GOLDEN / f"{name}.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
