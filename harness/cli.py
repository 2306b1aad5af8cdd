"""The command line: the composition root, the only file that may import from every package.

Each command imports what it needs in its body, so that a light command never pays for torch.
"""

import contextlib
import difflib
import json
import math
import shlex
import shutil
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import __version__
from harness.errors import LevelfieldError, UsageError

if TYPE_CHECKING:
    from harness.card import WorkloadCard
    from harness.records import Number, Run, Scenario
    from harness.session import Session
    from harness.system import Declared
    from harness.workload import Arithmetic
    from portal.listing import Published
    from rules.round import Round
    from submissions.borrowing import BorrowedSet
    from submissions.mlperf_imported import ImportedRound

HOME = Path(click.get_app_dir("levelfield", force_posix=True))
KEY = HOME / "id_ed25519"
KEYRING = HOME / "keyring.json"

as_json = click.option("--json", "to_json", is_flag=True, help="Print the result as JSON.")
bundle_argument = click.argument("bundle", type=click.Path(path_type=Path))


HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Keeps the commands in the order of the work, not of the alphabet; each knows ``-h``."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """As click's, with the help options of the whole."""
        cmd.context_settings = HELP
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands as they were added."""
        return list(self.commands)


@click.group(cls=Commands, context_settings=HELP)
@click.version_option(__version__, prog_name="levelfield")
def cli() -> None:
    """Measure, judge, vouch, show: benchmark results that anyone can check.

    \b
    levelfield quickstart                 the whole line on this machine, in minutes
    levelfield run image_classification   one step of it

    Exit codes: 0 clean, 1 findings or refusal, 2 usage. Completion for bash:
    eval "$(_LEVELFIELD_COMPLETE=bash_source levelfield)" (also zsh_source, fish_source).
    """


def example(*lines: str) -> str:
    """An epilogue that shows how a command is typed."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def emit(value: Any) -> None:
    """Print ``value`` as JSON on standard output."""
    click.echo(json.dumps(value, indent=2))


@cli.command("list", epilog=example("levelfield list --json"))
@as_json
def list_(to_json: bool) -> None:
    """List the workloads with their scenarios and targets, and the rounds."""
    from rules.round import round_names
    from workloads.catalogue import benchmark_names, load_card

    cards = [load_card(name) for name in benchmark_names()]
    if to_json:
        emit({"workloads": [c.model_dump(mode="json") for c in cards], "rounds": round_names()})
        return
    for card in cards:
        target = card.training.target
        sign = ">=" if target.higher_is_better else "<="
        unmeasured = "" if card.measured else " (not measured yet: may be run, is not ranked)"
        click.echo(f"{card.name}: {card.title}, {card.model}{unmeasured}")
        click.echo(f"  train to {target.metric} {sign} {target.value:g}")
        if card.inference.scenarios:
            click.echo(f"  {', '.join(card.inference.scenarios)}")
    click.echo(f"rounds: {', '.join(round_names())}")


@cli.command(epilog=example("levelfield doctor", "levelfield doctor --system system.toml --json"))
@click.option("--system", "system_toml", type=click.Path(path_type=Path), help="Your system.toml.")
@as_json
def doctor(system_toml: Path | None, to_json: bool) -> None:
    """Describe this machine as a run would, and say what is missing or doubtful."""
    from harness.diagnosis import doubts
    from harness.telemetry.host import Host
    from workloads.measurement import describe_system

    system = describe_system(_declared(system_toml))
    found = doubts(system)
    if to_json:
        emit({"system": json.loads(system.to_json()), "doubts": found})
        return
    software, processor = system.software, system.processor
    click.echo(f"{system.name}: {processor.model}, {processor.threads} threads")
    click.echo(f"memory      {system.memory_bytes / 2**30:.1f} GiB")
    names = ", ".join(a.model for a in system.accelerators)
    click.echo(f"accelerator {names or 'none that NVML sees'}")
    click.echo(f"software    {software.os}, {software.kernel}, {software.python}")
    if software.framework:
        click.echo(f"framework   {software.framework.name} {software.framework.version}")
    click.echo(f"telemetry   {Host.name}: CPU, memory, disk and network through psutil")
    for doubt in found:
        click.echo(f"doubt: {doubt}")


def _declared(system_toml: Path | None) -> "Declared | None":
    from harness.system import read_declared

    return read_declared(system_toml) if system_toml else None


