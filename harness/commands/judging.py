"""``levelfield pack``, ``check`` and ``rules``: make a bundle and judge it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.intents import default_log, intents_option
from harness.commands.options import (
    KEY,
    as_json,
    bundle_argument,
    count,
    emit,
    example,
    large_option,
)
from harness.commands.round_options import open_docket
from harness.commands.standing import stands_in_its_round, tell_round
from harness.errors import UsageError

if TYPE_CHECKING:
    from rules.rule import Report
    from submissions.bundle import Bundle
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
@intents_option
@as_json
def pack(
    runs: tuple[Path, ...], submitter: str, round_name: str, out: Path, zipped: Path | None,
    redact: bool, intents_path: Path | None, to_json: bool,
) -> None:  # fmt: skip
    """Put finished runs into a bundle: one submitter, one system, one round."""
    from submissions.pack import pack as pack_runs
    from submissions.redaction import Redactor
    from submissions.zip_writer import write_zip

    redactor = Redactor() if redact else None
    started = intents_path or default_log(round_name)
    bundle = pack_runs(runs, submitter, round_name, out, redactor, started)
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


@click.command(
    epilog=example(
        "levelfield check bundles/1",
        "levelfield check bundles/1 --json",
        "levelfield check bundles/1 --sign",
    )
)
@bundle_argument
@click.option("--round", "round_name", help="Judge by another round  [default: the bundle's]")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="LENDER",
              help="Bundle from which hyperparameters were borrowed; repeatable.")  # fmt: skip
@click.option("--reading", type=click.Choice(["strict", "official"]),
              help="Imported: as their own tools, or as we  [default: strict]")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Imported: processes that read at a time.")  # fmt: skip
@click.option("--sign", "signs", is_flag=True,
              help="Sign the verdict beside the manifest, as an in-toto test-result.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path), default=KEY,
              show_default="~/.levelfield/id_ed25519", help="Private key for --sign.")  # fmt: skip
@click.option("--url", help="For --sign: where the check's own log can be read.")
@large_option
@as_json
def check(
    bundle: Path, round_name: str | None, others: tuple[Path, ...], reading: str | None,
    jobs: int, large: bool, to_json: bool, **signing: Any,
) -> None:  # fmt: skip
    """Judge a bundle: digests first, then every rule; all findings, in rule order.

    Also a folder that import made, or a bundle in it; of a round's folder, where its bundles
    stand by the round's log.
    """
    from rules.round import read_round
    from rules.rule import check as judge
    from submissions.bundle import Bundle
    from submissions.mlperf_imported import find_imported

    if (bundle / "round.json").is_file():
        tell_round(open_docket(bundle), to_json)
        return
    if imported := find_imported(bundle):
        _check_imported(imported, reading or "strict", jobs, to_json)
        return
    if reading:
        raise UsageError(f"{bundle}: not imported; drop --reading, or name what import made")
    opened = Bundle.open(bundle, large=large)
    lenders = [Bundle.open(other, large=large).submission for other in others]
    terms = read_round(round_name or opened.submission.round)
    report = judge(opened.submission, terms, others=lenders)
    if signing["signs"]:
        _sign_verdict(opened, report, signing)
    _tell(opened, report, to_json)
    if not report.ok:
        raise SystemExit(1)


def _tell(opened: "Bundle", report: "Report", to_json: bool) -> None:
    """All findings, what a round waived of them, and what became of the runs that were started."""
    from rules.intent_accounts import accounts, log_text
    from submissions.review.telling import waiver_lines

    stands = stands_in_its_round(opened)
    if to_json:
        started = [asdict(account) for account in accounts(opened.submission)]
        judged = report.model_dump(mode="json")
        waived = [asdict(waiver) for status in stands for waiver in status.waivers]
        emit({"bundle": opened.id, **judged, "started": started, "waivers": waived,
              "ok": report.ok})  # fmt: skip
    else:
        for finding in report.findings:
            click.echo(finding.text)
        for line in (line for status in stands for line in waiver_lines(status)):
            click.echo(line.strip())
        for account in accounts(opened.submission):
            click.echo(account.text)
        click.echo(log_text(opened.submission))
        click.echo(f"{len(opened.manifest.files)} files match the manifest; {report.summary}")


def _sign_verdict(opened: "Bundle", report: "Report", signing: dict[str, Any]) -> None:
    from submissions.attestation import sign_verdict
    from submissions.keys import load_private

    if report.round != opened.submission.round:
        raise UsageError("--sign: only a verdict by the bundle's own round counts; drop --round")
    written = sign_verdict(opened, report, load_private(signing["key"]), signing["url"])
    click.echo(f"verdict signed: {written}", err=True)


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
