"""Handing a bundle in to a round: copied into the round's folder, its statement to be logged."""

import secrets
import shutil
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.envelope import unseal
from submissions.keys import Keyring
from submissions.layout import MANIFEST
from submissions.manifest import read_manifest
from submissions.review.docket import Docket, Left
from submissions.round_folder import read_inside
from submissions.statement import BENCHMARK_RESULT
from submissions.strict_json import parse


def submit(bundle: Bundle, docket: Docket, by: str) -> tuple[Path, tuple[str, ...]]:
    """Copy ``bundle`` to ``<round folder>/<submitter>/<bundle id>`` and add its statements.

    Returns the new folder and the envelopes that wait for the log. `LevelfieldError`, with
    nothing left behind: another round's bundle, another organisation's than ``by``, an unsigned
    one, one that is there already, and one whose nonce another bundle of the round has.
    """
    manifest, name = bundle.manifest, docket.reader.info.round
    if manifest.round != name:
        raise LevelfieldError(
            f"{bundle.root}: packed for round {manifest.round}, and this is {name}; "
            "submit it there, or pack the runs again"
        )
    if manifest.submitter != by:
        raise LevelfieldError(
            f"{bundle.root}: the bundle of {manifest.submitter}, and the key is of {by}; "
            f"only {manifest.submitter} hands it in"
        )
    if manifest.origin is not None:
        raise LevelfieldError(f"{bundle.root}: imported; nobody can submit what others measured")
    _check_new(bundle, docket)
    keyring = docket.reader.keyring
    verify(bundle, keyring)
    held = bundle.attestations.items()
    statements = [data for path, data in held if _is_claim(path, data, keyring)]
    if not statements:
        raise LevelfieldError(
            f"{bundle.root}: no statement in an envelope, which the log needs; "
            "sign it with levelfield sign --key as well"
        )
    target = docket.folder.bundle_path(manifest.submitter, bundle.id)
    _copy(bundle, target)
    try:
        added = [docket.add(data, f"bundle {bundle.id}") for data in statements]
    except LevelfieldError:
        shutil.rmtree(target)
        raise
    return target, tuple(added)


def _check_new(bundle: Bundle, docket: Docket) -> None:
    """A bundle that is handed in twice, under whatever name, is refused."""
    if bundle.id in docket.replay.cases:
        index = docket.replay.cases[bundle.id].index
        raise LevelfieldError(
            f"{bundle.root}: replayed: bundle {bundle.id} was submitted already (entry {index})"
        )
    for submitter, name, path in docket.folder.bundles():
        other = read_manifest(read_inside(path, MANIFEST, 2**24))
        if name == bundle.id or other.nonce == bundle.manifest.nonce:
            raise LevelfieldError(
                f"{bundle.root}: replayed: bundle {name} of {submitter} is here already, with the "
                "same nonce; pack the runs again for a bundle of their own"
            )


def admit(docket: Docket) -> list[Left]:
    """Add everything in the folder that is not logged yet to ``docket``; what may not be, and why.

    A bundle that is new must open, be signed by its submitter, and lie in the folder of its
    submitter under its own id; one that is logged must be whole still. What is about a refused
    bundle is not added either.
    """
    left: list[Left] = []
    refused: set[str] = set()
    for submitter, name, path in docket.folder.bundles():
        known = docket.replay.cases.get(name)
        if known and known.submitter == submitter:
            continue
        try:
            _check_held(docket, submitter, name, path)
        except LevelfieldError as error:
            if known is None:
                refused.add(name)
            left.append(Left(f"{submitter}/{name}", str(error)))
    for case in docket.replay.cases.values():
        try:
            # As a whole: a file laid into another's bundle would spoil it for every reader.
            Bundle.open(docket.held(case).root, logs=False)
        except LevelfieldError as error:
            left.append(Left(f"{case.submitter}/{case.bundle}", str(error)))
    left += docket.add_pending(refused)
    for submitter, name, _ in docket.folder.bundles():
        if name not in docket.replay.cases and name not in refused:
            left.append(Left(f"{submitter}/{name}", "no statement of its submitter counts"))
    return left


def _check_held(docket: Docket, submitter: str, name: str, path: Path) -> None:
    if path.is_symlink() or path.parent.is_symlink():
        raise LevelfieldError(
            f"{path}: reached through a symbolic link; lay the bundle itself there"
        )
    bundle = Bundle.open(path, logs=False)
    if (bundle.manifest.submitter, bundle.id) != (submitter, name):
        raise LevelfieldError(
            f"{path}: is bundle {bundle.id} of {bundle.manifest.submitter}; put it where it belongs"
        )
    if bundle.manifest.round != docket.reader.info.round:
        raise LevelfieldError(f"{path}: packed for round {bundle.manifest.round}; submit it there")
    verify(bundle, docket.reader.keyring)


def _is_claim(path: str, data: bytes, keyring: Keyring) -> bool:
    """Whether an attestation is the submitter's statement in an envelope."""
    if not path.endswith(".dsse.json"):
        return False
    payload, _ = unseal(data, path, keyring.keys)
    return bool(parse(payload, path).get("predicateType") == BENCHMARK_RESULT)


def _copy(bundle: Bundle, target: Path) -> None:
    """Write what was read and hashed, open that once more, and only then give it its name."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
    files = {file.path: bundle.read(file.path) for file in bundle.manifest.files}
    files |= {MANIFEST: bundle.manifest.to_bytes(), **bundle.attestations}
    try:
        for path, data in files.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(data)
        Bundle.open(draft, logs=False)
        draft.rename(target)
    except OSError as error:
        raise LevelfieldError(
            f"{target}: cannot be written: {error.strerror}; make room, then submit again"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
