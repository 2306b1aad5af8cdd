"""The command line: with `harness.commands` the composition root, which may import to its right.

Each command imports what it needs in its body, so that a light command never pays for torch.
"""

import contextlib
import difflib
import json
import math
import shlex
import signal
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import __version__
from harness.commands.borrowing import hparams
from harness.commands.comparing import compare
from harness.commands.importing import import_
from harness.commands.intents import FOLDER, intents, intents_option, open_journal
from harness.commands.judging import check, pack, rules
from harness.commands.keys import keys
from harness.commands.log import log as log_
from harness.commands.options import HELP, KEY, Commands, as_json, count, emit, example, tell
from harness.commands.replicate import replicate
from harness.commands.review import review
from harness.commands.showing import publish
from harness.commands.submit import submit
from harness.commands.vouching import countersign, keygen, sign, verify
from harness.commands.zipping import zip_
from harness.errors import LevelfieldError, UsageError

if TYPE_CHECKING:
    from harness.card import WorkloadCard
    from harness.records import Number, Peak, Run, Scenario
    from harness.session import Session
    from harness.system import Declared, System
    from harness.workload import Arithmetic
    from rules.round import Round
    from submissions.borrowing import BorrowedSet


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


@cli.command(
    epilog=example(
        "levelfield doctor",
        "levelfield doctor --peak",
        "levelfield doctor --system system.toml --json",
    )
)
@click.option("--system", "system_toml", type=click.Path(path_type=Path), help="Your system.toml.")
@click.option(
    "--peak",
    "measure",
    is_flag=True,
    help="Measure arithmetic and memory copies, some 10 s; later runs note what was reached.",
)
@as_json
def doctor(system_toml: Path | None, measure: bool, to_json: bool) -> None:
    """Describe this machine as a run would, and say what is missing or doubtful."""
    from harness.diagnosis import described, doubts, findings
    from harness.peak import told
    from harness.telemetry.constraints import find_constraints
    from harness.telemetry.sources import all_sources
    from workloads.measurement import describe_system

    system = describe_system(_declared(system_toml))
    doubtful, limits = doubts(system), find_constraints()
    sources = [source.presence() for source in all_sources()]
    peak = _peak(system, measure, to_json)
    if to_json:
        emit(
            {
                "system": json.loads(system.to_json()),
                "peak": peak and json.loads(peak.to_json()),
                "sources": [asdict(source) for source in sources],
                "constraints": limits,
                "doubts": doubtful,
            }
        )
        return
    reached = told(peak, _now_ms()) if peak else "not measured; add --peak"
    lines = [*described(system), f"peak        {reached}"]
    click.echo("\n".join([*lines, *findings(sources, limits, doubtful)]))


def _peak(system: "System", measure: bool, to_json: bool) -> "Peak | None":
    """The kept peak of this machine's device, if asked for measured anew."""
    from harness.console import table
    from harness.peak import keep_peak, peak_of, rows
    from workloads.peak import device_text, measure_peak

    if not measure:
        return peak_of(device_text(system))
    peak = measure_peak(system, _now_ms())
    path = keep_peak(peak)
    if not to_json:
        header = ["", "best", "median below it by", "datasheet", "reached"]
        table(f"Peak of {peak.device}", header, rows(peak))
        click.echo(f"kept in {path}\n")
    return peak


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


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
@click.option("--meter", metavar="COMMAND_OR_FILE",
              help="Your power meter: lines of timestamp_ns,watts (docs/energy.md).")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="New folder  [default: runs/…]")
@intents_option
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
            f"{count(len(records), 'run')} in {out}; next: levelfield pack {out} --submitter YOU"
        )
    if any(record.status == "failed" or record.failed_queries for record in records):
        raise SystemExit(1)


def _session(
    card: "WorkloadCard", out: Path, options: dict[str, Any], borrowed: "BorrowedSet | None" = None
) -> "Session":
    from harness.session import Session
    from workloads.measurement import subject_of

    declared = _declared(options["system_toml"])
    subject = subject_of(card, options["division"], declared, options["meter"])
    subject = replace(subject, journal=open_journal(options["round_name"], options["intents_path"]))
    if borrowed:
        subject = replace(subject, borrowed_from=borrowed.borrowed_from.borrowed)
    return Session(out, subject, options["seed"], tell)


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
            tell(f"seed {run.seed}: {found}, {run.seconds:.1f} s of processor time")
            report.preparing(f"{done} of {runs} runs", done, runs)

        point = make_point(card, values, runs, out, jobs=options["jobs"],
                           folder=options["data"], told=told)  # fmt: skip
    if to_json:
        emit(point.model_dump())
    else:
        found = point.converged
        click.echo(f"{out}: batch size {point.global_batch_size}: {len(found)} of "
                   f"{count(len(point.seeds), 'run')} converged, mean "
                   f"{sum(found) / max(1, len(found)):,.0f} samples")  # fmt: skip


@cli.command(epilog=example("levelfield audit runs/offline"))
@click.argument("run", type=click.Path(path_type=Path))
@intents_option
@as_json
def audit(run: Path, intents_path: Path | None, to_json: bool) -> None:
    """Repeat a performance run in the ways that catch a cheating system; judged by check.

    The audit runs are left beside the run, and pack takes them along.
    """
    from harness.audit import audit_tasks, find_performance_run
    from harness.intents import find_log
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
    logs = [intents_path] if intents_path else sorted(FOLDER.glob("*.jsonl"))
    if found := find_log(logs, performance.id):
        subject = replace(subject, journal=open_journal(found[1], found[0]))
    records = Session(folder.parent, subject, news=tell).audit(target, tasks)
    if to_json:
        emit([json.loads(record.to_json()) for record in records])
    else:
        click.echo(f"{count(len(records), 'audit')} beside {folder}; pack takes them along")


for command in (
    hparams, pack, check, compare, keygen, keys, sign, verify, countersign, zip_, replicate,
    submit, review, log_, intents, publish, import_, rules,
):  # fmt: skip
    cli.add_command(command)


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
