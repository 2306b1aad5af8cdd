"""``levelfield replicate``: repeat a result of a bundle here, and tell what comes out."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.intents import open_journal
from harness.commands.options import (
    as_json,
    bundle_argument,
    count,
    emit,
    example,
    large_option,
    tell,
)
from harness.errors import LevelfieldError, UsageError

if TYPE_CHECKING:
    from harness.card import WorkloadCard
    from harness.recording import Subject
    from harness.records import Run
    from harness.session import Session
    from rules.round import Round
    from submissions.bundle import Bundle
    from submissions.repetition import Difference
    from submissions.replication import Replication

_INFERENCE_RUNS = 3
"""Performance runs; of fewer no spread can be seen that would tell anything."""


@click.command(
    epilog=example(
        "levelfield replicate bundles/acme-1 --result image_classification/train "
        "--submitter beta --out replications/acme-1",
        "levelfield replicate bundles/acme-1 --result image_classification/offline --differences",
        "levelfield replicate bundles/acme-1 --judge replications/acme-1/bundle",
    )
)
@bundle_argument
@click.option("--result", metavar="ID", help="Which: workload/scenario.")
@click.option("--submitter", help="Your identifier; not the original's.")
@click.option("--out", type=click.Path(path_type=Path), help="New folder for runs and bundle.")
@click.option("--runs", type=click.IntRange(1, 100),
              help="Runs  [default: training: as many as the original; inference: 3]")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path),
              help="Scale full: folder with your weights and data.")  # fmt: skip
@click.option("--sut", help="The submitter's own system, which you have and trust.")
@click.option("--system", "system_toml", type=click.Path(path_type=Path),
              help="system.toml: what no machine can know of itself.")  # fmt: skip
@click.option("--despite-differences", is_flag=True,
              help="Go on with another version of the workload; recorded.")  # fmt: skip
@click.option("--differences", "only_compare", is_flag=True, help="Only list them; run nothing.")
@click.option("--judge", "replica", type=click.Path(path_type=Path), metavar="REPLICATION",
              help="Judge a replication bundle that there is; run nothing.")  # fmt: skip
@large_option
@as_json
def replicate(
    bundle: Path, replica: Path | None, large: bool, to_json: bool, **options: Any
) -> None:
    """Repeat a result's configuration on this machine, and say whether it comes out equal.

    Lists first in what this machine and its software differ from the original's. Exit code 1
    where the replication says different.
    """
    from submissions.bundle import Bundle
    from submissions.replication import check_record

    original = Bundle.open(bundle, large=large)
    if replica:
        copy = Bundle.open(replica, large=large)
        record, where = check_record(original, copy), replica
    else:
        found = _replicated(original, options, to_json)
        if found is None:
            return
        record, where = found
    if to_json:
        emit({"bundle": str(where), **record.model_dump(mode="json", by_alias=True)})
    else:
        _tell(record)
        if not replica:
            click.echo(f"next: levelfield sign {where}")
    if record.verdict == "different":
        raise SystemExit(1)


def _tell(record: "Replication") -> None:
    from submissions.replication import in_words

    for found in record.found:
        click.echo(in_words(found))
    click.echo(f"{record.result} of bundle {record.original} ({record.submitter}): "
               f"{record.verdict}, within {record.tolerance:.0%}")  # fmt: skip


def _replicated(
    original: "Bundle", options: dict[str, Any], to_json: bool
) -> "tuple[Replication, Path] | None":
    """Run the result again and pack it; none where only the differences were asked for."""
    from rules.round import read_round
    from submissions.repetition import find_differences, find_entry, repeated_run
    from workloads.catalogue import load_card

    if not options["result"]:
        raise UsageError("replicate: needs --result ID, as image_classification/train")
    entry = find_entry(original, options["result"])
    run, card = repeated_run(entry), load_card(entry.result.workload)
    terms, subject = read_round(original.submission.round), _subject(card, run, options)
    differences = find_differences(
        original.submission.system, run, subject.system, subject.workload_sha256
    )
    if to_json and options["only_compare"]:
        emit([difference.model_dump() for difference in differences])
    else:
        _list(original, differences, err=to_json)
    if options["only_compare"]:
        return None
    _check_workload(run, subject, options)
    if not options["submitter"] or not options["out"]:
        raise UsageError("replicate: needs --submitter YOU and --out FOLDER, to pack what it runs")
    return _measured(original, run, card, subject, terms, options)


def _subject(card: "WorkloadCard", run: "Run", options: dict[str, Any]) -> "Subject":
    from harness.system import read_declared
    from workloads.measurement import subject_of

    toml = options["system_toml"]
    return subject_of(card, run.division, read_declared(toml) if toml else None)


def _list(original: "Bundle", differences: "tuple[Difference, ...]", *, err: bool) -> None:
    from harness.console import table
    from submissions.repetition import DIFFERENCES_HEADER, difference_rows

    if not differences:
        click.echo(f"bundle {original.id}: this machine and its software are alike", err=err)
        return
    title = f"{count(len(differences), 'difference')} from bundle {original.id}"
    table(title, DIFFERENCES_HEADER, difference_rows(differences), err=err)


def _check_workload(run: "Run", subject: "Subject", options: dict[str, Any]) -> None:
    if run.workload_sha256 != subject.workload_sha256 and not options["despite_differences"]:
        raise LevelfieldError(
            f"{run.workload}: another version than the original's; install that one, or go on "
            "with --despite-differences, which is recorded"
        )


def _measured(
    original: "Bundle", run: "Run", card: "WorkloadCard", subject: "Subject", terms: "Round",
    options: dict[str, Any],
) -> "tuple[Replication, Path]":  # fmt: skip
    from harness.session import Session
    from submissions.keys import check_organisation
    from submissions.repetition import find_entry
    from submissions.replication import check_other, write_replication

    out: Path = options["out"]
    check_organisation(options["submitter"])
    check_other(options["submitter"], original)
    if out.exists():
        raise LevelfieldError(f"{out}: exists already; choose another --out")
    # Not the user's own log of the round: these runs are tries at nobody's result here.
    journal = open_journal(terms.name, out / "intents.jsonl")
    session = Session(out / "runs", replace(subject, journal=journal), news=tell)
    if run.scenario == "train":
        scored = len(find_entry(original, options["result"]).runs)
        runs = options["runs"] or max(scored, terms.training.runs)
        records = _train(session, run, card, runs, options)
        taken = len(records)
    else:
        records, taken = _infer(session, run, card, terms, options), 2
    for record in records[taken:]:
        journal.withdraw(record.id, "a further run of the replication", time.time_ns() // 1_000_000)
    folders = [out / "runs" / f"run_{number}" for number in range(1, len(records) + 1)]
    packed, verdict = write_replication(
        folders[:taken], folders[taken:], original, options["result"], options["submitter"],
        out / "bundle", despite_differences=options["despite_differences"], intents=journal.path,
    )  # fmt: skip
    return verdict, packed.root


def _train(
    session: "Session", run: "Run", card: "WorkloadCard", runs: int, options: dict[str, Any]
) -> "list[Run]":
    from harness.card import settle_hyperparameters
    from harness.workload import Arithmetic
    from workloads.catalogue import load_workload

    if run.precision not in (None, "fp32", "bf16"):
        raise LevelfieldError(f"run {run.id}: {run.precision!a}: no precision that trains here")
    values = settle_hyperparameters(
        card.training, dict(run.hyperparameters), bounded=run.division == "closed"
    )
    arithmetic = Arithmetic("bf16" if run.precision == "bf16" else "fp32", bool(run.compiled))
    return session.train(load_workload(card.name, options["data"]), values, runs, arithmetic)


def _infer(
    session: "Session", run: "Run", card: "WorkloadCard", terms: "Round", options: dict[str, Any]
) -> "list[Run]":
    from harness.console import reporting
    from harness.records import Mode
    from submissions.repetition import own_system, settings_of
    from workloads.measurement import target_of

    spec, settings = own_system(run, card, options["sut"]), settings_of(run, terms)
    with reporting(f"data of {card.name}") as report:
        target = target_of(card, spec, run.precision, options["data"], report.preparing)
    modes = [Mode.PERFORMANCE, Mode.ACCURACY]
    modes += [Mode.PERFORMANCE] * ((options["runs"] or _INFERENCE_RUNS) - 1)
    return session.infer(target, session.tasks(run.scenario, settings, modes, terms.seeds))
