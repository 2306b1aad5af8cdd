"""``levelfield intents``: the log of runs that were announced before they started."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import HOME, KEY, KEYRING, Commands, as_json, emit, example, tell
from harness.errors import LevelfieldError, UsageError

if TYPE_CHECKING:
    from harness.intents import Line
    from harness.journal import Journal
    from submissions.intents import Registration
    from submissions.keys import Keyring

FOLDER = HOME / "intents"

intents_option = click.option(
    "--intents", "intents_path", type=click.Path(path_type=Path), metavar="FILE",
    help="Log of started runs  [default: ~/.levelfield/intents/ROUND.jsonl]",
)  # fmt: skip
_round = click.option("--round", "round_name", default="practice", show_default=True,
                      help="Whose log.")  # fmt: skip
_source = click.argument("source", required=False, type=click.Path(path_type=Path))
_key = click.option("--key", type=click.Path(path_type=Path), default=KEY,
                    show_default="~/.levelfield/id_ed25519", help="Private key.")  # fmt: skip
_statement = click.option("--out", type=click.Path(path_type=Path), required=True,
                          help="Signed statement for the round's log.")  # fmt: skip


def default_log(round_name: str) -> Path:
    """Where the log of this user's runs for a round is kept."""
    return FOLDER / f"{round_name}.jsonl"


def open_journal(round_name: str, path: Path | None, key: Path = KEY) -> "Journal":
    """The log of a round, to be written to; signed if the user has a key without a passphrase.

    Carries the round's nonce where its folder lies in the current one. `LevelfieldError` if it
    cannot be written.
    """
    from harness.journal import Journal
    from submissions.intents import signer
    from submissions.round_folder import RoundFolder

    sign, folder = None, RoundFolder.of_round(round_name)
    if key.exists():
        try:
            sign = signer(key)
        except LevelfieldError as error:
            tell(f"runs are announced without a signature: {error}")
    nonce = folder.info().nonce if folder.round_file.exists() else None
    return Journal(path or default_log(round_name), round_name, sign, nonce)


@click.group(
    cls=Commands, epilog=example("levelfield intents show", "levelfield intents verify b1")
)
def intents() -> None:
    """Runs that were announced before they started: shown, verified, set aside, withdrawn.

    Each levelfield run writes a line before it starts and one when it has ended.
    """


@intents.command(epilog=example("levelfield intents show", "levelfield intents show bundles/1"))
@_source
@_round
@as_json
def show(source: Path | None, round_name: str, to_json: bool) -> None:
    """List the lines of your own log, of a bundle's, or of a file."""
    from harness.commands.intent_rows import HEADER, row
    from harness.console import table

    lines, where, _ = _read(source, round_name)
    if to_json:
        emit([json.loads(line.to_bytes()) for line in lines])
        return
    signed = sum(line.signature is not None for line in lines)
    title = f"{where}: {len(lines)} lines, {signed} signed"
    table(title, HEADER, [row(line) for line in lines])


def _read(source: Path | None, round_name: str) -> "tuple[tuple[Line, ...], str, str | None]":
    """The lines of a bundle, of a file, or of the user's own log; a bundle's submitter."""
    from submissions.bundle import Bundle
    from submissions.intents import read_log

    path = source or default_log(round_name)
    if source and (source.is_dir() or source.suffix == ".zip"):
        opened = Bundle.open(source)
        found = opened.submission.intents
        if found is None:
            raise LevelfieldError(f"{source}: holds no log of started runs; it is of before")
        return found, str(source), opened.manifest.submitter
    try:
        return read_log(path.read_bytes(), str(path)), str(path), None
    except FileNotFoundError as error:
        raise LevelfieldError(
            f"{path}: no such log; levelfield run --round ROUND begins one"
        ) from error


@intents.command(
    epilog=example(
        "levelfield intents verify bundles/1",
        "levelfield intents verify bundles/1 --log submissions/rounds/2026.1",
        "levelfield intents verify bundles/1 --registered slots.dsse.json",
    )
)
@_source
@_round
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@click.option("--registered", type=click.Path(path_type=Path), metavar="STATEMENT",
              help="Statement of earlier lines, as the round's log has it.")  # fmt: skip
@click.option("--log", "round_folder", type=click.Path(path_type=Path), metavar="ROUND",
              help="Round's folder: its keyring, and all that the submitter registered.",
)  # fmt: skip
@as_json
def verify(
    source: Path | None, round_name: str, keyring: Path, registered: Path | None,
    round_folder: Path | None, to_json: bool,
) -> None:  # fmt: skip
    """Check that a log is whole, that its signatures hold, and that it continues another."""
    from rules.intents import faults
    from submissions.intents import check_signatures
    from submissions.keys import Keyring

    lines, where, submitter = _read(source, round_name)
    held = lines[0].head.round if lines else round_name
    for line, fault in faults(lines, held):
        raise LevelfieldError(f"{where}: line {line.head.index + 1} {fault}; ask for the true log")
    told: list[Registration] = []
    if round_folder:
        keys, told = _registrations(lines, round_folder, submitter, where)
    else:
        keys = Keyring.read(keyring) if keyring.exists() else Keyring()
    found = check_signatures(lines, keys, submitter, where)
    if registered:
        _check_registered(lines, registered, keys, where)
    if to_json:
        emit({"lines": len(lines), **asdict(found), "registered": registered is not None,
              "registrations": [asdict(one) for one in told]})  # fmt: skip
        return
    beyond = ", and continues what was registered" if registered else ""
    click.echo(f"{where}: {len(lines)} lines follow each other, {found.signed} of them "
               f"signed{beyond}")  # fmt: skip
    for one in told:
        click.echo(one.fault or f"entry {one.entry}: registered {one.lines} of these lines")


