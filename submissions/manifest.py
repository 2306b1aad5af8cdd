"""The manifest: every file of a bundle with its size and digest, in one canonical form."""

import base64
import hashlib
import json
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from harness.errors import LevelfieldError
from harness.records import Identifier, Record, Sha256
from rules.submission import Origin
from submissions.layout import MANIFEST, Role, check_distinct, check_path, role_of
from submissions.strict_json import MAX_INTEGER, read_record


class File(Record):
    """One file of the bundle."""

    path: str
    size: Annotated[int, Field(ge=0)]
    """Bytes."""
    sha256: Sha256
    # The name of the role, since canonical JSON knows no enumerations.
    role: Annotated[Role, Field(strict=False)]


class Manifest(Record):
    """What a signature vouches for."""

    record: Literal["levelfield/manifest/v1"] = Field(
        default="levelfield/manifest/v1", alias="schema"
    )
    round: Identifier
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Random, so that two bundles of the same runs still differ."""
    submitter: Identifier
    files: tuple[File, ...]
    """Sorted by the bytes of their paths."""
    origin: Origin | None = None
    """Of an imported bundle."""

    def to_bytes(self) -> bytes:
        """The canonical form, as ``manifest.json`` holds it (RFC 8785)."""
        return canonical(self)

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only an imported bundle's manifest has an origin."""
        fields: dict[str, Any] = plain(self)
        return fields if self.origin else {k: v for k, v in fields.items() if k != "origin"}


def canonical(record: Record) -> bytes:
    """A record as canonical JSON (RFC 8785); what is signed is always in this form."""
    value = record.model_dump(mode="json", by_alias=True)
    # Without fractions, great integers and names beyond ASCII the standard library writes the
    # same bytes, in a tenth of the time.
    return _ENCODER.encode(value).encode() if _plain(value) else rfc8785.dumps(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(key.isascii() and _plain(held) for key, held in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return not isinstance(value, float) and (
        not isinstance(value, int) or abs(value) <= MAX_INTEGER
    )


def bundle_id(manifest_sha256: str) -> str:
    """The first 20 characters of the digest in base32, lower case: 100 bits."""
    return base64.b32encode(bytes.fromhex(manifest_sha256))[:20].decode().lower()


def describe(path: str, data: bytes) -> File:
    """The manifest's line for a file."""
    digest = hashlib.sha256(data).hexdigest()
    return File(path=path, size=len(data), sha256=digest, role=role_of(path))


def read_manifest(data: bytes) -> Manifest:
    """Read ``manifest.json``; `LevelfieldError` unless it is canonical and its paths are sound."""
    manifest = read_record(Manifest, data, MANIFEST)
    if manifest.to_bytes() != data:
        _refuse("not in canonical form (RFC 8785)")
    paths = [file.path for file in manifest.files]
    if paths != sorted(paths, key=lambda path: path.encode("utf-8")):
        _refuse("its files are not sorted by path")
    if len(set(paths)) != len(paths):
        _refuse("it names a file twice")
    for file in manifest.files:
        check_path(file.path)
        if role_of(file.path) is not file.role:
            _refuse(f"{file.path} has the role {file.role.value}, which that file cannot have")
    check_distinct(paths)
    return manifest


def _refuse(reason: str) -> None:
    raise LevelfieldError(f"{MANIFEST}: {reason}; pack the runs again")