def _settings(ctx: click.Context, param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG001
    """``key=value`` pairs as numbers."""
    changes: dict[str, Number] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            changes[name] = int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            equals = ""
        if not equals:
            raise click.BadParameter(f"{pair}: not key=number, as global_batch_size=64")
    return changes


@cli.command(
    epilog=example(
        "levelfield run image_classification --scenario train --runs 3",
        "levelfield run image_classification --scenario offline --out runs/offline",
        "levelfield run image_classification --scenario offline --sut mine.models:Fast",
        'levelfield run image_classification --command "python train.py --seed {seed}"',
    )
)
@click.argument("workload")
@click.option("--scenario", default="train", show_default=True, help="train, or how queries come.")
@click.option("--scale", type=click.Choice(["mini", "standard", "full"]),
              help="How large  [default: mini]")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path),
              help="Scale full: folder with your weights and data.")  # fmt: skip
@click.option("--runs", type=click.IntRange(1), help="Training runs  [default: the round's]")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Replay: first seed, then +1 each.")
@click.option("--set", "changes", multiple=True, callback=_settings, metavar="KEY=VALUE",
              help="Change a hyperparameter; repeatable.")  # fmt: skip
@click.option("--hparams", type=click.Path(path_type=Path), metavar="CONFIG",
              help="A set borrowed with levelfield hparams borrow.")  # fmt: skip
@click.option("--round", "round_name", default="practice", show_default=True,
              help="Whose run counts and durations apply.")  # fmt: skip
@click.option("--division", type=click.Choice(["closed", "open"]), default="closed",
              show_default=True, help="Closed: bounded hyperparameters.")  # fmt: skip
@click.option("--mode", type=click.Choice(["performance", "accuracy"]),
              help="Only one of the two inference runs  [default: both]")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, 1e7, min_open=True),
              help="Queries per second in server and interactive.")  # fmt: skip
@click.option("--find-max", is_flag=True,
              help="Find the highest valid rate (multi_stream: samples a query).")  # fmt: skip
@click.option(
    "--engine",
    help="Which of the workload's own systems; training: eager or compiled  [default: eager]",
)
@click.option("--precision", type=click.Choice(["fp32", "bf16", "int8"]),
              help="Its arithmetic  [default: fp32]")  # fmt: skip
