"""A small submission, made in memory, that the rules of ``practice`` have nothing against."""

import io
from collections.abc import Callable, Sequence

import numpy as np

from harness.answers import Answer
from harness.clock import SimulatedClock
from harness.events import EventLog, EventWriter, parse_events
from harness.queries import QueryLog, new_log
from harness.records import METRIC_OF, Division, Mode, Result, Run, RunStatus, Scenario
from harness.scenarios import sample_order
from harness.system import Declared, HarnessVersion, Processor, Software, System
from harness.telemetry.log import Sample, TelemetryLog
from rules.round import read_round
from rules.scoring import duration_ns, score
from rules.submission import Entry, RunEvidence, Submission
from workloads.catalogue import load_card, workload_digest
from workloads.image_classification.data import labels

ROUND = read_round("practice")
CARD = load_card("image_classification")
DIGEST = workload_digest(CARD.name)
STEP = 960
"""Samples between evaluations: the card's 901, rounded up to whole batches of 64."""
MS = 1_000_000
START_MS = 1_790_000_000_000

SYSTEM = System(
    declared=Declared(id="example-box", name="Example box", organisation="Example"),
    processor=Processor(
        model="Example CPU",
        architecture="x86_64",
        sockets=1,
        cores=2,
        threads=2,
        governor=None,
        frequency_max_hz=None,
    ),
    memory_bytes=8 * 2**30,
    accelerators=(),
    software=Software(
        os="Example OS 1",
        kernel="6.1",
        container=None,
        python="CPython 3.11.7",
        framework=None,
        blas=None,
        thread_variables={},
        packages={"numpy": "2.0.0"},
    ),
    harness=HarnessVersion(version="0.1.0", commit="ab" * 20, clean=True),
)


def valid_submission() -> Submission:
    """Three training runs, and a performance and an accuracy run in each other scenario."""
    return Submission(
        bundle_id="a" * 20,
        manifest_sha256="b" * 64,
        submitter="example",
        round=ROUND.name,
        system=SYSTEM,
        system_sha256=SYSTEM.digest,
        entries=(
            _entry(Scenario.TRAIN, [training_run(i, i + 3) for i in range(3)]),
            *(
                _entry(s, [inference_run(s, mode) for mode in (Mode.PERFORMANCE, Mode.ACCURACY)])
                for s in (Scenario.SINGLE_STREAM, Scenario.OFFLINE)
            ),
        ),
    )


def _entry(scenario: Scenario, runs: Sequence[RunEvidence]) -> Entry:
    path = f"results/{CARD.name}/{scenario}"
    result = Result(
        workload=CARD.name,
        scenario=scenario,
        division=Division.CLOSED,
        metric=METRIC_OF[scenario],
        value=score(scenario, runs, ROUND),
        runs=tuple(evidence.path.rpartition("/")[2] for evidence in runs),
    )
    return Entry(path, result, tuple(runs))


def training_run(number: int, evaluations: int) -> RunEvidence:
    """A run that meets the target at its last evaluation; one evaluation takes 600 ms."""
    clock = SimulatedClock(START_MS + number * 60_000)
    seed, samples = 100 + number, evaluations * STEP
    hyperparameters = {n: spec.default for n, spec in CARD.training.hyperparameters.items()}

    def body(log: EventWriter) -> None:
        for name, value in hyperparameters.items():
            log.event(name, value)
        log.event("gradient_accumulation_steps", 1)
        log.event("train_samples", CARD.training.train_samples)
        log.event("eval_samples", CARD.training.eval_samples)
        _milestones_before(log, clock)
        for done in range(1, evaluations + 1):
            quality = 1.0 if done == evaluations else 0.9
            _block(log, clock, (done - 1) * STEP, quality)
        log.stop("run_stop", status="success", samples_count=samples)

    run = _run(
        number,
        Scenario.TRAIN,
        Mode.TRAINING,
        seeds={"run": seed},
        hyperparameters=hyperparameters,
        duration_ns=evaluations * 600 * MS,
        quality=1.0,
        samples=samples,
    )
    return _evidence(run, f"run_{number + 1}", _log(clock, seed, body))


