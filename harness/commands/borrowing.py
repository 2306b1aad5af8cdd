"""``levelfield hparams``: show a bundle's hyperparameters, or borrow them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    Commands,
    as_json,
    bundle_argument,
    count,
    emit,
    example,
)

if TYPE_CHECKING:
    pass


@click.group(
    cls=Commands,
    epilog=example(
        "levelfield hparams show bundles/1",
        "levelfield hparams borrow --from bundles/1 --into borrowed.toml",
    ),
)
def hparams() -> None:
    """Hyperparameters of a bundle: show them, or borrow a set as a group."""


@hparams.command("show", epilog=example("levelfield hparams show bundles/1 --json"))
@bundle_argument
@as_json
def hparams_show(bundle: Path, to_json: bool) -> None:
    """Show each training's whole set beside the card's defaults."""
    from harness.console import table
    from submissions.borrowing import SETTINGS_HEADER, settings_rows, training_settings
    from submissions.bundle import Bundle

    opened = Bundle.open(bundle)
    found = training_settings(opened)
    if to_json:
        emit({"bundle": opened.id, "results": [one.model_dump(mode="json") for one in found]})
        return
    for one in found:
        table(f"{one.workload}, {one.division} division", SETTINGS_HEADER, settings_rows(one))
        for source in one.borrowed_from:
            click.echo(f"borrowed from bundle {source.bundle}")
    if not found:
        click.echo(f"bundle {opened.id} has no training result")


@hparams.command(
    "borrow", epilog=example("levelfield hparams borrow --from bundles/1 --into borrowed.toml")
)
@click.option("--from", "lender", required=True, type=click.Path(path_type=Path), metavar="BUNDLE",
              help="Bundle whose hyperparameters to take.")  # fmt: skip
@click.option("--into", required=True, type=click.Path(path_type=Path), metavar="CONFIG",
              help="New TOML file for levelfield run --hparams.")  # fmt: skip
@click.option("--workload", help="Which training result, if the bundle has several.")
@as_json
def hparams_borrow(lender: Path, into: Path, workload: str | None, to_json: bool) -> None:
    """Take the hyperparameters of a result as a group; its batch size alone may be changed."""
    from submissions.borrowing import borrow
    from submissions.bundle import Bundle

    taken = borrow(Bundle.open(lender), into, workload)
    source = taken.borrowed_from
    if to_json:
        emit({"config": str(into), **taken.model_dump(mode="json")})
    else:
        click.echo(f"{into}: {count(len(taken.hyperparameters), 'hyperparameter')} of bundle "
                   f"{source.bundle} of {source.submitter}; next: levelfield run "
                   f"{source.workload} --round {source.round} --hparams {into}")  # fmt: skip
