"""``levelfield review status``, ``show`` and ``pending``: where a round's bundles stand."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import as_json, count, emit, example
from harness.commands.round_options import BUNDLE, FOLDER, open_docket

if TYPE_CHECKING:
    from submissions.bundle import Bundle
    from submissions.review.docket import Docket
    from submissions.review.status import Status

ROUND = "round.json"
"""By which a round's folder is known."""


@click.command(epilog=example("levelfield review status", "levelfield review status --json"))
@FOLDER
@as_json
def status(folder: Path | None, to_json: bool) -> None:
    """Show where every bundle of a round stands, by replaying its log.

    Exits with 1 if an envelope is missing, for then nothing can be told.
    """
    tell_round(open_docket(folder), to_json)


def tell_round(docket: "Docket", to_json: bool) -> None:
    """Print the status of every bundle; refuse a log that is not what its checkpoint says."""
    from harness.console import table
    from submissions.review.telling import (
        STATUS_HEADER,
        ignored_lines,
        status_rows,
        waiver_lines,
    )

    missing, statuses = docket.replay.missing, list(docket.replay.statuses().values())
    _verify_log(docket)
    name = docket.reader.info.round
    if to_json:
        found = [_as_json(one) for one in statuses]
        emit({"round": name, "entries": len(docket.entries), "missing": missing, "bundles": found})
    else:
        table(
            f"Round {name}, log of size {len(docket.entries)}", STATUS_HEADER, status_rows(statuses)
        )
        for one in statuses:
            for line in waiver_lines(one):
                click.echo(f"{one.bundle}:{line}")
        for line in ignored_lines(docket.replay.unplaced):
            click.echo(line)
        if missing:
            click.echo(f"cannot be told: {missing}")
    if missing:
        raise SystemExit(1)


def _verify_log(docket: "Docket") -> None:
    """Refuse a log that is not what its checkpoint says; what is missing the statuses tell."""
    from submissions.round_log import RoundLog

    if not docket.replay.missing:
        RoundLog.open(docket.folder).verify()


def stands_in_its_round(bundle: "Bundle") -> "list[Status]":
    """The status of a bundle that lies in a round's folder, if the log knows it; else nothing."""
    root = round_of(bundle)
    statuses = open_docket(root).replay.statuses() if root else {}
    return [statuses[bundle.id]] if bundle.id in statuses else []


def round_of(bundle: "Bundle") -> Path | None:
    """The round's folder in which a bundle lies, if it lies in one."""
    root = bundle.root.resolve().parent.parent
    return root if (root / ROUND).is_file() else None


def _as_json(status: "Status") -> dict[str, object]:
    found: dict[str, object] = json.loads(status.model_dump_json())
    return found


@click.command(epilog=example("levelfield review show kqzv", "levelfield review show kqzv --json"))
@BUNDLE
@FOLDER
@as_json
def show(bundle: str, folder: Path | None, to_json: bool) -> None:
    """Show everything that a round's log says about one bundle."""
    from submissions.review.case import lineage
    from submissions.review.telling import details, history

    docket = open_docket(folder)
    _verify_log(docket)
    case = docket.case(bundle)
    found = docket.replay.statuses()[case.bundle]
    if to_json:
        emit(_as_json(found))
    else:
        held = [one.bundle for one in lineage(case, docket.replay.cases)]
        for line in [*details(found), "", *history(docket.entries, held)]:
            click.echo(line)
    if docket.replay.missing:
        raise SystemExit(1)


@click.command(epilog=example("levelfield review pending", "levelfield review pending --json"))
@FOLDER
@as_json
def pending(folder: Path | None, to_json: bool) -> None:
    """Check what was handed in and is not logged yet, as log append will; change nothing.

    Bundles are opened and verified, statements judged as the log's next entries. Exits with 1
    if one may not be taken in.
    """
    from submissions.review.submission import admit

    docket = open_docket(folder)
    left = admit(docket)
    if to_json:
        refused = {one.envelope: one.reason for one in left}
        emit({"admitted": [entry.envelope for entry in docket.waiting], "refused": refused})
    else:
        for one in left:
            click.echo(f"refused: {one.envelope}: {one.reason}")
        click.echo(f"{count(len(docket.waiting), 'statement')} may be appended")
    if left:
        raise SystemExit(1)
