"""For each rule, examples that break it: a valid submission with one thing changed."""

from dataclasses import replace

import numpy as np
from altered import (
    Edit,
    at_times,
    repeated,
    saying,
    with_claim,
    with_entry,
    with_evidence,
    with_hyperparameters,
    with_log,
    with_queries,
    with_record,
    without,
)
from breaks_borrowing import BORROWING_BREAKS
from breaks_inference import INFERENCE_BREAKS, Break
from breaks_intents import INTENT_BREAKS
from breaks_telemetry import TELEMETRY_BREAKS
from inference_edits import ACCURACY, OFFLINE, STREAM, column, drop_run, three_times_as_fast
from valid import MS, RATE, STEP

from harness.capacity import Probe, Search
from harness.events import BrokenLine, Event, EventLog
from harness.queries import RAISED
from harness.records import Division, Metric, Mode, RunStatus, Scenario
from harness.system import System
from rules.submission import Entry, RunEvidence, Submission

TRAIN = Scenario.TRAIN


def with_search(
    submission: Submission, found: float, scenario: Scenario = Scenario.SERVER
) -> Submission:
    """The server result with a search that ``found`` a rate."""
    probe = Probe(
        rate=found, duration_ns=1, queries=662, over_bound=0, percentile_ns=1, lateness_p99_ns=0,
        verdict="valid", confirming=True,
    )  # fmt: skip
    search = Search(
        scenario=scenario, what="target_rate", bound_ns=10, percentile=0.99, probes=(probe,),
        found=found,
    )  # fmt: skip
    return with_entry(submission, Scenario.SERVER, lambda entry: replace(entry, search=search))


def _system(submission: Submission, **changes: object) -> Submission:
    system: System = submission.system.model_copy(update=changes)
    return replace(submission, system=system)


def _dirty(submission: Submission) -> Submission:
    harness = submission.system.harness.model_copy(update={"clean": False})
    return _system(submission, harness=harness)


def _broken_line(evidence: RunEvidence) -> RunEvidence:
    return replace(evidence, log=EventLog(evidence.log.events, (BrokenLine(7, "not JSON"),)))


def _own_program(submission: Submission, late_ms: int) -> Submission:
    """The first training run as a submitter's own program, whose lines arrive late."""
    changed = with_record(submission, TRAIN, command=("python", "train.py"))
    return with_log(
        changed,
        TRAIN,
        lambda events: [e.replaced(received_ms=e.time_ms + late_ms) for e in events],
    )


def _every_log(submission: Submission, edit: Edit) -> Submission:
    """All three training runs' logs edited."""
    for number in range(3):
        submission = with_log(submission, TRAIN, edit, number)
    return submission


