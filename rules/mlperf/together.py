"""MLPERF rules on what only several logs show together: lost runs, settings, seeds, copies; and on
the system's description.
"""

import math
from collections.abc import Iterator
from typing import Any

from harness.events import Event
from harness.records import Division
from rules.case import Problem
from rules.mlperf.case import ResultCase, SubmitterCase, Trace, number, rule, same, shown
from rules.mlperf.compliance import check_log
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.official import official_reading

_TUNED = ("opt_", "lora_", "max_")
_BATCH = ("global_batch_size", "gradient_accumulation_steps")


def position(unit: str, run: OfficialRun) -> float:
    """Where a run converged, as the official tools read it: at the last evaluation before the end.

    Infinite for a lost run. Epochs are rounded to three places.
    """
    stop = run.log.last("run_stop")
    last = run.log.before("eval_accuracy", stop.line) if stop else None
    count = number(last.metadata.get(unit)) if last else None
    if count is None or stop is None or stop.metadata.get("status") != "success":
        return math.inf
    return round(count, 3) if unit == "epoch_num" else count


@rule(18, on="result")
def lost_runs_are_tolerated(case: ResultCase) -> Iterator[Problem]:
    """No more runs are lost than the round tolerates.

    A run is lost that has no run_stop with the status success.
    """
    runs = case.result.runs
    lost = [run for run in runs if math.isinf(position(case.benchmark.unit, run))]
    if len(lost) > case.terms.scoring.tolerated:
        stop = lost[0].log.last("run_stop")
        yield Problem(
            f"{len(lost)} of {len(runs)} runs did not reach the target",
            lost[0].file,
            stop.line if stop else None,
            expected=f"at most {case.terms.scoring.tolerated}",
            found=", ".join(run.name for run in lost),
        )


@rule(19, on="result")
def runs_share_their_settings(case: ResultCase) -> Iterator[Problem]:
    """All logs of a directory have one global batch size and one set of hyperparameters.

    What one of them lacks is not compared.
    """
    first: dict[str, tuple[OfficialRun, Event]] = {}
    reported: set[str] = set()
    for run in case.result.runs:
        for event in _hyperparameters(run):
            earlier, other = first.setdefault(event.key, (run, event))
            if not same(event.value, other.value) and event.key not in reported:
                reported.add(event.key)
                yield Problem(
                    f"{event.key} differs from that of {earlier.name}",
                    run.file,
                    event.line,
                    expected=f"{shown(other.value)}, as in its line {other.line}",
                    found=shown(event.value),
                )


def _hyperparameters(run: OfficialRun) -> Iterator[Event]:
    for event in run.log.events:
        if event.key.startswith(_TUNED) or event.key in _BATCH:
            yield event


@rule(20, on="submission")
def seeds_are_distinct(case: SubmitterCase) -> Iterator[Problem]:
    """In all that a submitter hands in, every run has a seed of its own.

    Every seed is a whole number; the same number from the same line of the same source file does
    not stand in two runs, whatever their system or benchmark. The official check compares within a
    directory. Of each log the first such line is shown.
    """
    first: dict[tuple[str, str, int], str] = {}
    for trace in _traces(case):
        for event in trace.seeds:
            wrong = _wrong_seed(trace, event, first)
            if wrong:
                yield wrong
                break


def _wrong_seed(
    trace: Trace, event: Event, first: dict[tuple[str, str, int], str]
) -> Problem | None:
    """What is wrong with a seed, given in which file each was ``first`` seen."""
    found = shown(event.value)
    if type(event.value) is not int:
        return Problem("the seed is no whole number", trace.file, event.line, found=found)
    source = repr(event.metadata.get("file")), repr(event.metadata.get("lineno"))
    other = first.setdefault((*source, event.value), trace.file)
    if other == trace.file:
        return None
    return Problem(
        f"the seed is that of {other}",
        trace.file,
        event.line,
        expected="a seed of its own",
        found=found,
    )


def _traces(case: SubmitterCase) -> Iterator[Trace]:
    for one in case.outlines:
        yield from one.traces


@rule(21, on="submission")
def no_log_stands_twice(case: SubmitterCase) -> Iterator[Problem]:
    """No two logs of a submitter hold the same events, in the same lines and at the same times.

    A run is measured once, on one system.
    """
    seen: dict[int, Trace] = {}
    for trace in _traces(case):
        twin = seen.setdefault(trace.events, trace)
        if trace.events and twin is not trace:
            start = trace.start
            yield Problem(
                f"all its events are those of {twin.file}",
                trace.file,
                start.line if start else None,
                expected="a run of its own",
                found=f"run_start at {start.time_ms} ms in both" if start else "no run_start",
            )


@rule(22, on="submission")
def descriptions_are_filled_in(case: SubmitterCase) -> Iterator[Problem]:
    """A system's description has a value wherever the written rules ask for a meaningful one.

    Of processor cores and virtual cores one is enough; N/A is a value. A warning. Its division is
    closed or open, exactly so written: another spelling would skip official checks.
    """
    first: dict[str, OfficialResult] = {}
    for one in case.outlines:
        first.setdefault(one.result.system, one.result)
    for result in first.values():
        about, file = result.description, result.description_file
        empty = [
            " or ".join(names)
            for names in case.strict.required_fields
            if not any(_filled(about.get(name)) for name in names)
        ]
        if empty:
            yield Problem(
                f"{len(empty)} fields of the description have no value",
                file,
                expected="a meaningful value",
                found=f"none in {', '.join(empty)}",
                severity="warning",
            )
        if about.get("division") not in tuple(Division):
            yield Problem(
                "the description's division is not one of the round's",
                file,
                expected=" or ".join(Division),
                found=shown(about.get("division")),
            )


def _filled(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


@rule(25, on="submission")
def benchmarks_are_of_the_round(case: SubmitterCase) -> Iterator[Problem]:
    """Every directory is that of a benchmark of the round; no rule could judge another."""
    for result in (one.result for one in case.outlines):
        if result.benchmark not in case.terms.benchmarks:
            yield Problem(
                "the round has no such benchmark",
                result.path,
                expected=", ".join(sorted(case.terms.benchmarks)),
                found=result.benchmark,
            )


@rule(26, on="result")
def official_tools_accept(case: ResultCase) -> Iterator[Problem]:
    """The official tools accept the directory, as far as they check anything.

    Its number of files, its seeds, its convergence, and all its logs but those that the round
    tolerates; of each log that they refuse beyond that, the first error is shown.
    """
    result, points = case.result, case.points.get(case.result.benchmark, {})
    verdict = official_reading(result, case.terms, points)
    for reason in verdict.rejected:
        yield Problem(f"refused by the official reading: {reason}", result.path)
    if verdict.dropped > case.terms.scoring.tolerated:
        for run in result.runs:
            for error in check_log(run, case.terms).errors[:1]:
                yield Problem(error.text, run.file, error.line)
