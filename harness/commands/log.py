"""``levelfield log``: the log of a round: made, extended, shown, proved, verified, witnessed."""

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    HOME,
    KEY,
    Commands,
    as_json,
    emit,
    example,
    tell,
)
from harness.commands.promising import commit, folder_argument, promised, refuse_existing, reveal

if TYPE_CHECKING:
    from submissions.keys import Keyring
    from submissions.round_log import RoundLog

log_key = click.option("--key", type=click.Path(path_type=Path), default=KEY,
                       show_default="~/.levelfield/id_ed25519",
                       help="The log's private key.")  # fmt: skip
keyring_option = click.option("--keyring", type=click.Path(path_type=Path), metavar="FILE",
                              show_default="the round's own",
                              help="Keys you trust; of root keys it has, the round's keyring "
                              "must be signed.")  # fmt: skip


@click.group(
    cls=Commands,
    epilog=example(
        "levelfield log show submissions/rounds/2026.1",
        "levelfield log verify submissions/rounds/2026.1 --witnesses 2",
    ),
)
def log() -> None:
    """The log of a round, which only grows: whatever was said in it stays."""


@log.command(
    epilog=example("levelfield log init submissions/rounds/2026.1 --round 2026.1 --origin a.org/1")
)
@folder_argument
@click.option("--round", "round_name", required=True, help="Round that the log is of.")
@click.option("--origin", required=True, metavar="NAME",
              help="Name of the log, like an address without https://.")  # fmt: skip
@log_key
@as_json
def init(folder: Path, round_name: str, origin: str, key: Path, to_json: bool) -> None:
    """Make a round's folder with an empty log, or the log in a folder that has a keyring."""
    from pydantic import ValidationError

    from harness.errors import LevelfieldError, UsageError
    from submissions.keys import load_private
    from submissions.round_folder import RoundFolder, RoundInfo
    from submissions.round_log import RoundLog

    private = load_private(key)
    try:
        info = RoundInfo(round=round_name, nonce=secrets.token_hex(16), origin=origin)
    except ValidationError as error:
        raise UsageError(
            f"--origin {origin[:128]!a} or --round {round_name[:64]!a}: not a name for it; "
            "use a-z 0-9 . _ -, the origin in parts between slashes"
        ) from error
    made = RoundFolder.create(folder, info)
    try:
        RoundLog.open(made).append([], private)
    except LevelfieldError:
        made.round_file.unlink()  # so that it can be tried again
        raise
    if to_json:
        emit({"folder": str(folder), **info.model_dump(mode="json", by_alias=True)})
    else:
        click.echo(f"{folder}: the log {origin} of round {round_name}, without entries")


@log.command(
    epilog=example(
        "levelfield log append submissions/rounds/2026.1 --key log_key",
        "levelfield log append rounds/1 --envelope slots.dsse.json",
        "levelfield log append rounds/1 --commitment ab12 --by acme",
    )
)
@folder_argument
@log_key
@click.option("--envelope", "envelopes", type=click.Path(path_type=Path), multiple=True,
              metavar="FILE",
              help="Lay this signed statement into the folder first; repeatable.")  # fmt: skip
