"""``levelfield keygen``, ``sign`` and ``verify``: who vouches for a bundle."""

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
)

if TYPE_CHECKING:
    pass


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
@as_json
def sign(bundle: Path, key: Path, to_json: bool) -> None:
    """Vouch for a bundle: an in-toto statement of its results, signed beside the manifest."""
    from submissions.attestation import sign as sign_bundle
    from submissions.bundle import Bundle
    from submissions.keys import load_private
    from submissions.secrets import find_secrets

    opened = Bundle.open(bundle)
    for secret in find_secrets(opened):
        click.echo(f"warning: {secret}", err=True)
    written = sign_bundle(opened, load_private(key))
    if to_json:
        emit({"bundle": opened.id, "attestation": str(written)})
    else:
        click.echo(f"signed bundle {opened.id}: {written}")


@click.command(epilog=example("levelfield verify bundles/1", "levelfield verify b --keyring K"))
@bundle_argument
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@as_json
def verify(bundle: Path, keyring: Path, to_json: bool) -> None:
    """Check who vouches for a bundle, step by step; run no rules."""
    from submissions.attestation import verify as verify_bundle
    from submissions.bundle import Bundle
    from submissions.keys import Keyring

    opened = Bundle.open(bundle)
    verification = verify_bundle(opened, Keyring.read(keyring))
    if to_json:
        emit({"bundle": opened.id, **verification.model_dump(mode="json")})
        return
    for step in verification.steps:
        click.echo(step)
