"""``levelfield pack``, ``check`` and ``rules``: make a bundle and judge it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    as_json,
    bundle_argument,
    count,
    emit,
    example,
)
from harness.errors import UsageError

if TYPE_CHECKING:
    from submissions.mlperf_imported import ImportedRound


@click.command(epilog=example("levelfield pack runs/train runs/offline --submitter acme --out b1"))
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--submitter", required=True, help="Your identifier: letters, digits, dash.")
@click.option("--round", "round_name", default="practice", show_default=True, help="Submit to.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--zip", "zipped", type=click.Path(path_type=Path), metavar="FILE",
              help="Also a zip of it, unsigned (for a signed one: levelfield zip).")  # fmt: skip
@click.option("--redact", is_flag=True,
              help="Take names, addresses, keys and tokens out of free text.")  # fmt: skip
@as_json
def pack(
    runs: tuple[Path, ...], submitter: str, round_name: str, out: Path, zipped: Path | None,
    redact: bool, to_json: bool,
) -> None:  # fmt: skip
    """Put finished runs into a bundle: one submitter, one system, one round."""
    from submissions.pack import pack as pack_runs
    from submissions.redaction import Redactor
    from submissions.zip_writer import write_zip

    redactor = Redactor() if redact else None
    bundle = pack_runs(runs, submitter, round_name, out, redactor)
    if redactor:
        click.echo(f"redacted: {redactor.summary}", err=True)
    if zipped:
        write_zip(bundle, zipped)
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


@click.command(epilog=example("levelfield check bundles/1", "levelfield check bundles/1 --json"))
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
            click.echo(f"{count(len(verdicts), 'result')}, {wrong} rejected")
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
            click.echo(f"{title}: {count(len(findings), 'finding')}, {count(wrong, 'error')}"
                       f"{f' ({told})' if told else ''}")  # fmt: skip
    if wrong:
        raise SystemExit(1)


@click.command(epilog=example("levelfield rules", "levelfield rules --write"))
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