@click.option("--sut", help="Your own system under test, package.module:Class.")
@click.option("--command", help="Your own training program, which prints MLLOG lines.")
@click.option("--system", "system_toml", type=click.Path(path_type=Path),
              help="system.toml: what no machine can know of itself.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="New folder  [default: runs/…]")
@as_json
def run(workload: str, scenario: str, to_json: bool, out: Path | None, **options: Any) -> None:
    """Measure a workload: train it to its target, or query it in a scenario."""
    from rules.round import read_round
    from workloads.catalogue import load_card

    scale = options["scale"]
    card = load_card(workload if scale in (None, "mini") else f"{workload}.{scale}")
    chosen = _scenario(scenario, card)
    rules = read_round(options["round_name"])
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    out = out or Path("runs") / f"{workload}-{scenario}-{stamp}"
    if out.exists():
        raise LevelfieldError(f"{out}: exists already; choose another --out, or move it away")
    if chosen == "train":
        records = _train(card, rules, out, options)
    else:
        records = _infer(card, rules, chosen, out, options)
    if to_json:
        emit([json.loads(record.to_json()) for record in records])
    else:
        click.echo(
            f"{_count(len(records), 'run')} in {out}; next: levelfield pack {out} --submitter YOU"
        )
    if any(record.status == "failed" or record.failed_queries for record in records):
        raise SystemExit(1)


def _session(
    card: "WorkloadCard", out: Path, options: dict[str, Any], borrowed: "BorrowedSet | None" = None
) -> "Session":
    from harness.session import Session
    from workloads.measurement import subject_of

    declared = _declared(options["system_toml"])
    subject = subject_of(card, options["division"], declared)
    if borrowed:
        subject = replace(subject, borrowed_from=borrowed.borrowed_from.borrowed)
    return Session(out, subject, options["seed"], _tell)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _train(card: "WorkloadCard", rules: "Round", out: Path, options: dict[str, Any]) -> "list[Run]":
    from submissions.borrowing import read_borrowed
    from workloads.catalogue import load_workload

    for word in ("sut", "mode", "rate", "find_max"):
        if options[word]:
            name = word.replace("_", "-")
            raise UsageError(f"--{name}: is for inference; drop it, or choose another --scenario")
    runs = options["runs"] or rules.training.runs
    config = options["hparams"]
    borrowed = read_borrowed(config, card, rules.name) if config else None
    if options["command"]:
        for word in ("changes", "engine", "precision"):
            if options[word]:
                name = {"changes": "set"}.get(word, word)
                raise UsageError(f"--{name}: your own program chooses that; drop one of the two")
        words = shlex.split(options["command"])
        session = _session(card, out, options, borrowed)
        return session.train_by_command(words, card.training, runs)
    values = _hyperparameters(card, options, borrowed)
    workload = load_workload(card.name, options["data"])
    session = _session(card, out, options, borrowed)
    return session.train(workload, values, runs, _arithmetic(options))


def _hyperparameters(
    card: "WorkloadCard", options: dict[str, Any], borrowed: "BorrowedSet | None"
) -> "dict[str, Number]":
    """The card's, changed by ``--set``; or a borrowed set, whose batch size alone may change."""
    from harness.card import settle_hyperparameters

    changes = options["changes"]
    if borrowed:
        for name in changes:
            if name != "global_batch_size":
                raise UsageError(
                    f"--set {name}: a borrowed set is taken over whole, but for its "
                    "global_batch_size; drop one of the two"
                )
        changes = {**borrowed.hyperparameters, **changes}
    return settle_hyperparameters(card.training, changes, bounded=options["division"] == "closed")


def _arithmetic(options: dict[str, Any]) -> "Arithmetic":
    from harness.workload import Arithmetic

    engine, precision = options["engine"] or "eager", options["precision"] or "fp32"
    if engine not in ("eager", "compiled"):
        raise UsageError(f"--engine {engine}: does not train; choose eager or compiled")
    if precision == "int8":
        raise UsageError("--precision int8: does not train; choose fp32 or bf16")
    return Arithmetic("bf16" if precision == "bf16" else "fp32", engine == "compiled")


def _infer(
    card: "WorkloadCard", rules: "Round", chosen: "Scenario", out: Path, options: dict[str, Any]
) -> "list[Run]":
    from harness.console import reporting
    from harness.records import Mode
    from workloads.measurement import sut_spec, target_of

    for word in ("command", "changes", "hparams", "runs"):
        if options[word]:
            name = {"changes": "set"}.get(word, word)
            raise UsageError(f"--{name}: is for --scenario train; drop it")
    _check_rate(chosen, options)
    settings = rules.settings(chosen, card, options["rate"])
    spec = sut_spec(card, options["sut"], options["engine"])
    with reporting(f"data of {card.name}") as report:
        target = target_of(card, spec, options["precision"], options["data"], report.preparing)
    session = _session(card, out, options)
    modes = [Mode(options["mode"])] if options["mode"] else [Mode.PERFORMANCE, Mode.ACCURACY]
    tasks = session.tasks(chosen, settings, modes, rules.seeds)
    if not options["find_max"]:
        return session.infer(target, tasks)
    bound_s = card.inference.latency_bound_s
    if bound_s is None or options["mode"]:
        raise UsageError("--find-max: needs a latency bound on the card, and no --mode; drop one")
    return session.find_max(target, tasks, bound_s)


def _check_rate(chosen: "Scenario", options: dict[str, Any]) -> None:
    searchable = chosen in ("server", "multi_stream")
    if options["find_max"] and not searchable:
        raise UsageError(f"--find-max: is for server and multi_stream, not for {chosen}; drop it")
    if options["rate"] and not math.isfinite(options["rate"]):
        raise UsageError(f"--rate {options['rate']}: not a number of queries; give one, as 100")
    if options["rate"] and not chosen.open_loop:
        raise UsageError(f"--rate: {chosen} has no rate; drop it, or choose --scenario server")
    accuracy_only = options["mode"] == "accuracy"
    if chosen.open_loop and not (options["rate"] or options["find_max"] or accuracy_only):
        raise UsageError(f"--scenario {chosen}: needs a rate; give --rate 100, or --find-max")


def _scenario(name: str, card: "WorkloadCard") -> "Scenario":
    from harness.records import Scenario

    known = [scenario.value for scenario in card.scenarios]
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"--scenario {name}: not a scenario of {card.name}; {hint}")
    return Scenario(name)


