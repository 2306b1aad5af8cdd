"""The statements beside a bundle's manifest: who signed each, in DSSE or with OpenSSH."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.bundle import Bundle, attestation_path
from submissions.envelope import VerificationError, unseal
from submissions.keys import KeyEntry
from submissions.layout import ENVELOPE, SSH_SIGNATURE, signature_path, signed_by_ssh
from submissions.sshsig import read_armoured, verify_ssh


@dataclass(frozen=True)
class Voucher:
    """One statement as its bytes, which somebody known signed."""

    path: str
    """In the bundle, of the file that holds the statement: an envelope, or the statement alone."""
    sha256: str
    """Of that file."""
    payload: bytes
    """The very bytes that are signed."""
    signed_by: tuple[KeyEntry, ...]
    """Each key once, in keyring order; never empty."""

    @property
    def enveloped(self) -> bool:
        """Whether it is signed in a DSSE envelope, as a round's log has statements."""
        return self.path.endswith(ENVELOPE)


def read_vouchers(bundle: Bundle, trusted: Sequence[KeyEntry]) -> tuple[Voucher, ...]:
    """Every statement of the bundle, in path order.

    `VerificationError` if a signature is not of a trusted key, a statement lies there unsigned, or
    a signature without its statement.
    """
    found = []
    for path, data in sorted(bundle.attestations.items()):
        sha256 = hashlib.sha256(data).hexdigest()
        if path.endswith(ENVELOPE):
            payload, signed_by = unseal(data, path, trusted)
            found.append(Voucher(path, sha256, payload, signed_by))
        elif path.endswith(SSH_SIGNATURE):
            if signed_by_ssh(path) not in bundle.attestations:
                raise VerificationError(
                    f"{path}: the statement that it signs is not there; copy the file back"
                )
        else:
            signed_by = _signed_by_ssh(path, data, bundle.attestations, trusted)
            found.append(Voucher(path, sha256, data, signed_by))
    return tuple(found)


def _signed_by_ssh(
    path: str, payload: bytes, files: Mapping[str, bytes], trusted: Sequence[KeyEntry]
) -> tuple[KeyEntry, ...]:
    signatures = [
        name
        for name in sorted(files)
        if name.endswith(SSH_SIGNATURE) and signed_by_ssh(name) == path
    ]
    if not signatures:
        raise VerificationError(f"{path}: nobody signed it; copy its .sshsig back, or remove it")
    made_by = [
        verify_ssh(read_armoured(files[name], name), payload, name, trusted) for name in signatures
    ]
    return tuple(entry for entry in trusted if entry in made_by)


def write_envelope(bundle: Bundle, envelope: bytes) -> Path:
    """Put an envelope beside the manifest; the same one twice is one. Returns its path.

    ``bundle`` itself stays as it was opened. `LevelfieldError` for a zip, and if it cannot be
    written.
    """
    return _write(bundle, {attestation_path(envelope): envelope})


def write_ssh_signature(bundle: Bundle, payload: bytes, armoured: bytes) -> Path:
    """Put a statement and an SSH signature over it beside the manifest; returns the signature's
    path. `LevelfieldError` as `write_envelope` has it."""
    signature = signature_path(payload, armoured)
    return _write(bundle, {signed_by_ssh(signature): payload, signature: armoured})


def _write(bundle: Bundle, files: Mapping[str, bytes]) -> Path:
    """Write drafts first, so that no file is ever there in part; returns the last one's path."""
    if bundle.root.is_file():
        raise LevelfieldError(
            f"{bundle.root}: a zip, which is only for transport; sign the folder, then zip that"
        )
    drafts: dict[Path, Path] = {}
    try:
        for name, data in files.items():
            path = bundle.root / name
            path.parent.mkdir(exist_ok=True)
            drafts[path] = path.with_name(f"{path.name}.draft")
            drafts[path].write_bytes(data)
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError as error:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise LevelfieldError(
            f"{bundle.root}: cannot be written: {error.strerror}; make room or mend the "
            "permissions, then sign again"
        ) from error
    return list(drafts)[-1]
