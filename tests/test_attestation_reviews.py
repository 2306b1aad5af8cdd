"""Verdicts, countersignatures and SSH signatures beside the submitter's statement."""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import write_signed_bundle
from ssh_signatures import KEY, PLAIN_KEY, TOKEN_KEY, blob

from harness.errors import LevelfieldError
from rules.rule import Finding, Report
from submissions.attestation import appraise, countersign, sign, sign_by_ssh, sign_verdict, verify
from submissions.bundle import Bundle
from submissions.countersignature import COUNTERSIGNATURE, Countersignature, summary_of
from submissions.envelope import VerificationError
from submissions.keys import (
    Keyring,
    KeyRole,
    PublicKey,
    add_to_keyring,
    generate,
    load_private,
)
from submissions.log_entry import LogEntry
from submissions.manifest import canonical
from submissions.sshsig import armour
from submissions.statement import BENCHMARK_RESULT, Subject, seal_statement, state, subject_of
from submissions.verdict import TEST_RESULT, verdict_of
from submissions.vouchers import write_envelope, write_ssh_signature

GOOD = Report(round="practice", findings=(), passed=("LOG-1",), not_applicable=())
BAD = GOOD.model_copy(
    update={
        "findings": (
            Finding(
                rule="LOG-1", severity="error", file="run.json", line=None, expected=None,
                found=None, message="odd",
            ),
        )
    }
)  # fmt: skip
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed bundle of acme; keys ``lab`` and ``other`` may review."""
    folder = tmp_path_factory.mktemp("good")
    root = write_signed_bundle(folder)
    roles: dict[str, KeyRole] = {"lab": "review", "other": "review", "witless": "submit"}
    for name, role in roles.items():
        add_to_keyring(folder / "keyring.json", name, generate(folder / name, name), (role,))
    return root


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    for name in ("key", "key.pub", "lab", "other", "witless", "keyring.json"):
        shutil.copy(good.parent / name, tmp_path)
    return Path(shutil.copytree(good, tmp_path / "bundle"))


def ring(root: Path) -> Keyring:
    return Keyring.read(root.parent / "keyring.json")


def review(root: Path, name: str = "lab", report: Report = GOOD) -> Bundle:
    countersign(Bundle.open(root), report, ring(root), load_private(root.parent / name))
    return Bundle.open(root)


def judged(root: Path, name: str, report: Report = GOOD) -> Bundle:
    sign_verdict(Bundle.open(root), report, load_private(root.parent / name))
    return Bundle.open(root)


def test_checked_and_countersigned_by_another_organisation_is_level_2(root: Path) -> None:
    judged(root, "lab")
    verification = verify(review(root), ring(root))
    assert verification.level == "L2"
    assert [one.organisation for one in verification.countersigned_by] == ["lab"]
    assert [(one.by.organisation, one.result) for one in verification.verdicts] == [
        ("lab", "PASSED")
    ]
    assert "Countersigned by lab" in verification.steps[1]


def only_reviewed(root: Path) -> Bundle:
    return review(root)


def only_checked(root: Path) -> Bundle:
    return judged(root, "lab")


def checked_by_itself(root: Path) -> Bundle:
    judged(root, "key")
    return review(root)


def checked_without_the_role(root: Path) -> Bundle:
    judged(root, "witless")
    return review(root)


def check_failed(root: Path) -> Bundle:
    judged(root, "lab", BAD)
    return review(root)


@pytest.mark.parametrize(
    "prepare",
    [only_reviewed, only_checked, checked_by_itself, checked_without_the_role, check_failed],
)
def test_anything_less_stays_at_level_1(root: Path, prepare: Callable[[Path], Bundle]) -> None:
    assert verify(prepare(root), ring(root)).level == "L1"


def test_one_organisations_failed_check_does_not_undo_anothers(root: Path) -> None:
    judged(root, "other", BAD)
    judged(root, "lab")
    assert verify(review(root), ring(root)).level == "L2"


def test_a_self_review_is_refused_by_name(root: Path) -> None:
    with pytest.raises(VerificationError, match="a self-review: acme submitted this bundle"):
        review(root, "key")


def test_only_a_known_reviewer_countersigns_and_only_what_passes(root: Path) -> None:
    with pytest.raises(VerificationError, match="not review; sign with another key"):
        review(root, "witless")
    with pytest.raises(VerificationError, match="its check found 1 errors"):
        review(root, report=BAD)
    generate(root.parent / "stranger", "stranger")
    with pytest.raises(VerificationError, match="not in the keyring"):
        review(root, "stranger")
    assert len(Bundle.open(root).attestations) == 1


def predicate(bundle: Bundle, **changes: object) -> Countersignature:
    fields = {
        "round": bundle.manifest.round,
        "nonce": bundle.manifest.nonce,
        "submitter": bundle.manifest.submitter,
        "statement": "0" * 64,
        "findings": summary_of(GOOD),
    }
    return Countersignature.model_validate(fields | changes)


WRONG: dict[str, tuple[str, dict[str, object], str]] = {
    "self-review": ("key", {}, "self-review"),
    "role": ("witless", {}, "not review"),
    "statement": ("lab", {"statement": "0" * 64}, "not here"),
    "nonce": ("lab", {"nonce": "0" * 32}, "its nonce is not"),
    "round": ("lab", {"round": "2026.1"}, "its round is not"),
    "submitter": ("lab", {"submitter": "witless"}, "its submitter is not"),
}


@pytest.mark.parametrize(("name", "changes", "reason"), WRONG.values(), ids=WRONG)
def test_a_countersignature_made_by_other_means_is_refused_too(
    root: Path, name: str, changes: dict[str, object], reason: str
) -> None:
    bundle = Bundle.open(root)
    real = verify_statement(bundle, ring(root))
    fields = predicate(bundle, **({"statement": real} | changes))
    subject = subject_of(bundle.submission)
    key = load_private(root.parent / name)
    write_envelope(bundle, seal_statement(subject, COUNTERSIGNATURE, fields, key))
    with pytest.raises(VerificationError, match=reason):
        verify(Bundle.open(root), ring(root))


def verify_statement(bundle: Bundle, keyring: Keyring) -> str:
    """Digest of the file with the submitter's statement."""
    assert verify(bundle, keyring).level == "L1"
    (data,) = bundle.attestations.values()
    return hashlib.sha256(data).hexdigest()