@cli.command(
    epilog=example(
        "levelfield rcp image_classification --batch-size 128 --runs 20 --jobs 2",
        "levelfield rcp image_classification --batch-size 16 --set opt_base_learning_rate=0.05",
    )
)
@click.argument("workload")
@click.option("--batch-size", type=click.IntRange(2), required=True, help="Global batch size.")
@click.option("--runs", type=click.IntRange(1), default=20, show_default=True,
              help="Seeds 0, 1, …; those that the file has are not run again.")  # fmt: skip
@click.option("--set", "changes", multiple=True, callback=_settings, metavar="KEY=VALUE",
              help="Change a hyperparameter within its bounds; repeatable.")  # fmt: skip
@click.option("--scale", type=click.Choice(["mini", "standard", "full"]),
              help="How large  [default: mini]")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path),
              help="Scale full: folder with your weights and data.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Runs at a time, each in a process of its own.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="[default: ./rcp-WORKLOAD.json]")
@as_json
def rcp(workload: str, scale: str | None, out: Path | None, to_json: bool, **options: Any) -> None:
    """Make a reference convergence point: how many samples the reference needs, seed by seed.

    Every run is kept as it ends; the same command goes on where it was interrupted.
    """
    from harness.card import settle_hyperparameters
    from harness.console import reporting
    from workloads.catalogue import load_card, load_workload
    from workloads.reference_points import Converged, make_point

    card = load_card(workload if scale in (None, "mini") else f"{workload}.{scale}")
    changes = {**options["changes"], "global_batch_size": options["batch_size"]}
    values = settle_hyperparameters(card.training, changes, bounded=True)
    out, runs = out or Path(f"rcp-{card.name}.json"), options["runs"]
    with reporting(f"{card.name}, batch size {options['batch_size']}") as report:
        load_workload(card.name, options["data"]).prepare(report.preparing)

        def told(run: Converged, done: int) -> None:
            found = "did NOT converge" if run.samples is None else f"{run.samples:,} samples"
            _tell(f"seed {run.seed}: {found}, {run.seconds:.1f} s of processor time")
            report.preparing(f"{done} of {runs} runs", done, runs)

        point = make_point(card, values, runs, out, jobs=options["jobs"],
                           folder=options["data"], told=told)  # fmt: skip
    if to_json:
        emit(point.model_dump())
    else:
        found = point.converged
        click.echo(f"{out}: batch size {point.global_batch_size}: {len(found)} of "
                   f"{_count(len(point.seeds), 'run')} converged, mean "
                   f"{sum(found) / max(1, len(found)):,.0f} samples")  # fmt: skip


@cli.command(epilog=example("levelfield audit runs/offline"))
@click.argument("run", type=click.Path(path_type=Path))
@as_json
def audit(run: Path, to_json: bool) -> None:
    """Repeat a performance run in the ways that catch a cheating system; judged by check.

    The audit runs are left beside the run, and pack takes them along.
    """
    from harness.audit import audit_tasks, find_performance_run
    from harness.session import Session, draw_seed
    from harness.system import System
    from workloads.catalogue import load_card
    from workloads.measurement import subject_of, target_of

    folder, performance = find_performance_run(run)
    tasks = audit_tasks(performance, draw_seed)
    card = load_card(performance.workload)
    target = target_of(card, performance.sut or "", performance.precision)
    declared = System.model_validate_json((folder / "system.json").read_bytes()).declared
    subject = subject_of(card, performance.division, declared)
    records = Session(folder.parent, subject, news=_tell).audit(target, tasks)
    if to_json:
        emit([json.loads(record.to_json()) for record in records])
    else:
        click.echo(f"{_count(len(records), 'audit')} beside {folder}; pack takes them along")


