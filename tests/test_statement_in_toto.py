"""Our statements as in-toto's own library reads them."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from rules.rule import Report
from submissions.statement import Subject, seal_statement
from submissions.verdict import TEST_RESULT, Verdict, verdict_of

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\5" * 32)
VERDICT = verdict_of(
    Report(round="practice", findings=(), passed=("LOG-1", "TRAIN-2"), not_applicable=()),
    url="https://ci.example/1",
)
SUBJECT = Subject.of("ab" * 32)


def payload() -> bytes:
    envelope = json.loads(seal_statement(SUBJECT, TEST_RESULT, VERDICT, PRIVATE))
    return base64.b64decode(envelope["payload"])


def test_in_toto_reads_our_statements() -> None:
    message = json_format.Parse(payload(), Message())
    statement = Statement.copy_from_pb(message)
    statement.validate()
    assert statement.pb.predicate_type == TEST_RESULT
    assert [(one.name, dict(one.digest)) for one in statement.pb.subject] == [
        (SUBJECT.name, {"sha256": "ab" * 32})
    ]


def test_in_toto_reads_our_verdict_as_a_test_result() -> None:
    fields = json.loads(payload())["predicate"]
    result = json_format.ParseDict(fields, test_result_pb2.TestResult())
    assert (result.result, result.url) == ("PASSED", "https://ci.example/1")
    assert list(result.passed_tests) == ["LOG-1", "TRAIN-2"]
    assert [one.name for one in result.configuration] == [
        "levelfield/rules",
        "levelfield/round/practice",
    ]
    again = json_format.MessageToDict(result)
    assert Verdict.model_validate_json(json.dumps(again)) == VERDICT
