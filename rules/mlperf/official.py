"""The official reading of a benchmark directory: what MLPerf's package checker, convergence checker
and summariser say together, number by number. Minutes are their unit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.events import Event
from harness.records import Number, Record
from rules.convergence import (
    NEVER_CONVERGED,
    Pace,
    Verdict,
    judge,
    match,
    olympic,
    prune,
    summarise,
)
from rules.mlperf.compliance import check_log
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.terms import OfficialRound, Unit
from rules.round import ConvergenceTerms

_LOST = 1e9
"""What the official tools take for the point of a run that never converged."""
_PASSED = {
    "equal": "RCP found",
    "between": "RCP Interpolation",
    "below": "RCP not found but slower convergence on smaller batch size",
}


class FileVerdict(Record):
    """What the official tools say of one file, by the names that their results are kept under."""

    bytes: int
    mllog_lines: int
    parse_errors: int
    compliant: bool
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    run_start_ms: float | None
    run_stop_ms: float | None
    minutes: float | None
    run_stop_status: tuple[Any, ...]
    converged: bool
    epochs_or_samples: Number
    global_batch_size: Any
    n_seed_lines: int
    seeds: tuple[str, ...]


class Convergence(Record):
    """What the convergence checker says; numbers only where it came to compare."""

    rcp_pass: bool | None = None
    rcp_msg: str | None = None
    rcp_norm: float = 1.0
    submission_mean: float | None = None
    rcp_bs: float | None = None
    rcp_mean: float | None = None
    rcp_stdev: float | None = None
    rcp_max_speedup: float | None = None
    rcp_min_epochs: float | None = None
    rcp_interpolated: bool | None = None


class DirectoryVerdict(Convergence):
    """What the official tools say of one benchmark directory."""

    submitter: str
    system: str
    benchmark: str
    n_files: int
    files: dict[str, FileVerdict]
    published_scaling: float | None
    seed_ok: bool | None
    seed_warnings: int
    seed_errors: tuple[str, ...]
    scaling_after: float | None
    dropped: int
    olympic_unscaled: float | None
    score_with_rcp_scaling: float | None
    score_with_published_scaling: float | None
    rejected: tuple[str, ...]
    """Why the package checker refuses the directory; nothing where it does not."""


def official_reading(
    result: OfficialResult, terms: OfficialRound, points: Mapping[int, Sequence[float]]
) -> DirectoryVerdict:
    """The official reading of one directory of the round.

    ``points`` are the reference's: by batch size, after how many samples or epochs each of its
    runs converged. Seeds and convergence are asked about in the closed division only.
    """
    files = {run.name: _file(run, terms, result.benchmark) for run in result.runs}
    closed = result.description.get("division") == "closed"
    found = _convergence(result, list(files.values()), terms, points) if closed else Convergence()
    seed_errors = tuple(_seed_errors(result.runs)) if closed else ()
    scores = [one.minutes for one in files.values() if one.compliant and one.minutes is not None]
    dropped = len(files) - len(scores)
    mean = olympic_minutes(scores, dropped, terms)
    scaling = found.rcp_norm if found.rcp_pass and found.rcp_norm > 1 else None
    return DirectoryVerdict(
        **found.model_dump(),
        submitter=result.submitter,
        system=result.system,
        benchmark=result.benchmark,
        n_files=len(files),
        files=files,
        published_scaling=result.published_scaling,
        seed_ok=not seed_errors if closed else None,
        seed_warnings=sum(one.n_seed_lines > 1 for one in files.values()) if closed else 0,
        seed_errors=seed_errors,
        scaling_after=scaling,
        dropped=dropped,
        olympic_unscaled=mean,
        score_with_rcp_scaling=_scaled(mean, scaling),
        score_with_published_scaling=_scaled(mean, result.published_scaling),
        rejected=tuple(_rejections(result, files, seed_errors, found, terms)),
    )


def _scaled(mean: float | None, factor: float | None) -> float | None:
    return None if mean is None else mean * (1.0 if factor is None else factor)


def _file(run: OfficialRun, terms: OfficialRound, benchmark: str) -> FileVerdict:
    verdict, timed = check_log(run, terms), run.timed
    named = run.log.last("submission_benchmark")
    name = named.value if named and isinstance(named.value, str) else benchmark
    unit = terms.benchmarks[name if name in terms.benchmarks else benchmark].unit
    point = _point(run, unit)
    seeds = run.log.all("seed")
    return FileVerdict(
        bytes=run.size,
        mllog_lines=run.marked,
        parse_errors=len(run.log.broken),
        compliant=verdict.compliant,
        warnings=tuple(one.text for one in verdict.warnings),
        errors=tuple(one.text for one in verdict.errors),
        run_start_ms=float(timed[0].time_ms) if timed else None,
        run_stop_ms=float(timed[1].time_ms) if timed else None,
        # Two divisions, since one by 60,000 differs in the last bit.
        minutes=(float(timed[1].time_ms) - float(timed[0].time_ms)) / 60 / 1000 if timed else None,
        run_stop_status=tuple(one.metadata.get("status") for one in run.log.all("run_stop")),
        converged=point is not None,
        epochs_or_samples=_LOST if point is None else point,
        global_batch_size=run.global_batch_size,
        n_seed_lines=len(seeds),
        seeds=tuple(str(seed.value)[:100] for seed in seeds),
    )


def _point(run: OfficialRun, unit: Unit) -> Number | None:
    """Where the run converged: at the last evaluation that was logged before its last stop."""
    stop = run.log.last("run_stop")
    if stop is None or stop.metadata.get("status") != "success":
        return None
    evaluation = run.log.before("eval_accuracy", stop.line)
    reached = evaluation.metadata.get(unit) if evaluation else None
    if isinstance(reached, bool) or not isinstance(reached, int | float):
        return None
    if not -(2**63) < reached < 2**63:
        return None
    return round(reached, 3) if unit == "epoch_num" else reached


def _seed_errors(runs: Sequence[OfficialRun]) -> Iterator[str]:
    """What is wrong with the seeds; one that two runs log on the same line of code is."""
    first: dict[tuple[Any, Any, int], str] = {}
    for run in runs:
        seeds = run.log.all("seed")
        if run.log.broken:
            yield f"{run.name}: lines that cannot be read"
        elif not seeds:
            yield f"{run.name}: logs no seed"
        elif (drawn := _drawn(seeds)) is None:
            yield f"{run.name}: a seed without its line of code, or that is no whole number"
        else:
            for one in drawn:
                if (other := first.setdefault(one, run.name)) != run.name:
                    yield f"{run.name}: logs the seed {one[2]} on the same line as {other}"


def _drawn(seeds: Sequence[Event]) -> list[tuple[Any, Any, int]] | None:
    """Source file, line and seed of each; none if one of them cannot be told."""
    try:
        return [
            (str(one.metadata["file"]), str(one.metadata["lineno"]), int(one.value))
            for one in seeds
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _convergence(
    result: OfficialResult,
    files: Sequence[FileVerdict],
    terms: OfficialRound,
    points: Mapping[int, Sequence[float]],
) -> Convergence:
    sizes = {_size(one.global_batch_size) for one in files}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None:
        return Convergence(rcp_pass=False, rcp_msg="Could not detect global_batch_size")
    asked = terms.convergence
    reached = [float(one.epochs_or_samples) if one.converged else NEVER_CONVERGED for one in files]
    mean = olympic(reached, asked.drop)
    if mean is None:
        return Convergence(rcp_pass=False, rcp_msg="Insufficient convergence")
    runs = terms.benchmarks[result.benchmark].runs
    found = match(size, reference_points(points, asked), runs)
    if found is None:
        return Convergence(rcp_pass=False, rcp_msg=_missing(size))
    allowance = asked.allowance_samples.get(result.benchmark, 0)
    verdict = judge(Pace(found, mean), asked, runs, allowance)
    return _compared(verdict, size, allowance)


def _size(value: Any) -> int | None:
    return value if type(value) is int else None


def _missing(size: int) -> str:
    return f"Missing RCP, please submit RCP with BS = {size}"


def reference_points(points: Mapping[int, Sequence[float]], terms: ConvergenceTerms) -> list[Any]:
    """The reference's points that serve, by batch size, summarised and pruned as ``terms`` say."""
    summarised = (summarise(size, values, terms) for size, values in sorted(points.items()))
    return prune([one for one in summarised if one], terms.pruning)