@click.option("--commitment", metavar="SHA256", help="Log what log commit printed.")
@click.option("--by", metavar="ORGANISATION", help="Who commits.")
@as_json
def append(
    folder: Path, key: Path, envelopes: tuple[Path, ...], commitment: str | None, by: str | None,
    to_json: bool,
) -> None:  # fmt: skip
    """Append every envelope in the folder that the log does not point to yet.

    A keyring that its root keys signed anew comes first, then bundles and what is said of them.
    Bundles are opened and verified. What may not be taken in (a role that the signer has not, a
    conflict of interest, a bundle that is not there) is told with the reason; exit code 1.
    """
    from harness.errors import UsageError
    from submissions.keys import load_private
    from submissions.reveal import waiting_reveals
    from submissions.review.docket import Docket
    from submissions.review.submission import admit
    from submissions.round_folder import MAX_ENVELOPE_BYTES, RoundFolder, read_inside
    from submissions.round_log import RoundLog

    if (commitment is None) != (by is None):
        raise UsageError("--commitment and --by: one needs the other; give both")
    private, opened = load_private(key), RoundLog.open(RoundFolder(folder))
    for path in envelopes:
        opened.folder.write_envelope(read_inside(path.parent, path.name, MAX_ENVELOPE_BYTES))
    keyring = opened.keyring_entry()
    reveals, refused = waiting_reveals(opened)
    entries = [*([keyring] if keyring else []), *reveals]
    if commitment and by:
        entries.append(promised(commitment, by))
    indices = opened.append(entries, private) if entries else []
    docket = Docket(opened.folder)
    refused |= {one.envelope: one.reason for one in admit(docket)}
    indices += docket.append(private) if docket.waiting else []
    if to_json:
        emit({"appended": indices, "size": RoundLog.open(opened.folder).size, "refused": refused})
    else:
        click.echo(f"{folder}: {_entries(len(indices))} appended")
        for name, reason in refused.items():
            tell(f"left out {name}: {reason}")
    if refused:
        raise SystemExit(1)


def _entries(number: int) -> str:
    return f"{number} entry" if number == 1 else f"{number} entries"


@log.command(epilog=example("levelfield log show submissions/rounds/2026.1 --json"))
@folder_argument
@as_json
def show(folder: Path, to_json: bool) -> None:
    """List the entries: who said what about which bundle, in the order in which it was said."""
    from harness.console import table
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    opened = RoundLog.open(RoundFolder(folder))
    entries = list(opened.entries())
    if to_json:
        said = [entry.model_dump(mode="json", by_alias=True) for entry in entries]
        emit({"origin": opened.origin, "size": opened.size, "root": opened.checkpoint.root.hex(),
              "entries": said})  # fmt: skip
        return
    rows = [
        [str(i), one.kind, one.actor, one.subject or "-",
         one.predicate_type.removeprefix("urn:levelfield:predicate/"), one.envelope[:16]]
        for i, one in enumerate(entries)
    ]  # fmt: skip
    header = ["entry", "kind", "by", "bundle", "what", "envelope"]
    table(f"{opened.origin}: {_entries(opened.size)}", header, rows)


@log.command(epilog=example("levelfield log prove submissions/rounds/2026.1 12 --out receipt.json"))
@folder_argument
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path), help="New file for the receipt.")
@as_json
def prove(folder: Path, index: int, out: Path | None, to_json: bool) -> None:
    """Give a receipt of an entry that the log provably holds, for checking without the log."""
    from submissions.round_folder import RoundFolder, write_whole
    from submissions.round_log import RoundLog

    receipt = RoundLog.open(RoundFolder(folder)).prove(index)
    if out:
        refuse_existing(out)
        write_whole(out, receipt.to_json().encode())
    if to_json:
        emit(receipt.model_dump(mode="json", by_alias=True))
    else:
        size = receipt.checkpoint.splitlines()[1]
        click.echo(f"entry {index} is in the log of {size}"
                   + (f": {out}" if out else "; --out keeps them"))  # fmt: skip


@log.command(
    epilog=example(
        "levelfield log verify submissions/rounds/2026.1",
        "levelfield log verify rounds/1 --since seen --witnesses 2 --max-age 48",
        "levelfield log verify rounds/1 --receipt receipt.json",
    )
)
@folder_argument
@keyring_option
@click.option("--since", type=click.Path(path_type=Path), metavar="CHECKPOINT",
              help="Also hold it to this checkpoint, which somebody kept.")  # fmt: skip
@click.option("--receipt", type=click.Path(path_type=Path), metavar="FILE",
              help="Also hold it to this receipt.")  # fmt: skip
@click.option("--witnesses", type=click.IntRange(min=0), default=0, show_default=True,
              help="Organisations that must have cosigned it.")  # fmt: skip
