"""``levelfield keys``: make keys, and keep a keyring: one's own, or a round's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.keyring_signing import check, export, keyring_option, sign
from harness.commands.options import KEY, Commands, as_json, count, emit, example
from harness.errors import UsageError

if TYPE_CHECKING:
    from submissions.keys import KeyEntry, Keyring, KeyRole

ROLES = ("submit", "review", "replicate", "witness", "log", "root")

at_option = click.option("--at", type=click.IntRange(0), metavar="INDEX",
                         help="Place in the round's log  [default: its end]")  # fmt: skip
roles_option = click.option("--role", "roles", multiple=True, type=click.Choice(ROLES),
                            help="What it is for; repeatable  [default: submit]")  # fmt: skip


@click.group(
    cls=Commands,
    epilog=example(
        "levelfield keys new --organisation lab --role review --out lab_key",
        "levelfield keys add lab_key.registration.json --keyring ROUND/keyring.json",
        "levelfield keys list --keyring ROUND/keyring.json",
    ),
)
def keys() -> None:
    """Keys and keyrings: whose key counts, for what, and when."""


@keys.command(
    epilog=example(
        "levelfield keys new --organisation acme --out acme_key",
        "levelfield keys new --organisation acme --existing",
        "levelfield keys new --organisation acme --ssh ~/.ssh/id_ed25519.pub --out acme",
    )
)
@click.option("--organisation", required=True, help="Whose key it is.")
@roles_option
@click.option("--out", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519",
              help="Private key; OUT.pub and OUT.registration.json go beside it.")  # fmt: skip
@click.option("--ssh", type=click.Path(path_type=Path), metavar="FILE",
              help="Register a key that OpenSSH, its agent or a token holds.")  # fmt: skip
@click.option("--existing", is_flag=True, help="Register the key that OUT is; make none.")
@keyring_option
@as_json
def new(
    organisation: str, roles: "tuple[KeyRole, ...]", out: Path, ssh: Path | None, existing: bool,
    keyring: Path, to_json: bool,
) -> None:  # fmt: skip
    """Make a key and its registration, which proves that you hold it, for a round's keeper."""
    from submissions.keyring import register
    from submissions.keys import add_to_keyring, check_organisation, generate, load_private
    from submissions.round_folder import write_whole

    check_organisation(organisation)
    held: tuple[KeyRole, ...] = roles or ("submit",)
    registration = out.with_name(f"{out.name}.registration.json")
    if registration.exists():
        raise UsageError(f"{registration}: exists already; choose another --out")
    if ssh:
        entry = _registered_by_ssh(organisation, held, ssh)
    else:
        if not existing:
            generate(out, organisation)
        entry = register(load_private(out), organisation, held)
    write_whole(registration, entry.to_json().encode())
    # A keyring of one's own may have the key under another name, as keygen's "me"; it keeps it.
    if _read(keyring).find(entry.key_id) is None:
        add_to_keyring(keyring, organisation, entry.key, held)
    if to_json:
        emit({"key_id": entry.key_id, "registration": str(registration), "keyring": str(keyring)})
        return
    click.echo(f"key {entry.key_id[:16]} of {organisation}: {', '.join(held)}")
    click.echo(f"{registration}: give it to the round's keeper")


def _registered_by_ssh(organisation: str, roles: "tuple[KeyRole, ...]", file: Path) -> "KeyEntry":
    from submissions.keyring import register_by_ssh, registration_bytes
    from submissions.keys import load_public
    from submissions.sshsig import ask_ssh_keygen, read_armoured, unarmour

    public = file if file.suffix == ".pub" else file.with_name(f"{file.name}.pub")
    message = registration_bytes(organisation, load_public(public), roles)
    armoured = ask_ssh_keygen(message, file)
    signature = read_armoured(armoured, str(file))
    return register_by_ssh(organisation, roles, signature, unarmour(armoured, str(file)))