def test_a_verdict_on_another_bundle_or_by_another_round_is_refused(root: Path) -> None:
    bundle, key = Bundle.open(root), load_private(root.parent / "lab")
    fields = verdict_of(GOOD)
    path = write_envelope(bundle, seal_statement(Subject.of("0" * 64), TEST_RESULT, fields, key))
    with pytest.raises(VerificationError, match="belongs to another bundle"):
        verify(Bundle.open(root), ring(root))
    path.unlink()
    sign_verdict(bundle, GOOD.model_copy(update={"round": "2026.1"}), key)
    with pytest.raises(VerificationError, match="rules of another round"):
        verify(Bundle.open(root), ring(root))


def test_reviews_alone_do_not_vouch_for_a_bundle(root: Path) -> None:
    shutil.rmtree(root / "attestations")
    bundle = judged(root, "lab")
    with pytest.raises(VerificationError, match="no attestation of its submitter"):
        verify(bundle, ring(root))
    assert appraise(bundle, ring(root)).level == "L0"


def test_a_statement_of_another_kind_is_refused_by_name(root: Path) -> None:
    bundle, key = Bundle.open(root), load_private(root.parent / "key")
    kind = "urn:levelfield:predicate/review-event/v1"
    subject = subject_of(bundle.submission)
    write_envelope(bundle, seal_statement(subject, kind, summary_of(GOOD), key))
    with pytest.raises(VerificationError, match="review-event/v1', which is none of a bundle's"):
        verify(Bundle.open(root), ring(root))


@needs_ssh_keygen
def test_a_submitter_may_sign_with_openssh_alone(root: Path) -> None:
    shutil.rmtree(root / "attestations")
    path = sign_by_ssh(Bundle.open(root), root.parent / "key")
    judged(root, "lab")
    assert verify(review(root), ring(root)).level == "L2"
    path.write_bytes(path.read_bytes().replace(b"A", b"B", 1))
    with pytest.raises(LevelfieldError, match="SHA-256 differs from its name"):
        Bundle.open(root)


def ssh_signed(root: Path, key: PublicKey, payload: bytes | None = None) -> Path:
    """Let the key of `ssh_signatures` sign for acme, its key in place of acme's."""
    shutil.rmtree(root / "attestations")
    bundle, path = Bundle.open(root), root.parent / "keyring.json"
    path.unlink()
    add_to_keyring(path, "acme", key, ("submit",))
    claims = payload or canonical(state(bundle.submission, bundle.manifest.nonce))
    return write_ssh_signature(bundle, claims, armour(blob(claims, key)))