@click.option("--max-age", type=click.FloatRange(min=0), metavar="HOURS",
              help="How long ago the latest witness may have looked.")  # fmt: skip
@click.option("--seen", type=click.Path(path_type=Path), default=HOME / "logs",
              show_default="~/.levelfield/logs", help="Where you keep what you saw.")  # fmt: skip
@as_json
def verify(
    folder: Path, keyring: Path | None, since: Path | None, receipt: Path | None, witnesses: int,
    max_age: float | None, seen: Path, to_json: bool,
) -> None:  # fmt: skip
    """Replay the whole log, and hold it to what you saw of it before.

    The checkpoint, once believed, is kept: next time the log must have grown from there.
    """
    from submissions.witness import Memory, check_kept, check_seen, check_witnessed
    from submissions.witness import read_checkpoint as read

    opened, trusted = _opened(folder, keyring)
    entries, memory = opened.verify(trusted), Memory(seen)
    earlier = check_seen(opened, trusted, memory)
    if since:
        check_kept(opened, trusted, read(since), str(since))
    if receipt:
        _hold_to(opened, trusted, receipt)
    assert opened.note is not None  # verified above
    since_s = None if max_age is None else int(time.time() - max_age * 3600)
    found = check_witnessed(opened.note, trusted, witnesses, since_s)
    memory.keep(opened.note)
    names = [one.entry.organisation for one in found]
    if to_json:
        before = earlier.checkpoint.size if earlier else None
        emit({"origin": opened.origin, "size": len(entries), "witnesses": names,
              "root": opened.checkpoint.root.hex(), "seen_before": before})  # fmt: skip
        return
    grown = f"grown from the {earlier.checkpoint.size} seen before" if earlier else "seen first now"
    click.echo(f"{opened.origin}: {_entries(len(entries))}, all there and unchanged; {grown}")
    click.echo(f"witnesses: {', '.join(names) or 'none'}")
    if keyring is None:
        click.echo("keys: the round's own keyring; --keyring names yours")


def _opened(folder: Path, keyring: Path | None) -> tuple["RoundLog", "Keyring"]:
    from submissions.keys import Keyring
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    opened = RoundLog.open(RoundFolder(folder))
    if keyring is None:
        return opened, opened.keyring()
    mine = Keyring.read(keyring)
    anchors = tuple(entry for entry in mine.keys if "root" in entry.roles)
    return opened, opened.keyring(anchors) if anchors else mine


def _hold_to(opened: "RoundLog", trusted: "Keyring", path: Path) -> None:
    from submissions.receipt import read_receipt
    from submissions.witness import check_growth

    receipt = read_receipt(path)
    check_growth(opened, receipt.verify(trusted, opened.origin, str(path)), str(path))


@log.command(epilog=example("levelfield log witness submissions/rounds/2026.1 --key witness_key"))
@folder_argument
@click.option("--key", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519", help="The witness's own key.")  # fmt: skip
@keyring_option
@click.option("--seen", type=click.Path(path_type=Path), default=HOME / "witness",
              show_default="~/.levelfield/witness",
              help="Where the witness keeps what it cosigned.")  # fmt: skip
@as_json
def witness(folder: Path, key: Path, keyring: Path | None, seen: Path, to_json: bool) -> None:
    """Cosign the log's checkpoint, if the log has only grown since you cosigned it last."""
    from submissions.keys import load_private
    from submissions.witness import Memory
    from submissions.witness import witness as cosign

    opened, trusted = _opened(folder, keyring)
    note = cosign(opened, trusted, Memory(seen), load_private(key), int(time.time()))
    if to_json:
        emit(
            {"origin": opened.origin, "size": opened.size, "cosigned_by": note.signatures[-1].name}
        )
    else:
        click.echo(
            f"{opened.origin}: {_entries(opened.size)}, cosigned as {note.signatures[-1].name}"
        )


log.add_command(commit)
log.add_command(reveal)