@keys.command(
    epilog=example(
        "levelfield keys add lab.registration.json --keyring ROUND/keyring.json",
        "levelfield keys add lab.pub --organisation lab --role review",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--organisation", help="Of a .pub file, which does not say whose it is.")
@roles_option
@keyring_option
@at_option
@as_json
def add(
    file: Path, organisation: str | None, roles: "tuple[KeyRole, ...]", keyring: Path,
    at: int | None, to_json: bool,
) -> None:  # fmt: skip
    """Add a key: by its registration, or, to a keyring of your own, a .pub file."""
    from submissions.keyring import admit, write_keyring
    from submissions.keys import add_to_keyring, load_public

    if file.suffix == ".pub":
        if organisation is None or _is_of_a_round(keyring):
            raise UsageError(
                f"{file}: a bare public key needs --organisation, and is for your own keyring; "
                "to a round give what levelfield keys new made"
            )
        changed = add_to_keyring(keyring, organisation, load_public(file), roles or ("submit",))
    else:
        changed = admit(_read(keyring), _registration(file), _place(keyring, at))
        write_keyring(keyring, changed)
    _tell(changed.keys[-1], keyring, to_json)


@keys.command("list", epilog=example("levelfield keys list --keyring ROUND/keyring.json"))
@keyring_option
@as_json
def list_(keyring: Path, to_json: bool) -> None:
    """List the keys of a keyring with their lives."""
    from harness.console import table

    held = _read(keyring)
    if to_json:
        emit(json.loads(held.to_json()))
        return
    rows = [[one.organisation, one.key_id[:16], ", ".join(one.roles), _life(one)]
            for one in held.keys]  # fmt: skip
    table(str(keyring), ["organisation", "key", "roles", "counts"], rows)
    if held.threshold:
        roots = ", ".join(key_id[:16] for key_id in held.threshold.roots)
        click.echo(f"{held.threshold.threshold} of these root keys must sign it: {roots}")


@keys.command(
    epilog=example("levelfield keys rotate 21fe31df new.registration.json --keyring R/keyring.json")
)
@click.argument("old")
@click.argument("file", type=click.Path(path_type=Path))
@keyring_option
@at_option
@as_json
def rotate(old: str, file: Path, keyring: Path, at: int | None, to_json: bool) -> None:
    """Let a registered key stand for the key OLD (its id's beginning) from here on."""
    from submissions.keyring import rotate as rotate_key
    from submissions.keyring import write_keyring

    changed = rotate_key(_read(keyring), old, _registration(file), _place(keyring, at))
    write_keyring(keyring, changed)
    _tell(changed.keys[-1], keyring, to_json)


@keys.command(
    epilog=example(
        'levelfield keys revoke 21fe31df --reason "laptop stolen" --keyring R/keyring.json'
    )
)
@click.argument("key_id")
@click.option("--reason", required=True, help="Why, for everybody to read.")
@keyring_option
@at_option
@as_json
def revoke(key_id: str, reason: str, keyring: Path, at: int | None, to_json: bool) -> None:
    """End a key's life; what it signed and was logged before still counts."""
    from submissions.keyring import close, find_key, write_keyring

    changed = close(_read(keyring), key_id, "revoked", _place(keyring, at), reason)
    write_keyring(keyring, changed)
    _tell(find_key(changed, key_id), keyring, to_json)


@keys.command(
    epilog=example(
        "levelfield keys roots 21fe31df 9c04a1b2 3d0e77aa --threshold 2 --keyring R/k.json"
    )
)
@click.argument("key_ids", nargs=-1, required=True)
@click.option("--threshold", type=click.IntRange(1), required=True, help="How many must sign.")
@keyring_option
@as_json
def roots(key_ids: tuple[str, ...], threshold: int, keyring: Path, to_json: bool) -> None:
    """Choose the root keys, of which so many must sign the keyring."""
    from submissions.keyring import write_keyring
    from submissions.keyring_release import set_roots

    changed = set_roots(_read(keyring), key_ids, threshold)
    write_keyring(keyring, changed)
    assert changed.threshold is not None
    if to_json:
        emit(changed.threshold.model_dump(mode="json"))
    else:
        click.echo(f"{keyring}: {threshold} of {count(len(key_ids), 'root key')} must sign it")


for command in (sign, check, export):
    keys.add_command(command)


def _registration(file: Path) -> "KeyEntry":
    from submissions.keys import KeyEntry
    from submissions.strict_json import read_record

    return read_record(KeyEntry, _bytes(file), str(file))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}; name a file") from error


def _read(keyring: Path) -> "Keyring":
    from submissions.keys import Keyring

    return Keyring.read(keyring) if keyring.exists() else Keyring()


def _is_of_a_round(keyring: Path) -> bool:
    return (keyring.parent / "round.json").exists()


def _place(keyring: Path, at: int | None) -> int:
    """The place in the log that is meant: where the next entry will stand; 0 without a log."""
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    if at is not None or not _is_of_a_round(keyring):
        return at or 0
    return RoundLog.open(RoundFolder(keyring.parent)).size


def _life(entry: "KeyEntry") -> str:
    until = "" if entry.to_index is None else f" to {entry.to_index}"
    reason = f": {ascii(entry.reason)[1:-1]}" if entry.reason else ""
    return f"{entry.status}, from {entry.from_index}{until}{reason}"


def _tell(entry: "KeyEntry", keyring: Path, to_json: bool) -> None:
    if to_json:
        told: dict[str, Any] = json.loads(entry.to_json())
        emit({"keyring": str(keyring), **told})
    else:
        click.echo(f"{keyring}: key {entry.key_id[:16]} of {entry.organisation}: {_life(entry)}")