def _compared(verdict: Verdict, size: int, allowance: float) -> Convergence:
    found, lowered = verdict.pace.match, verdict.least - allowance
    missing = found.how == "below" and not verdict.passed
    return Convergence(
        rcp_pass=verdict.passed,
        rcp_msg=_missing(size) if missing else _PASSED[found.how],
        rcp_norm=verdict.pace.factor,
        # As the official log prints it.
        submission_mean=round(verdict.pace.result_mean, 4),
        rcp_bs=float(found.reference.batch_size),
        rcp_mean=found.reference.mean,
        rcp_stdev=found.reference.deviation,
        rcp_max_speedup=found.reference.mean / lowered if lowered > 0 else None,
        rcp_min_epochs=verdict.least,
        rcp_interpolated=found.how == "between",
    )


def olympic_minutes(scores: Sequence[float], dropped: int, terms: OfficialRound) -> float | None:
    """The Olympic mean; none if more were dropped than the round tolerates.

    Files that were dropped count as the slowest, which are cut off first.
    """
    ends = terms.scoring.drop
    if dropped > terms.scoring.tolerated:
        return None
    kept = sorted(scores)[ends : len(scores) - (ends - dropped)]
    # Summed in order and as one quotient, as the official summariser does, for the last bit.
    return sum(kept) * 1.0 / len(kept) if kept else None


def _rejections(
    result: OfficialResult,
    files: Mapping[str, FileVerdict],
    seed_errors: Sequence[str],
    found: Convergence,
    terms: OfficialRound,
) -> Iterator[str]:
    lacking = [name for name in terms.system_fields if name not in result.description]
    if lacking:
        yield f"the system's description is without {', '.join(lacking[:5])}"
    expected = terms.benchmarks[result.benchmark].runs
    if len(files) != expected:
        yield f"{len(files)} files, where {expected} are expected"
    refused = [name for name, one in files.items() if not one.compliant]
    if len(refused) > terms.scoring.tolerated:
        yield f"{len(refused)} files do not comply: {', '.join(refused[:5])}"
    if seed_errors:
        yield f"seeds: {seed_errors[0]}"
    if found.rcp_pass is False:
        yield f"convergence: {found.rcp_msg}"
