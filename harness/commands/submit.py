"""``levelfield submit``: hand a bundle in to a round."""

from pathlib import Path

import click

from harness.commands.options import as_json, bundle_argument, emit, example
from harness.commands.round_options import FOLDER, LOG_KEY, OWN_KEY, append


@click.command(
    epilog=example(
        "levelfield submit bundles/1 --round 2026.1",
        "levelfield submit bundles/1 --round 2026.1 --folder results/2026.1",
    )
)
@bundle_argument
@click.option("--round", "round_name", required=True, help="Which round it is handed in to.")
@FOLDER
@OWN_KEY
@LOG_KEY
@as_json
def submit(
    bundle: Path, round_name: str, folder: Path | None, key: Path, log_key: Path | None,
    to_json: bool,
) -> None:  # fmt: skip
    """Lay a signed bundle out in a round's folder, and say what to commit."""
    from harness.errors import UsageError
    from submissions.bundle import Bundle
    from submissions.keys import load_private
    from submissions.review.docket import Docket
    from submissions.review.submission import submit as hand_in
    from submissions.round_folder import RoundFolder

    docket = Docket(RoundFolder(folder) if folder else RoundFolder.of_round(round_name))
    if docket.reader.info.round != round_name:
        raise UsageError(f"{folder}: of round {docket.reader.info.round}, not of {round_name}")
    opened = Bundle.open(bundle, logs=False)
    by = docket.organisation(load_private(key))
    target, envelopes = hand_in(opened, docket, by)
    index = append(docket, log_key)
    paths = [str(target), *(str(docket.folder.envelope_path(one)) for one in envelopes)]
    if to_json:
        emit({"bundle": opened.id, "folder": str(target), "index": index, "commit": paths})
        return
    place = f"entry {index}" if index is not None else "waits for the log"
    click.echo(f"bundle {opened.id} in {target}: {place}")
    click.echo("next, on a branch of your own, for a pull request:")
    click.echo(f"  git add {' '.join(paths)}")
    click.echo(f'  git commit -m "{by} submits {opened.id}"')