def _block(log: EventWriter, clock: SimulatedClock, before: int, quality: float) -> None:
    after = before + STEP
    log.start("block_start", samples_count=before)
    clock.advance(500 * MS)
    log.event("train_loss", 0.5, samples_count=after)
    log.stop("block_stop", samples_count=after)
    log.start("eval_start", samples_count=after)
    clock.advance(100 * MS)
    log.event("eval_accuracy", quality, samples_count=after)
    log.stop("eval_stop", samples_count=after)


def inference_run(scenario: Scenario, mode: Mode) -> RunEvidence:
    """400 queries of 5 to 9 ms in 4 s, or one of 2,048 samples; accuracy mode has every sample."""
    number = 10 + len(scenario) + (mode == Mode.ACCURACY)
    accuracy = mode == Mode.ACCURACY
    clock = SimulatedClock(START_MS + number * 60_000)
    queries = query_log(scenario, mode, seed=number)
    duration = duration_ns(queries)

    def body(log: EventWriter) -> None:
        _milestones_before(log, clock)
        clock.advance(duration)
        log.stop("run_stop", status="success")
        if accuracy:
            log.event("eval_accuracy", 1.0, samples_count=len(queries))

    run = _run(
        number,
        scenario,
        mode,
        seeds={"order": number},
        settings=ROUND.settings(scenario),
        sut="workloads.image_classification.workload:ReferenceSut",
        duration_ns=duration,
        quality=1.0 if accuracy else None,
        samples=len(queries),
    )
    answers = tuple(Answer(sample=i, answer=label) for i, label in enumerate(labels()))
    log = _log(clock, number, body)
    name = "run_2" if accuracy else "run_1"
    return _evidence(run, name, log, queries=queries, answers=answers if accuracy else None)


def query_log(scenario: Scenario, mode: Mode, seed: int) -> QueryLog:
    """The query log of a run."""
    offline = scenario == Scenario.OFFLINE
    whole = CARD.inference.samples
    rows = whole if mode == Mode.ACCURACY else 2048 if offline else 400
    log = new_log(rows)
    row = np.arange(rows)
    accuracy = mode == Mode.ACCURACY
    log["sample"] = (
        row if accuracy else sample_order(seed, rows, CARD.inference.performance_samples)
    )
    if offline:
        log["completed"] = (row // 256 + 1) * 500 * MS
        return log
    log["query"] = row
    log["scheduled"] = log["issued"] = row * 10 * MS
    log["completed"] = log["issued"] + 5 * MS + row * 37 % 400 * 10_000
    return log


def _milestones_before(log: EventWriter, clock: SimulatedClock) -> None:
    log.start("init_start")
    clock.advance(200 * MS)
    log.stop("init_stop")
    log.start("run_start")


def _log(clock: SimulatedClock, seed: int, body: Callable[[EventWriter], None]) -> EventLog:
    stream = io.StringIO()
    log = EventWriter(stream, clock)
    log.event("submission_benchmark", CARD.name)
    log.event("submission_org", "Example")
    log.event("submission_division", "closed")
    log.event("submission_status", "onprem")
    log.event("submission_platform", SYSTEM.name)
    log.event("cache_clear", False)
    log.event("seed", seed)
    body(log)
    return parse_events(stream.getvalue().encode())


def _run(number: int, scenario: Scenario, mode: Mode, **facts: object) -> Run:
    return Run.model_validate(
        {
            "id": f"{number:032x}",
            "workload": CARD.name,
            "workload_sha256": DIGEST,
            "scenario": scenario,
            "mode": mode,
            "division": Division.CLOSED,
            "status": RunStatus.COMPLETE,
            "system_sha256": SYSTEM.digest,
            "started_ms": START_MS + number * 60_000,
            **facts,
        }
    )


def _evidence(
    run: Run,
    name: str,
    log: EventLog,
    queries: QueryLog | None = None,
    answers: tuple[Answer, ...] | None = None,
) -> RunEvidence:
    path = f"results/{run.workload}/{run.scenario}/{name}"
    first, last = log.events[0].time_ms, log.events[-1].time_ms
    samples = (
        Sample(time_ms=time, source="host", values={"cpu_utilisation": (0.9, 0.7)})
        for time in range(first, last + 500, 500)
    )
    return RunEvidence(path, run, log, queries, answers, TelemetryLog(tuple(samples)))
