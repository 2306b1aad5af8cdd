"""``levelfield log commit`` and ``reveal``: a bundle is promised now and shown later."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import as_json, bundle_argument, emit, example

if TYPE_CHECKING:
    from submissions.log_entry import LogEntry

folder_argument = click.argument("folder", type=click.Path(path_type=Path))


def refuse_existing(path: Path) -> None:
    """Refuse with `LevelfieldError` to write over a file."""
    from harness.errors import LevelfieldError

    if path.exists() or path.is_symlink():
        raise LevelfieldError(f"{path}: exists already; choose another --out")


def promised(commitment: str, by: str) -> "LogEntry":
    """The entry for a commitment as `commit` printed it; `UsageError` if it was mistyped."""
    from pydantic import ValidationError

    from harness.errors import UsageError
    from submissions.receipt import commitment_entry

    try:
        return commitment_entry(commitment, by)
    except ValidationError as error:
        raise UsageError(
            f"--commitment {commitment[:64]!a} --by {by[:64]!a}: not a SHA-256 in hex and an "
            "organisation; copy what log commit printed"
        ) from error


@click.command(
    epilog=example(
        "levelfield log commit bundles/1 submissions/rounds/2026.1 --out opening.json",
        "levelfield log commit bundles/1 rounds/1 --out opening.json --key log_key",
    )
)
@bundle_argument
@folder_argument
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="New file for what opens the commitment; keep it to yourself.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path),
              help="The log's private key, where you keep the log yourself.")  # fmt: skip
@as_json
def commit(bundle: Path, folder: Path, out: Path, key: Path | None, to_json: bool) -> None:
    """Promise a bundle before the deadline without showing it: only a salted digest is logged."""
    from submissions.bundle import Bundle
    from submissions.keys import load_private
    from submissions.receipt import Opening
    from submissions.round_folder import RoundFolder, write_whole
    from submissions.round_log import RoundLog

    refuse_existing(out)
    opened, held = RoundLog.open(RoundFolder(folder)), Bundle.open(bundle, logs=False)
    opening = Opening.new(opened.origin, held.manifest.submitter, held.manifest_sha256)
    write_whole(out, opening.to_json().encode())
    told = {"commitment": opening.commitment, "by": opening.submitter, "opening": str(out)}
    if key:
        (index,) = opened.append([opening.committed()], load_private(key))
        path = opened.folder.receipts / f"{opening.commitment[:16]}.json"
        write_whole(path, opened.prove(index).to_json().encode())
        told["receipt"] = str(path)
    if to_json:
        emit(told)
        return
    click.echo(f"{out}: opens the commitment; keep it, and show it to nobody before log reveal")
    click.echo(
        f"receipt: {told['receipt']}"
        if key
        else f"have it logged: --commitment {opening.commitment} --by {opening.submitter}"
    )


@click.command(epilog=example("levelfield log reveal opening.json submissions/rounds/2026.1"))
@click.argument("opening", type=click.Path(path_type=Path))
@folder_argument
@click.option("--key", type=click.Path(path_type=Path),
              help="The log's private key, where you keep the log yourself.")  # fmt: skip
@as_json
def reveal(opening: Path, folder: Path, key: Path | None, to_json: bool) -> None:
    """Keep a promise: the signed statement of the bundle, handed in before, goes into the log.

    Refused if the log holds no commitment to this very bundle. Without --key the files are laid
    into the folder, and the log's keeper appends them with log append.
    """
    from submissions.bundle import Bundle
    from submissions.keys import load_private
    from submissions.reveal import attested, read_opening
    from submissions.reveal import reveal as keep_promise
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    opened, promise = RoundLog.open(RoundFolder(folder)), read_opening(opening)
    held = opened.folder.bundle_path(promise.submitter, promise.bundle)
    entry = keep_promise(opened, promise, attested(Bundle.open(held, logs=False), opened))
    indices = opened.append([entry], load_private(key)) if key else []
    if to_json:
        emit({"bundle": promise.bundle, "envelope": entry.envelope, "appended": indices})
    elif indices:
        click.echo(f"bundle {promise.bundle}: revealed as entry {indices[0]}")
    else:
        paths = [
            opened.folder.envelope_path(entry.envelope),
            opened.folder.root / opened.opening_path(promise.bundle),
        ]
        click.echo(f"bundle {promise.bundle}: laid out; the log's keeper appends it (log append)")
        click.echo(f"next: git add {' '.join(map(str, paths))}")