@cli.group(
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
        click.echo(f"{into}: {_count(len(taken.hyperparameters), 'hyperparameter')} of bundle "
                   f"{source.bundle} of {source.submitter}; next: levelfield run "
                   f"{source.workload} --round {source.round} --hparams {into}")  # fmt: skip


@cli.command(epilog=example("levelfield pack runs/train runs/offline --submitter acme --out b1"))
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--submitter", required=True, help="Your identifier: letters, digits, dash.")
@click.option("--round", "round_name", default="practice", show_default=True, help="Submit to.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@as_json
def pack(runs: tuple[Path, ...], submitter: str, round_name: str, out: Path, to_json: bool) -> None:
    """Put finished runs into a bundle: one submitter, one system, one round."""
    from submissions.pack import pack as pack_runs

    bundle = pack_runs(runs, submitter, round_name, out)
    results = [entry.result for entry in bundle.submission.entries]
    if to_json:
        claimed = [json.loads(result.to_json()) for result in results]
        emit({"bundle": str(out), "id": bundle.id, "results": claimed})
        return
    click.echo(f"bundle {bundle.id} in {out}, {len(bundle.manifest.files)} files")
    for result in results:
        value = "no score" if result.value is None else f"{result.value:.6g} {result.unit}"
        click.echo(f"  {result.workload} {result.scenario}: {result.metric} {value}")
    click.echo(f"next: levelfield check {out}")


@cli.command(epilog=example("levelfield check bundles/1", "levelfield check bundles/1 --json"))
@bundle_argument
@click.option("--round", "round_name", help="Judge by another round  [default: the bundle's]")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="LENDER",
              help="Bundle from which hyperparameters were borrowed; repeatable.")  # fmt: skip
@click.option("--reading", type=click.Choice(["strict", "official"]),
              help="Imported: as their own tools, or as we  [default: strict]")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Imported: processes that read at a time.")  # fmt: skip
@as_json
def check(
    bundle: Path, round_name: str | None, others: tuple[Path, ...], reading: str | None,
    jobs: int, to_json: bool,
) -> None:  # fmt: skip
    """Judge a bundle: digests first, then every rule; all findings, in rule order.

    Also a folder that import made, or a bundle in it.
    """
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.bundle import Bundle
    from submissions.mlperf_imported import find_imported

    if imported := find_imported(bundle):
        _check_imported(imported, reading or "strict", jobs, to_json)
        return
    if reading:
        raise UsageError(f"{bundle}: not imported; drop --reading, or name what import made")
    opened = Bundle.open(bundle)
    lenders = [Bundle.open(other).submission for other in others]
    terms = read_round(round_name or opened.submission.round)
    report = judge(opened.submission, terms, others=lenders)
    if to_json:
        emit({"bundle": opened.id, **report.model_dump(mode="json"), "ok": report.ok})
    else:
        for finding in report.findings:
            click.echo(finding.text)
        click.echo(f"{len(opened.manifest.files)} files match the manifest; {report.summary}")
    if not report.ok:
        raise SystemExit(1)


def _check_imported(imported: "ImportedRound", reading: str, jobs: int, to_json: bool) -> None:
    from harness.console import table
    from submissions.mlperf_check import (
        OFFICIAL_HEADER,
        as_json,
        counts,
        official_rows,
        read_officially,
        read_strictly,
        remarks,
    )

    title = f"{imported.terms.title}, unverified by us, {reading} reading"
    if reading == "official":
        verdicts = read_officially(imported, jobs)
        wrong = sum(bool(one.rejected) for one in verdicts)
        if to_json:
            emit(as_json(verdicts))
        else:
            table(title, OFFICIAL_HEADER, official_rows(verdicts))
            for line in remarks(verdicts):
                click.echo(line)
            click.echo(f"{_count(len(verdicts), 'result')}, {wrong} rejected")
    else:
        findings = read_strictly(imported, jobs)
        wrong = sum(finding.severity == "error" for finding in findings)
        if to_json:
            listed = [finding.model_dump() for finding in findings]
            emit({"round": imported.terms.name, "findings": listed, "ok": not wrong})
        else:
            for finding in findings:
                click.echo(finding.text)
            told = ", ".join(f"{rule} {number}" for rule, number in counts(findings).items())
            click.echo(f"{title}: {_count(len(findings), 'finding')}, {_count(wrong, 'error')}"
                       f"{f' ({told})' if told else ''}")  # fmt: skip
    if wrong:
        raise SystemExit(1)


@cli.command(epilog=example("levelfield compare bundles/1 bundles/2"))
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@as_json
def compare(a: Path, b: Path, to_json: bool) -> None:
    """Tell luck from speed: which of two bundles is faster, where their runs can say so."""
    from portal.comparison import compare_bundles, comparison_json
    from portal.comparison_text import describe_comparison

    sides = [_one_side(path) for path in (a, b)]
    rows = compare_bundles(*sides)
    if to_json:
        bundles = {name: one.bundle.id for name, one in zip("ab", sides, strict=True)}
        emit({**bundles, "comparisons": comparison_json(rows)})
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in describe_comparison(rows, width):
        click.echo(line)


def _one_side(path: Path) -> "Published":
    from portal.imported import read_imported
    from portal.listing import Published
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.bundle import Bundle
    from submissions.keys import Keyring
    from submissions.mlperf_imported import find_imported

    if imported := find_imported(path):
        found = list(read_imported(imported, Keyring()))
        if len(found) != 1:
            raise UsageError(f"{path}: holds {len(found)} bundles; give one of them, a system's")
        return found[0]
    opened = Bundle.open(path)
    return Published(opened, judge(opened.submission, read_round(opened.submission.round)), None)


@cli.command(epilog=example("levelfield keygen --organisation acme"))
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


@cli.command(epilog=example("levelfield sign bundles/1", "levelfield sign bundles/1 --key K"))
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


@cli.command(epilog=example("levelfield verify bundles/1", "levelfield verify b --keyring K"))
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


@cli.command(epilog=example("levelfield publish bundles/1 bundles/2 --out site"))
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The site's folder.")
@click.option("--keyring", type=click.Path(path_type=Path), default=KEYRING,
              show_default="~/.levelfield/keyring.json", help="Keys that you trust.")  # fmt: skip
@as_json
def publish(bundles: tuple[Path, ...], out: Path, keyring: Path, to_json: bool) -> None:
    """Make a static site of bundles; an old site stays until the new one is whole.

    Also of folders that import made, or of bundles in them.
    """
    from portal.imported import read_imported
    from portal.site import Published
    from portal.site import publish as publish_site
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.attestation import appraise
    from submissions.bundle import Bundle
    from submissions.keys import Keyring
    from submissions.mlperf_imported import find_imported

    trusted = Keyring.read(keyring) if keyring.exists() else Keyring()
    published: list[Published] = []
    opened = []
    for path in bundles:
        if imported := find_imported(path):
            published += read_imported(imported, trusted)
        else:
            opened.append(Bundle.open(path))
    for bundle in opened:
        others = [other.submission for other in opened]
        report = judge(bundle.submission, read_round(bundle.submission.round), others=others)
        published.append(Published(bundle, report, appraise(bundle, trusted)))
    index = publish_site(published, out)
    if to_json:
        emit({"site": str(index), "bundles": [one.bundle.id for one in published]})
    else:
        click.echo(f"{_count(len(published), 'bundle')} in {index}")


@cli.group(
    "import",
    cls=Commands,
    epilog=example(
        "levelfield import mlperf-training training_results_v5.1 --rcps rcps --out imported"
    ),
)
def import_() -> None:
    """Read results that were published elsewhere and judge them again; they stay as they are."""


@import_.command(
    "mlperf-training",
    epilog=example(
        "levelfield import mlperf-training training_results_v5.1 --rcps rcps --out imported"
    ),
)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--rcps", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Folder of the round's rcps_<benchmark>.json.")  # fmt: skip
@click.option("--round", "round_name", default="mlperf-training-5.1", show_default=True,
              help="Whose terms apply.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Processes that import at a time.")  # fmt: skip
