"""``levelfield import``: results that were published elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import (
    Commands,
    as_json,
    count,
    emit,
    example,
)

if TYPE_CHECKING:
    pass


@click.group(
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

    with reporting(round_name, threaded=False) as report:
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
    click.echo(f"{out}: {count(len(found), 'bundle')}, imported, unverified by us: "
               f"{count(results_, 'result')} of {count(logs, 'log')}")  # fmt: skip
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
        click.echo(f"{report}: {count(len(found), 'result')}, {len(wrong)} disagreements")
    if wrong:
        raise SystemExit(1)