def converging_faster(submission: Submission, times: int) -> Submission:
    """Every training run as if it had seen fewer samples at each evaluation."""

    def edit(events: list[Event]) -> list[Event]:
        return [
            e.replaced(
                metadata={**e.metadata, "samples_count": e.metadata["samples_count"] // times}
            )
            if "samples_count" in e.metadata
            else e
            for e in events
        ]

    return _every_log(submission, edit)


def _same_run_twice(entry: Entry) -> Entry:
    copy = replace(entry.runs[1], path=entry.runs[2].path)
    return replace(entry, runs=(*entry.runs[:2], copy))


BREAKS: dict[str, list[Break]] = {
    **INFERENCE_BREAKS,
    **BORROWING_BREAKS,
    **INTENT_BREAKS,
    **TELEMETRY_BREAKS,
    "ROUND-1": [
        lambda s: replace(s, round="2026.1"),
        lambda s: replace(s, entries=()),
        lambda s: with_claim(s, TRAIN, workload="language_model"),
        lambda s: with_claim(s, TRAIN, division="another"),
        lambda s: with_claim(s, OFFLINE, scenario="another"),
    ],
    "ROUND-2": [
        lambda s: with_claim(s, TRAIN, runs=("run_1", "run_2")),
        lambda s: with_claim(s, TRAIN, runs=("run_2", "run_1", "run_3")),
        lambda s: with_claim(s, TRAIN, metric=Metric.LATENCY),
        lambda s: with_entry(s, TRAIN, _same_run_twice),
        lambda s: with_record(s, TRAIN, scenario=OFFLINE),
        lambda s: with_record(s, OFFLINE, division=Division.OPEN),
        lambda s: with_record(s, OFFLINE, workload="language_model"),
        lambda s: with_record(s, TRAIN, mode=Mode.PERFORMANCE),
    ],
    "ROUND-3": [
        lambda s: with_record(s, TRAIN, status=RunStatus.INCOMPLETE),
        lambda s: with_record(s, TRAIN, status=RunStatus.FAILED, error="RuntimeError: no"),
        lambda s: with_record(s, OFFLINE, status=RunStatus.ABORTED),
    ],
    "ROUND-4": [lambda s: with_record(s, OFFLINE, workload_sha256="0" * 64)],
    "SYSTEM-1": [lambda s: _system(s, declared=None)],
    "SYSTEM-2": [_dirty],
    "SYSTEM-3": [lambda s: with_record(s, STREAM, ACCURACY, system_sha256="0" * 64)],
    "LOG-1": [lambda s: with_evidence(s, OFFLINE, _broken_line)],
    "LOG-2": [
        lambda s: with_log(s, TRAIN, without("submission_benchmark")),
        lambda s: with_log(s, TRAIN, saying("submission_org", "")),
        lambda s: with_log(s, TRAIN, without("seed")),
        lambda s: with_log(s, OFFLINE, without("seed")),
        lambda s: with_log(
            s, OFFLINE, lambda events: [e for e in events if e.metadata.get("name") != "order"]
        ),
        lambda s: with_log(s, OFFLINE, without("run_stop")),
        lambda s: with_log(s, TRAIN, repeated("run_start", before="run_stop")),
        lambda s: with_log(s, TRAIN, saying("run_stop", status=None)),
        lambda s: with_log(
            s,
            TRAIN,
            lambda events: [
                *events[:7],
                events[6].replaced(value=events[6].value + 1),
                *events[7:],
            ],
        ),
    ],
    "LOG-3": [
        lambda s: with_log(s, TRAIN, without("block_stop")),
        lambda s: with_log(s, TRAIN, without("eval_start")),
        lambda s: with_log(s, TRAIN, repeated("eval_accuracy", before="run_stop")),
        lambda s: with_log(s, TRAIN, saying("eval_stop", samples_count=None)),
    ],
    "LOG-4": [
        lambda s: with_log(s, TRAIN, at_times(lambda e: e.time_ms - 700 * (e.line == 40))),
        lambda s: with_log(s, OFFLINE, lambda events: [*events[:-1], events[-2], events[-1]][::-1]),
        lambda s: with_log(s, TRAIN, repeated("eval_accuracy", before="run_start")),
    ],
    "LOG-5": [
        lambda s: with_log(s, TRAIN, saying("submission_org", "Another")),
        lambda s: with_log(s, OFFLINE, saying("submission_benchmark", "language_model")),
        lambda s: with_log(s, TRAIN, saying("seed", 1)),
        lambda s: with_record(s, OFFLINE, seeds={"library": 1, "order": 2, "schedule": 3}),
        lambda s: with_log(s, TRAIN, saying("run_stop", status="aborted")),
        lambda s: with_record(s, TRAIN, quality=0.5),
        lambda s: with_record(s, TRAIN, samples=STEP),
        lambda s: with_record(s, TRAIN, duration_ns=1000 * MS),
        lambda s: with_record(s, TRAIN, duration_ns=None),
        lambda s: with_queries(
            with_record(s, STREAM, duration_ns=1333 * MS), STREAM, three_times_as_fast
        ),
        lambda s: with_log(s, STREAM, without("eval_accuracy"), ACCURACY),
    ],
    "TRAIN-1": [lambda s: with_entry(s, TRAIN, drop_run(0))],
    "TRAIN-2": [
        lambda s: with_record(s, TRAIN, seeds={"run": 101}),
        lambda s: with_record(s, TRAIN, seeds={}),
    ],
    "TRAIN-3": [
        lambda s: with_log(s, TRAIN, saying("eval_accuracy", 0.9)),
        lambda s: with_log(s, TRAIN, saying("eval_accuracy", 1.0)),
        lambda s: with_log(s, TRAIN, saying("eval_accuracy", "1.0")),
        lambda s: with_log(s, TRAIN, saying("eval_accuracy", float("inf"))),
        lambda s: with_log(s, TRAIN, without("eval_accuracy")),
        lambda s: with_record(s, TRAIN, status=RunStatus.ABORTED),
    ],
    "TRAIN-4": [
        lambda s: with_log(s, TRAIN, saying("eval_accuracy", 1.0, samples_count=STEP // 2)),
        lambda s: with_log(s, TRAIN, saying("block_start", samples_count=1)),
        lambda s: with_hyperparameters(s, global_batch_size=256),
    ],
    "TRAIN-5": [
        lambda s: with_record(s, TRAIN, samples=60_000),
        lambda s: with_record(s, TRAIN, status=RunStatus.ABORTED),
    ],
    "TRAIN-6": [
        lambda s: with_log(s, TRAIN, without("opt_momentum")),
        lambda s: with_log(s, TRAIN, saying("opt_momentum", 0.8)),
        lambda s: with_log(s, TRAIN, saying("global_batch_size", True)),
        lambda s: with_record(s, TRAIN, hyperparameters={"global_batch_size": 64}),
    ],
    "TRAIN-7": [
        lambda s: with_hyperparameters(s, opt_base_learning_rate=99.0),
        lambda s: with_hyperparameters(s, opt_momentum=0.8),
        lambda s: with_hyperparameters(s, global_batch_size=64.0),
        lambda s: with_hyperparameters(s, dropout=0.1),
    ],
    "TRAIN-8": [
        lambda s: with_log(
            s, TRAIN, at_times(lambda e: e.time_ms - 1_900_000 * (e.key == "init_start"))
        ),
        lambda s: with_log(
            s, TRAIN, at_times(lambda e: e.time_ms - 36_000_000 * e.key.startswith("init"))
        ),
    ],
    "TRAIN-9": [
        lambda s: with_log(s, TRAIN, saying("train_samples", 1)),
        lambda s: with_log(s, TRAIN, without("eval_samples")),
        lambda s: with_log(s, TRAIN, saying("gradient_accumulation_steps", 0)),
    ],
    "TRAIN-10": [
        lambda s: _own_program(s, late_ms=1001),
        lambda s: _own_program(s, late_ms=-1001),
        lambda s: with_record(s, TRAIN, command=("python", "train.py")),
    ],
    "TRAIN-11": [
        lambda s: with_log(s, TRAIN, saying("data_sha256", "0" * 64)),
        lambda s: with_log(s, TRAIN, without("data_sha256")),
    ],
    "TRAIN-12": [
        lambda s: with_log(s, TRAIN, saying("eval_metric", 0.49)),
        lambda s: with_log(s, TRAIN, saying("eval_metric", None)),
        lambda s: with_log(s, TRAIN, without("eval_metric")),
    ],
    "TRAIN-13": [
        lambda s: with_hyperparameters(s, global_batch_size=128),
        lambda s: with_log(s, TRAIN, without("global_batch_size")),
        lambda s: _every_log(s, saying("global_batch_size", "64")),
    ],
    "TRAIN-14": [lambda s: _every_log(s, saying("global_batch_size", 129))],
    "TRAIN-15": [
        lambda s: converging_faster(s, 2),
        lambda s: _every_log(converging_faster(s, 2), saying("global_batch_size", 96)),
        lambda s: _every_log(converging_faster(s, 2), saying("global_batch_size", 16)),
    ],
    "SCORE-1": [
        lambda s: with_claim(s, TRAIN, value=1.0),
        lambda s: with_claim(s, TRAIN, value=float(np.nextafter(2.4, 0))),
        lambda s: with_claim(s, STREAM, value=None),
        lambda s: with_queries(
            with_claim(s, STREAM, value=None), STREAM, column("error", 5, RAISED)
        ),
        lambda s: with_claim(s, Scenario.SERVER, value=RATE * 2),
    ],
    "SCORE-2": [
        lambda s: with_search(s, RATE * 2),
        lambda s: with_search(s, RATE, Scenario.MULTI_STREAM),
    ],
}