@as_json
def import_mlperf_training(
    results: Path, rcps: Path, round_name: str, out: Path, jobs: int, to_json: bool
) -> None:
    """MLPerf Training: a bundle of each submitter's each system, its logs byte for byte.

    RESULTS holds <submitter>/systems and <submitter>/results; then check the new folder.
    """
    from harness.console import reporting
    from submissions.mlperf_training import import_training

    with reporting(round_name) as report:
        found = import_training(results, rcps, round_name, out, report.preparing, jobs)
    if to_json:
        bundles = [{"bundle": one.folder, "id": one.bundle_id, "logs": one.logs,
                    "results": one.results, "skipped": one.skipped} for one in found]  # fmt: skip
        emit({"out": str(out), "round": round_name, "bundles": bundles})
        return
    for one in found:
        for name in one.skipped:
            click.echo(f"{one.folder}: {name} is not in {round_name}; left out")
    results_, logs = sum(len(one.results) for one in found), sum(one.logs for one in found)
    click.echo(f"{out}: {_count(len(found), 'bundle')}, imported, unverified by us: "
               f"{_count(results_, 'result')} of {_count(logs, 'log')}")  # fmt: skip
    click.echo(f"next: levelfield check {out} --reading official")


@import_.command(
    "mlperf-inference",
    epilog=example(
        "levelfield import mlperf-inference inference_results_v5.1 --out imported",
        "levelfield import mlperf-inference results --published table.json --out imported",
    ),
)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--round", "round_name", default="mlperf-inference-5.1", show_default=True,
              help="Whose terms apply.")  # fmt: skip
