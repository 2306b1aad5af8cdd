import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785
from run_folders import write_runs, write_signed_bundle

from harness.errors import LevelfieldError
from submissions.attestation import appraise, sign, verify
from submissions.bundle import Bundle, attestation_path
from submissions.envelope import VerificationError, seal
from submissions.keys import Keyring, KeyRole, add_to_keyring, generate, load_private, load_public
from submissions.manifest import canonical
from submissions.pack import pack
from submissions.statement import BenchmarkResult, StatementOf, state


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_signed_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    shutil.copy(good.parent / "key", tmp_path)
    return Path(shutil.copytree(good, tmp_path / "bundle"))


@pytest.fixture
def keyring(good: Path) -> Keyring:
    return Keyring.read(good.parent / "keyring.json")


def replace_attestation(root: Path, payload: bytes) -> Bundle:
    """Let the submitter sign ``payload`` in place of what it had signed."""
    shutil.rmtree(root / "attestations")
    envelope = seal(payload, load_private(root.parent / "key"))
    (root / "attestations").mkdir()
    (root / attestation_path(envelope)).write_bytes(envelope)
    return Bundle.open(root)


def test_a_good_bundle_is_signed_by_its_submitter(good: Path, keyring: Keyring) -> None:
    verification = verify(Bundle.open(good), keyring)
    assert verification.level == "L1"
    assert [(s.organisation, s.key_id) for s in verification.signed_by] == [
        ("acme", load_public(good.parent / "key.pub").key_id)
    ]
    assert [step.split(".")[0] for step in verification.steps] == [
        *("0–2, 7", "3", "4", "5", "6", "8", "9–10")
    ]


def test_signing_again_with_the_same_key_writes_the_same_file(root: Path) -> None:
    before = sorted(root.rglob("*"))
    path = sign(Bundle.open(root), load_private(root.parent / "key"))
    assert sorted(root.rglob("*")) == before
    assert path in before


def test_a_second_key_of_the_submitter_counts_too(root: Path, keyring: Keyring) -> None:
    path = root.parent / "keyring.json"
    path.write_text(keyring.to_json())
    add_to_keyring(path, "acme", generate(root.parent / "key2", "acme"), ("submit",))
    sign(Bundle.open(root), load_private(root.parent / "key2"))
    assert len(verify(Bundle.open(root), Keyring.read(path)).signed_by) == 2


def test_an_unsigned_bundle_is_refused(root: Path, keyring: Keyring) -> None:
    shutil.rmtree(root / "attestations")
    with pytest.raises(VerificationError, match="unsigned"):
        verify(Bundle.open(root), keyring)


def test_an_unknown_key_is_refused(good: Path) -> None:
    with pytest.raises(VerificationError, match="unknown key"):
        verify(Bundle.open(good), Keyring())


@pytest.mark.parametrize(
    ("organisation", "role", "reason"),
    [("lab", "submit", "submitter is acme"), ("acme", "review", "the roles review, not submit")],
)
def test_only_the_submitters_submitting_key_vouches(
    good: Path, tmp_path: Path, organisation: str, role: KeyRole, reason: str
) -> None:
    path = tmp_path / "keyring.json"
    keyring = add_to_keyring(path, organisation, load_public(good.parent / "key.pub"), (role,))
    with pytest.raises(VerificationError, match=reason):
        verify(Bundle.open(good), keyring)


def test_another_bundles_attestation_is_refused(
    good: Path, tmp_path: Path, keyring: Keyring
) -> None:
    twin = pack(write_runs(tmp_path / "runs"), "acme", "practice", tmp_path / "twin")
    shutil.copytree(good / "attestations", twin.root / "attestations")
    with pytest.raises(VerificationError, match="belongs to another bundle"):
        verify(Bundle.open(twin.root), keyring)


def test_one_bad_attestation_beside_a_good_one_is_refused(root: Path, keyring: Keyring) -> None:
    generate(root.parent / "stranger", "acme")
    sign(Bundle.open(root), load_private(root.parent / "stranger"))
    with pytest.raises(VerificationError, match="unknown key"):
        verify(Bundle.open(root), keyring)


def altered(**changes: object) -> Callable[[StatementOf[BenchmarkResult]], bytes]:
    return lambda statement: canonical(
        statement.model_copy(update={"predicate": statement.predicate.model_copy(update=changes)})
    )


def two_subjects(statement: StatementOf[BenchmarkResult]) -> bytes:
    fields = json.loads(canonical(statement))
    return rfc8785.dumps(fields | {"subject": fields["subject"] * 2})


WRONG: dict[str, tuple[Callable[[StatementOf[BenchmarkResult]], bytes], str]] = {
    "type": (lambda s: canonical(s).replace(b"Statement/v1", b"Statement/v2"), "its _type is"),
    "predicate type": (lambda s: canonical(s).replace(b"result/v1", b"result/v9"), "predicateType"),
    "no object": (lambda _: b"[]", "its predicateType is"),
    "not JSON": (lambda _: b"{", "not JSON"),
    "not canonical": (lambda s: canonical(s) + b" ", "not canonical"),
    "unknown field": (lambda s: canonical(s).replace(b'"nonce"', b'"extra":1,"nonce"'), "extra"),
    "two subjects": (two_subjects, "subject"),
    "round": (altered(round="2026.1"), "its round is not"),
    "nonce": (altered(nonce="f" * 32), "its nonce is not"),
    "submitter": (altered(submitter="lab"), "its submitter is not"),
    "system": (altered(system="f" * 64), "its system is not"),
    "results": (altered(results=()), "its results is not"),
}


@pytest.mark.parametrize(("spoil", "reason"), WRONG.values(), ids=WRONG)
def test_a_statement_that_says_something_else_is_refused_by_name(
    root: Path,
    keyring: Keyring,
    spoil: Callable[[StatementOf[BenchmarkResult]], bytes],
    reason: str,
) -> None:
    bundle = Bundle.open(root)
    payload = spoil(state(bundle.submission, bundle.manifest.nonce))
    with pytest.raises(VerificationError, match=reason):
        verify(replace_attestation(root, payload), keyring)


def test_what_does_not_hold_counts_as_unsigned_with_its_reason(good: Path) -> None:
    verification = appraise(Bundle.open(good), Keyring())
    assert (verification.level, verification.signed_by) == ("L0", ())
    assert "unknown key" in verification.steps[-1]


def test_what_holds_is_appraised_as_verified(good: Path, keyring: Keyring) -> None:
    bundle = Bundle.open(good)
    assert appraise(bundle, keyring) == verify(bundle, keyring)


def test_a_place_that_cannot_be_written_is_named(root: Path) -> None:
    bundle = Bundle.open(root)
    shutil.rmtree(root)
    with pytest.raises(LevelfieldError, match="cannot be written"):
        sign(bundle, load_private(root.parent / "key"))
