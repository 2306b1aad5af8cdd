import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.records import Record
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, PublicKey
from submissions.statement import Subject, open_statement, seal_statement

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
SUBJECT = Subject.of("ab" * 32)
KIND = "urn:levelfield:predicate/remark/v1"


class Remark(Record):
    """A predicate of this test."""

    text: str


class Shout(Record):
    """One with the same field and another type."""

    text: str
    loud: bool


def trusted(key: Ed25519PrivateKey = KEY) -> list[KeyEntry]:
    public = PublicKey.of(key)
    fields = {"organisation": "acme", "key_id": public.key_id, "public_key": public.line}
    return [KeyEntry.model_validate({**fields, "roles": ("submit",)})]


def test_what_was_sealed_is_opened_with_its_subject_and_signatory() -> None:
    envelope = seal_statement(SUBJECT, KIND, Remark(text="well measured"), KEY)
    opened = open_statement(envelope, "here", trusted(), KIND, Remark)
    assert (opened.subject, opened.predicate.text) == (SUBJECT, "well measured")
    assert opened.signed_by == tuple(trusted())
    assert envelope == seal_statement(SUBJECT, KIND, Remark(text="well measured"), KEY)


def test_a_statement_replayed_as_another_type_is_refused_by_name() -> None:
    envelope = seal_statement(SUBJECT, KIND, Remark(text="x"), KEY)
    with pytest.raises(VerificationError, match=r"its predicateType is '.*remark/v1', not .*/v2"):
        open_statement(envelope, "here", trusted(), KIND.replace("v1", "v2"), Remark)


def test_a_predicate_of_another_form_is_refused() -> None:
    envelope = seal_statement(SUBJECT, KIND, Remark(text="x"), KEY)
    with pytest.raises(VerificationError, match=r"predicate.loud: Field required"):
        open_statement(envelope, "here", trusted(), KIND, Shout)


def test_a_strangers_statement_is_refused() -> None:
    envelope = seal_statement(SUBJECT, KIND, Remark(text="x"), KEY)
    stranger = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
    with pytest.raises(VerificationError, match="unknown key"):
        open_statement(envelope, "here", trusted(stranger), KIND, Remark)