@click.option("--published", type=click.Path(path_type=Path), metavar="JSON",
              help="The published table: compare its rows.")  # fmt: skip
@click.option("--checker", type=click.Path(path_type=Path), metavar="CSV",
              help="The official checker's summary: compare its rows.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@as_json
def import_mlperf_inference(
    results: Path, round_name: str, out: Path, to_json: bool, **tables: Path | None
) -> None:
    """MLPerf Inference: validity computed again from the logs, beside what is recorded.

    RESULTS holds closed/<submitter>/results/…. Published logs have no query's own times, so the
    import leaves a report and no bundles.
    """
    from harness.console import table
    from rules.mlperf.inference_terms import read_inference_round
    from submissions.mlperf_inference import read_results
    from submissions.mlperf_report import (
        RESULT_HEADER,
        disagreements,
        remarks,
        result_rows,
        write_report,
    )
    from submissions.mlperf_tables import compare_checker, compare_published

    found = read_results(results, read_inference_round(round_name))
    published, checker = tables["published"], tables["checker"]
    rows = compare_published(published, found) if published else []
    rows += compare_checker(checker, found) if checker else []
    report = write_report(out, round_name, found, rows)
    wrong = disagreements(found, rows)
    if to_json:
        click.echo(report.read_text("utf-8"), nl=False)
    else:
        table(f"{round_name}, unverified by us", RESULT_HEADER, result_rows(found))
        for line in remarks(found, rows):
            click.echo(line)
        click.echo(f"{report}: {_count(len(found), 'result')}, {len(wrong)} disagreements")
    if wrong:
        raise SystemExit(1)


@cli.command(epilog=example("levelfield rules", "levelfield rules --write"))
@click.option("--write", is_flag=True, help="Bring the tables in ./RULES.md up to date.")
@as_json
def rules(write: bool, to_json: bool) -> None:
    """List the rules by number; or write their tables into RULES.md."""
    from rules.handbook import write as write_handbook
    from rules.rule import RULES

    if write:
        write_handbook(Path("RULES.md"))
        click.echo("RULES.md: tables are up to date", err=to_json)
    if to_json:
        emit([{"rule": rule.number, "on": rule.on, "text": rule.text} for rule in RULES.values()])
    elif not write:
        for rule in RULES.values():
            click.echo(f"{rule.number:9} {rule.title}")


@cli.command(epilog=example("levelfield quickstart", "levelfield quickstart --out demo"))
@click.option("--out", type=click.Path(path_type=Path), default=Path("quickstart"),
              show_default=True, help="Folder for runs, bundles and the site.")  # fmt: skip
@click.option("--submitter", default="me", show_default=True, help="Your identifier.")
@as_json
def quickstart(out: Path, submitter: str, to_json: bool) -> None:
    """The whole line on this machine: run, pack, check, sign, verify, publish.

    Each further call adds a bundle, and the site shows them all.
    """
    from harness.quickstart import Quickstart

    started = time.monotonic()
    first = Quickstart(out, submitter, make_key=not KEY.exists())
    typed = []
    for position, (step, of) in enumerate(first.steps(), 1):
        typed.append(shlex.join(["levelfield", *step]))
        click.secho(f"\n[{position}/{of}] {typed[-1]}", bold=True, err=to_json)
        try:
            with contextlib.redirect_stdout(sys.stderr if to_json else sys.stdout):
                cli.main(step, standalone_mode=False)
        except SystemExit:
            raise LevelfieldError(
                f"step {position}: did not pass, see above; what was measured stays in {out}"
            ) from None
    if to_json:
        emit({"bundle": str(first.bundle), "site": str(first.site), "commands": typed})
        return
    click.secho(f"\nDone in {time.monotonic() - started:.0f} s. These commands ran:", bold=True)
    for line in typed:
        click.echo(f"  {line}")
    click.echo(f"The site: {first.site}")


def main() -> None:
    """Run the command line; print a user's mistake as one line and exit with its code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LevelfieldError as error:
        click.echo(f"levelfield: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("levelfield: stopped; what was measured is kept, marked incomplete", err=True)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"levelfield: {where}{error.strerror or error}; nothing was lost", err=True)
        sys.exit(1)
