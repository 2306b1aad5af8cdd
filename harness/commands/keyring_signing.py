"""``levelfield keys sign``, ``check``, ``export``: what root keys and readers do with a keyring."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import KEY, KEYRING, as_json, emit, example
from harness.errors import LevelfieldError

if TYPE_CHECKING:
    from submissions.keys import KeyEntry, Keyring

keyring_option = click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
                              show_default="~/.levelfield/keyring.json",
                              help="Keyring; a round's is ROUND/keyring.json.")  # fmt: skip


@click.command(epilog=example("levelfield keys sign ROUND/keyring.json --key root_key"))
@click.argument("keyring", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519", help="A root key.")  # fmt: skip
@as_json
def sign(keyring: Path, key: Path, to_json: bool) -> None:
    """Sign a round's keyring as one of its root keys; signatures go beside it."""
    from submissions.keyring import write_keyring
    from submissions.keyring_release import sign_keyring
    from submissions.keys import Keyring, load_private
    from submissions.round_folder import write_whole

    held, beside = Keyring.read(keyring), signatures_of(keyring)
    before = beside.read_bytes() if beside.exists() else None
    envelope = sign_keyring(held, before, load_private(key))
    write_keyring(keyring, held)
    write_whole(beside, envelope)
    signed = len(json.loads(envelope)["signatures"])
    assert held.threshold is not None
    if to_json:
        needed = held.threshold.threshold
        emit({"signatures": str(beside), "signed": signed, "needed": needed})
    else:
        click.echo(f"{beside}: {signed} signed, {held.threshold.threshold} needed")


@click.command(
    epilog=example(
        "levelfield keys check ROUND/keyring.json",
        "levelfield keys check ROUND/keyring.json --before last_week.json",
    )
)
@click.argument("keyring", type=click.Path(path_type=Path))
@click.option("--own", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json",
              help="Your keyring; its root keys are those you trust.")  # fmt: skip
@click.option("--before", type=click.Path(path_type=Path), metavar="FILE",
              help="An earlier keyring, which must not be rewritten.")  # fmt: skip
@as_json
def check(keyring: Path, own: Path, before: Path | None, to_json: bool) -> None:
    """Check proofs of possession, the root keys' signatures, and that nothing was rewritten."""
    from submissions.keyring_release import check_successor, root_keys
    from submissions.keys import Keyring

    anchors = trusted_roots(own)
    held = read_signed(keyring, anchors)
    if before:
        earlier = Keyring.read(before)
        if earlier.threshold:
            roots = root_keys(earlier, str(before))
            read_signed(keyring, roots, earlier.threshold.threshold)
        check_successor(earlier, held, str(keyring))
    if to_json:
        emit({"keyring": str(keyring), "keys": len(held.keys), "by_your_roots": bool(anchors)})
        return
    click.echo(f"{keyring}: {len(held.keys)} keys, each with its proof, signed by enough roots")
    if not anchors:
        click.echo("by its own word only: your keyring has no root key; add the round's")


@click.command(epilog=example("levelfield keys export --allowed-signers signers"))
@keyring_option
@click.option("--allowed-signers", "out", required=True, type=click.Path(path_type=Path),
              metavar="FILE", help="For ssh-keygen -Y verify -n levelfield -f FILE.")  # fmt: skip
@as_json
def export(keyring: Path, out: Path, to_json: bool) -> None:
    """Write the active keys as OpenSSH's allowed_signers file."""
    from submissions.keyring import allowed_signers
    from submissions.keys import Keyring
    from submissions.round_folder import write_whole

    text = allowed_signers(Keyring.read(keyring))
    write_whole(out, text.encode())
    if to_json:
        emit({"allowed_signers": str(out), "keys": len(text.splitlines())})
    else:
        click.echo(f"{out}: {len(text.splitlines())} keys")


def signatures_of(keyring: Path) -> Path:
    """Where the root keys' signatures over the keyring at this path lie."""
    return keyring.with_name(f"{keyring.stem}.dsse.json")


def trusted_roots(own: Path) -> "tuple[KeyEntry, ...]":
    """Active root keys of the reader's own keyring; none if there is no such keyring."""
    from submissions.keys import Keyring

    held = Keyring.read(own).keys if own.exists() else ()
    return tuple(one for one in held if "root" in one.roles and one.status == "active")


def read_signed(
    keyring: Path, anchors: "tuple[KeyEntry, ...]", needed: int | None = None
) -> "Keyring":
    """The keyring at this path, as `open_signed` reads it."""
    from submissions.keyring_release import open_signed

    beside = signatures_of(keyring)
    try:
        data, envelope = keyring.read_bytes(), beside.read_bytes()
    except OSError as error:
        raise LevelfieldError(
            f"{error.filename}: cannot be read: {error.strerror}; "
            "let the root keys sign with levelfield keys sign"
        ) from error
    return open_signed(data, envelope, str(keyring), anchors, needed)
