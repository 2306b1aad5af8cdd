import base64
import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LevelfieldError
from harness.records import Record
from submissions.manifest import File, Manifest, bundle_id, canonical, describe, read_manifest

RUN = "results/w/train/run_1"


def manifest(*paths: str) -> Manifest:
    files = tuple(describe(path, path.encode()) for path in paths)
    return Manifest(round="practice", nonce="0" * 32, submitter="acme", files=files)


def test_it_reads_as_it_was_written() -> None:
    written = manifest(f"{RUN}/events.log", f"{RUN}/run.json", "system.json")
    assert read_manifest(written.to_bytes()) == written


def test_a_file_is_described_by_size_digest_and_role() -> None:
    file = describe("system.json", b"abc")
    assert file.model_dump(mode="json") == {
        "path": "system.json",
        "size": 3,
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "role": "system",
    }


def test_its_form_is_canonical_and_named() -> None:
    assert manifest().to_bytes() == (
        b'{"files":[],"nonce":"00000000000000000000000000000000","round":"practice",'
        b'"schema":"levelfield/manifest/v1","submitter":"acme"}'
    )


def test_the_bundle_id_is_twenty_base32_characters_of_the_digest() -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    assert base64.b32decode(bundle_id(digest).upper() + "AAAA")[:12].hex() == digest[:24]


def altered(**changes: object) -> bytes:
    fields = manifest("system.json").model_dump(mode="json", by_alias=True)
    return rfc8785.dumps(fields | changes)


FILE = manifest("system.json").files[0].model_dump(mode="json")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (manifest("system.json").to_bytes() + b"\n", "canonical"),
        (manifest().to_bytes().replace(b":[]", b": []"), "canonical"),
        (manifest().to_bytes().replace(b'"schema"', b'"record"'), "canonical"),
        (manifest().to_bytes().replace(b"acme", b"\\u0061cme"), "canonical"),
        (manifest("system.json", f"{RUN}/run.json").to_bytes(), "sorted"),
        (manifest("system.json", "system.json").to_bytes(), "twice"),
        (altered(files=[FILE | {"role": "run"}]), "cannot have"),
        (altered(files=[FILE | {"role": "secret"}]), "role"),
        (altered(files=[FILE | {"path": "../x"}]), "dotted part"),
        (altered(files=[FILE | {"path": "notes.txt"}]), "no such file belongs"),
        (altered(files=[FILE | {"size": -1}]), "size"),
        (altered(files=[FILE | {"sha256": "A" * 64}]), "sha256"),
        (altered(schema="levelfield/manifest/v2"), "schema"),
        (altered(submitter="ACME Inc."), "submitter"),
        (altered(nonce="0"), "nonce"),
        (altered(more=1), "more"),
    ],
)
def test_a_doubtful_manifest_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=reason):
        read_manifest(data)


def test_folders_that_differ_in_case_are_refused() -> None:
    paths = sorted([f"{RUN}/run.json", f"{RUN.replace('w', 'W')}/events.log"])
    with pytest.raises(LevelfieldError, match="upper and lower case"):
        read_manifest(manifest(*paths).to_bytes())


def test_a_role_is_written_as_plain_text() -> None:
    file = describe("system.json", b"")
    assert File.model_validate_json(file.model_dump_json()) == file


_PLAIN = st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text()
_FRACTIONS = st.floats(allow_nan=False, allow_infinity=False)


class Anything(Record):
    held: Any


@given(
    st.recursive(
        _PLAIN | _FRACTIONS, lambda held: st.lists(held) | st.dictionaries(st.text(), held)
    )
)
def test_the_canonical_form_is_one_however_it_is_written(value: object) -> None:
    assert canonical(Anything(held=value)) == rfc8785.dumps({"held": value})
