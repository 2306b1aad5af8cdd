"""``levelfield keygen``, ``sign``, ``verify``, ``countersign``: who vouches for a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    KEY,
    KEYRING,
    as_json,
    bundle_argument,
    emit,
    example,
    large_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from submissions.keys import Keyring
    from submissions.log_entry import LogEntry


@click.command(epilog=example("levelfield keygen --organisation acme"))
@click.option("--organisation", default="me", show_default=True, help="Whose key it is.")
@click.option("--out", type=click.Path(path_type=Path), default=KEY, show_default="~/.levelfield",
              help="Private key file; the public key goes beside it.")  # fmt: skip
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Also trust it here.")  # fmt: skip
@as_json
def keygen(organisation: str, out: Path, keyring: Path, to_json: bool) -> None:
    """Make an Ed25519 key to sign with, and add its public half to your keyring."""
    from submissions.keys import add_to_keyring, generate

    key = generate(out, organisation)
    add_to_keyring(keyring, organisation, key, ("submit",))
    if to_json:
        emit({"private": str(out), "public": f"{out}.pub", "keyring": str(keyring)})
    else:
        click.echo(f"{out}: private key, keep it; {out}.pub: public key, give it to the round")


@click.command(epilog=example("levelfield sign bundles/1", "levelfield sign bundles/1 --key K"))
@bundle_argument
@click.option("--key", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519", help="Private key.")  # fmt: skip
@click.option("--ssh", type=click.Path(path_type=Path), metavar="FILE",
              help="Let ssh-keygen sign: a key with a passphrase, an agent's or a token's.",
)  # fmt: skip
@as_json
def sign(bundle: Path, key: Path, ssh: Path | None, to_json: bool) -> None:
    """Vouch for a bundle: an in-toto statement of its results, signed beside the manifest."""
    from submissions.attestation import sign as sign_bundle
    from submissions.attestation import sign_by_ssh
    from submissions.bundle import Bundle
    from submissions.keys import load_private
    from submissions.secrets import find_secrets

    opened = Bundle.open(bundle, logs=False)
    for secret in find_secrets(opened):
        click.echo(f"warning: {secret}", err=True)
    written = sign_by_ssh(opened, ssh) if ssh else sign_bundle(opened, load_private(key))
    if to_json:
        emit({"bundle": opened.id, "attestation": str(written)})
    else:
        click.echo(f"signed bundle {opened.id}: {written}")


@click.command(epilog=example("levelfield verify bundles/1", "levelfield verify b --keyring K"))
@bundle_argument
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@click.option("--log", "round_folder", type=click.Path(path_type=Path), metavar="ROUND",
              help="Round's folder: its keyring, signed by root keys that you trust, and its log.",
)  # fmt: skip
@as_json
def verify(bundle: Path, keyring: Path, round_folder: Path | None, to_json: bool) -> None:
    """Check who vouches for a bundle, step by step; run no rules."""
    from submissions.attestation import verify as verify_bundle
    from submissions.bundle import Bundle
    from submissions.keys import Keyring

    opened = Bundle.open(bundle, logs=False)
    if round_folder:
        verification = verify_bundle(opened, *_round(round_folder, keyring))
    else:
        verification = verify_bundle(opened, Keyring.read(keyring))
    if to_json:
        emit({"bundle": opened.id, **verification.model_dump(mode="json")})
        return
    for step in verification.steps:
        click.echo(step)
    click.echo(f"bundle {opened.id}: level {verification.level}")


@click.command(epilog=example("levelfield countersign bundles/1 --key lab_key"))
@bundle_argument
@click.option("--key", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519", help="Reviewer's private key.")  # fmt: skip
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="LENDER",
              help="Bundle from which hyperparameters were borrowed; repeatable.")  # fmt: skip
@large_option
@as_json
def countersign(
    bundle: Path, key: Path, keyring: Path, others: tuple[Path, ...], large: bool, to_json: bool
) -> None:
    """Say as a reviewer that you have looked at a bundle: verified, checked without errors.

    The verdict of your check is signed too. Another organisation than the submitter's must say
    so, with a key that has the role review.
    """
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.attestation import countersign as countersign_bundle
    from submissions.attestation import sign_verdict
    from submissions.bundle import Bundle
    from submissions.keys import Keyring, load_private

    opened, private_key = Bundle.open(bundle, large=large), load_private(key)
    lenders = [Bundle.open(other, large=large).submission for other in others]
    report = judge(opened.submission, read_round(opened.submission.round), others=lenders)
    written = countersign_bundle(opened, report, Keyring.read(keyring), private_key)
    verdict = sign_verdict(opened, report, private_key)
    if to_json:
        emit({"bundle": opened.id, "countersignature": str(written), "verdict": str(verdict)})
        return
    click.echo(f"countersigned bundle {opened.id}: {written}")
    click.echo(f"verdict, {report.summary}: {verdict}")


def _round(folder: Path, own: Path) -> "tuple[Keyring, Sequence[LogEntry]]":
    """A round's keyring, signed, and the entries of its log, replayed."""
    from harness.commands.keyring_signing import read_signed, trusted_roots
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    place = RoundFolder(folder)
    keyring = read_signed(place.keyring, trusted_roots(own))
    return keyring, RoundLog.open(place).verify(keyring)