def _registrations(
    lines: "tuple[Line, ...]", folder: Path, submitter: str | None, where: str
) -> "tuple[Keyring, list[Registration]]":
    """The round's keyring, and what its log holds of the submitter's; refused if none fits."""
    from submissions.intents import registrations
    from submissions.round_folder import RoundFolder
    from submissions.round_log import RoundLog

    if submitter is None:
        raise UsageError("--log: is for a bundle, whose submitter is known; name one")
    log = RoundLog.open(RoundFolder(folder))
    keyring = log.keyring()
    told = registrations(lines, log.verify(keyring), log.folder.read_envelope, keyring, submitter)
    if told and all(one.fault for one in told):
        raise LevelfieldError(
            f"{where}: continues nothing that {submitter} registered in the round's log: "
            f"{told[0].fault}"
        )
    return keyring, told


def _check_registered(
    lines: "tuple[Line, ...]", registered: Path, keys: "Keyring", where: str
) -> None:
    from submissions.intents import RUN_INTENT, RunIntents, check_registered
    from submissions.statement import open_statement

    opened = open_statement(
        registered.read_bytes(), str(registered), keys.keys, RUN_INTENT, RunIntents
    )
    check_registered(lines, opened, where)


@intents.command(
    epilog=example(
        "levelfield intents block --count 20 --workload image_classification "
        "--round 2026.1 --out slots.dsse.json",
    )
)
@click.option("--count", type=click.IntRange(1, 10_000), required=True, help="How many runs.")
@click.option("--workload", required=True, help="Of which workload.")
@click.option("--scenario", default="train", show_default=True, help="In which scenario.")
@_round
@intents_option
@_key
@_statement
@as_json
def block(
    count: int, workload: str, scenario: str, round_name: str, intents_path: Path | None,
    key: Path, out: Path, to_json: bool,
) -> None:  # fmt: skip
    """Set numbered runs aside beforehand, for a machine without a connection.

    Take the log to the machine; its runs take the slots in order, and unused ones are seen. The
    statement goes into the round's log before.
    """
    from harness.records import Scenario
    from rules.round import read_round
    from workloads.catalogue import load_card

    card, terms = load_card(workload), read_round(round_name)
    if scenario not in [one.value for one in card.scenarios]:
        known = ", ".join(one.value for one in card.scenarios)
        raise LevelfieldError(f"--scenario {scenario}: not one of {card.name}; known: {known}")
    journal = _keyed_journal(terms.name, intents_path, key, out)
    journal.reserve(card.name, Scenario(scenario), count, _now_ms())
    _register(journal, key, out, to_json)


@intents.command(epilog=example("levelfield intents register --round 2026.1 --out runs.dsse.json"))
@_round
@intents_option
@_key
@_statement
@as_json
def register(
    round_name: str, intents_path: Path | None, key: Path, out: Path, to_json: bool
) -> None:
    """State how far your log reaches, for the round's log: nothing before can change then."""
    _register(_keyed_journal(round_name, intents_path, key, out), key, out, to_json)


def _keyed_journal(round_name: str, path: Path | None, key: Path, out: Path) -> "Journal":
    from submissions.keys import load_private

    load_private(key)  # refused before anything is written
    if out.exists():
        raise LevelfieldError(f"{out}: exists already; choose another --out")
    return open_journal(round_name, path, key)


def _register(journal: "Journal", key: Path, out: Path, to_json: bool) -> None:
    from submissions.intents import read_log, register
    from submissions.keys import load_private

    lines = read_log(journal.path.read_bytes(), str(journal.path))
    out.write_bytes(register(lines, load_private(key)))
    if to_json:
        emit({"log": str(journal.path), "lines": len(lines), "statement": str(out)})
    else:
        click.echo(f"{journal.path}: {len(lines)} lines; {out} states it, for the round's log")


@intents.command(
    epilog=example('levelfield intents withdraw 0f3a… --reason "power cut in the machine room"')
)
@click.argument("run_id")
@click.option("--reason", required=True, help="Why, in a line; reviewers read it.")
@_round
@intents_option
@as_json
def withdraw(
    run_id: str, reason: str, round_name: str, intents_path: Path | None, to_json: bool
) -> None:
    """Say that a started run is no part of any result, and why."""
    if len(reason) > 500:
        raise LevelfieldError("--reason: longer than 500 characters; say it in fewer")
    journal = open_journal(round_name, intents_path)
    journal.withdraw(run_id, reason, _now_ms())
    if to_json:
        emit({"log": str(journal.path), "run": run_id, "status": "withdrawn"})
    else:
        click.echo(f"run {run_id}: withdrawn; it stays in the log")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