@pytest.mark.parametrize("key", [PLAIN_KEY, TOKEN_KEY], ids=["software", "token"])
def test_ssh_signatures_stand_for_the_same_statement(root: Path, key: PublicKey) -> None:
    path = ssh_signed(root, key)
    assert verify(Bundle.open(root), ring(root)).level == "L1"
    data = path.read_bytes()
    path.unlink()
    with pytest.raises(VerificationError, match="nobody signed it"):
        verify(Bundle.open(root), ring(root))
    path.write_bytes(data)
    next(path.parent.glob("*.statement.json")).unlink()
    with pytest.raises(VerificationError, match="the statement that it signs is not there"):
        verify(Bundle.open(root), ring(root))


def test_a_tokens_key_makes_no_envelopes(root: Path) -> None:
    """What is signed is told by the keyring's type of key, not by the message's."""
    ssh_signed(root, TOKEN_KEY)
    sign(Bundle.open(root), KEY)
    with pytest.raises(VerificationError, match="bad signature: the key of acme"):
        verify(Bundle.open(root), ring(root))


def ended(root: Path, to_index: int) -> Keyring:
    """The keyring with acme's key revoked at this place of the log."""
    keyring = ring(root)
    update = {"status": "revoked", "to_index": to_index, "from_index": 1}
    first = keyring.keys[0].model_copy(update=update)
    return keyring.model_copy(update={"keys": (first, *keyring.keys[1:])})


def log_of(bundle: Bundle, before: int) -> list[LogEntry]:
    """A log with other entries before this bundle's statements."""
    shas = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(before)]
    shas += [hashlib.sha256(data).hexdigest() for data in bundle.attestations.values()]
    return [
        LogEntry(
            envelope=sha, subject=bundle.id if number >= before else None,
            predicate_type=BENCHMARK_RESULT, actor="acme", kind="statement",
        )
        for number, sha in enumerate(shas)
    ]  # fmt: skip


def test_a_revoked_key_counts_for_what_was_logged_before(root: Path) -> None:
    bundle, keyring = Bundle.open(root), ended(root, 2)
    with pytest.raises(VerificationError, match="was revoked; only a round's log"):
        verify(bundle, keyring)
    steps = verify(bundle, keyring, log_of(bundle, 1)).steps
    assert [step.split(".")[0] for step in steps[-2:]] == ["9", "10"]
    for place in (0, 2):
        with pytest.raises(VerificationError, match=f"entry {place} of the log, but the key"):
            verify(bundle, keyring, log_of(bundle, place))


def test_what_is_not_in_the_log_does_not_count(root: Path) -> None:
    bundle = Bundle.open(root)
    with pytest.raises(VerificationError, match="not in the round's log"):
        verify(bundle, ring(root), log_of(bundle, 1)[:1])
    logged = [log_of(bundle, 0)[0].model_copy(update={"subject": "a" * 20})]
    with pytest.raises(VerificationError, match="logged at 0 for another bundle"):
        verify(bundle, ring(root), logged)


@pytest.fixture
def both(root: Path) -> Path:
    """Signed by acme in an envelope, and with another key of acme by SSH."""
    add_to_keyring(root.parent / "keyring.json", "acme", PLAIN_KEY, ("submit",))
    bundle = Bundle.open(root)
    claims = canonical(state(bundle.submission, bundle.manifest.nonce))
    write_ssh_signature(bundle, claims, armour(blob(claims)))
    return root


def test_who_signs_in_both_ways_stands_in_the_log_by_the_envelope(both: Path) -> None:
    bundle = Bundle.open(both)
    logged = [one for one in log_of(bundle, 1) if one.envelope != statement_sha256(bundle)]
    assert len(verify(bundle, ring(both), logged).signed_by) == 2
    with pytest.raises(VerificationError, match="was revoked"):
        verify(bundle, without_ssh(both), logged)


def statement_sha256(bundle: Bundle) -> str:
    """Digest of the statement that lies by itself."""
    files = bundle.attestations.items()
    (data,) = (data for path, data in files if path.endswith(".statement.json"))
    return hashlib.sha256(data).hexdigest()


def test_a_reviewer_countersigns_the_envelope_that_the_log_has(both: Path) -> None:
    before = Bundle.open(both).attestations
    (envelope,) = (data for path, data in before.items() if path.endswith(".dsse.json"))
    after = review(both).attestations
    (added,) = (data for path, data in after.items() if path not in before)
    said = json.loads(base64.b64decode(json.loads(added)["payload"]))["predicate"]
    assert said["statement"] == hashlib.sha256(envelope).hexdigest()


def without_ssh(root: Path) -> Keyring:
    """The keyring with the SSH key revoked, whose signature nothing dates."""
    keyring = ring(root)
    update = {"status": "revoked", "to_index": 9}
    last = keyring.keys[-1].model_copy(update=update)
    return keyring.model_copy(update={"keys": (*keyring.keys[:-1], last)})
