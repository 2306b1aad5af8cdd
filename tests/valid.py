"""A small submission, made in memory, that the rules of a short round have nothing against."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from telemetry_logs import steady_log
from valid_queries import MS, RATE, accuracy_log, answers, kept, performance_log

from harness.answers import Answer
from harness.card import ReferenceConvergencePoint
from harness.clock import SimulatedClock
from harness.events import EventLog, EventWriter, parse_events
from harness.intents import Configuration, Intent, Line, Outcome, next_line
from harness.queries import QueryLog
from harness.records import METRIC_OF, Audit, Division, Mode, Result, Run, RunStatus, Scenario
from harness.system import Declared, HarnessVersion, Processor, Software, System
from rules.case import Reference
from rules.round import Round, read_round
from rules.scoring import duration_ns, score
from rules.submission import Entry, RunEvidence, Submission
from workloads.catalogue import load_card, load_scorer, workload_digest


def _round() -> Round:
    """``practice``, with the audits, the seeds and the test of convergence of a real round."""
    real = read_round("2026.1")
    # At 5 %, three runs that are a third faster than the reference are already told from it.
    convergence = real.convergence.model_copy(update={"significance": 0.05})
    taken = {"audits": real.audits, "seeds": real.seeds, "convergence": convergence}
    return read_round("practice").model_copy(update=taken)


def _quality(answers: Mapping[int, Any]) -> float:
    """Of labels, or of lists of tokens that begin with one."""
    firsts = {i: found[0] if isinstance(found, list) else found for i, found in answers.items()}
    return load_scorer("image_classification")(firsts)


def _card_of_every_scenario() -> Reference:
    """``image_classification``, as if it generated tokens as well."""
    card = load_card("image_classification")
    scenarios = tuple(scenario for scenario in Scenario if scenario != Scenario.TRAIN)
    bounds = {"latency_bound_s": 0.015, "ttft_bound_s": 0.005, "tpot_bound_s": 0.003}
    facts = {"scenarios": scenarios, "samples_per_query": 8, **bounds}
    inference = card.inference.model_copy(update=facts)
    training = card.training.model_copy(update={"floors": {"tail": 0.5}})
    update = {"inference": inference, "training": training, "data_seed": ROUND.data_seed}
    whole = card.model_copy(update=update)
    return Reference(whole, workload_digest(card.name), _quality, POINTS)


def _point(batch_size: int, evaluations: int) -> ReferenceConvergencePoint:
    """Twenty runs, half of which converge an evaluation earlier or later than the mean."""
    around = (evaluations - 1, evaluations, evaluations, evaluations + 1)
    return ReferenceConvergencePoint(
        global_batch_size=batch_size,
        samples_to_converge=tuple(n * STEP for n in around * 5),
        seeds=tuple(range(20)),
        hyperparameters={"global_batch_size": batch_size},
        measured_on="Example CPU",
    )


STEP = 960
"""Samples between evaluations: the card's 901, rounded up to whole batches of 64."""
POINTS = (_point(32, 4), _point(64, 4), _point(128, 5))
ROUND = _round()
REFERENCE = _card_of_every_scenario()
CARD = REFERENCE.card
DIGEST = REFERENCE.digest
OTHER_SEEDS = {"library": 1, "order": 2, "schedule": 3}
AUDIT_SEED = 7
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


def installed(name: str) -> Reference | None:
    """The workload of the valid submission, as if it were installed."""
    return REFERENCE if name == CARD.name else None


def valid_submission() -> Submission:
    """Three training runs; in each other scenario performance, accuracy, and every audit."""
    submission = Submission(
        bundle_id="a" * 20,
        manifest_sha256="b" * 64,
        submitter="example",
        round=ROUND.name,
        system=SYSTEM,
        system_sha256=SYSTEM.digest,
        entries=(
            _entry(Scenario.TRAIN, [training_run(i, i + 3) for i in range(3)]),
            *(_entry(scenario, _inference_runs(scenario)) for scenario in CARD.inference.scenarios),
        ),
    )
    return announced(submission)


def announced(submission: Submission) -> Submission:
    """``submission`` with the intent log of its searches and runs as they are now."""
    lines = list[Line]()
    searches = [entry.runs[0].run for entry in submission.entries if entry.search]
    runs = [evidence.run for entry in submission.entries for evidence in entry.runs]
    told = [(run, bodies_of(run)) for run in sorted(runs, key=lambda run: run.started_ms)]
    for run, bodies in [*((run, [_search_before(run)]) for run in searches), *told]:
        for body in bodies:
            about = (submission.round, run.workload, run.scenario)
            lines.append(next_line(lines[-1] if lines else None, body, about))
    return replace(submission, intents=tuple(lines))


def _search_before(run: Run) -> Intent:
    found = bodies_of(run.model_copy(update={"id": "5" * 32}))[0]
    return Intent.model_validate({**dict(found), "purpose": "search", "started_ms": START_MS})


def bodies_of(run: Run) -> list[Intent | Outcome]:
    """What the intent log says of ``run``."""
    intent = Intent(run_id=run.id, configuration=Configuration.of(run), started_ms=run.started_ms)
    if run.status is RunStatus.INCOMPLETE:
        return [intent]
    ended_ms = run.started_ms + (run.duration_ns or 0) // MS
    fields = {"run_id": run.id, "status": run.status.value, "ended_ms": ended_ms}
    return [intent, Outcome.model_validate(fields)]


def _inference_runs(scenario: Scenario) -> list[RunEvidence]:
    generates = scenario == Scenario.INTERACTIVE
    audits = [a for a in Audit if generates or a != Audit.TOKENS]
    return [
        inference_run(scenario, Mode.PERFORMANCE),
        inference_run(scenario, Mode.ACCURACY),
        *(inference_run(scenario, Mode.AUDIT, audit) for audit in audits),
    ]


def _entry(scenario: Scenario, runs: Sequence[RunEvidence]) -> Entry:
    path = f"results/{CARD.name}/{scenario}"
    result = Result(
        workload=CARD.name,
        scenario=scenario,
        division=Division.CLOSED,
        metric=METRIC_OF[scenario],
        value=score(scenario, runs, ROUND, POINTS),
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
        log.event("data_sha256", CARD.data_sha256)
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
    return _evidence(run, f"run_{number + 1}", _log(clock, {"run": seed}, body))


def _block(log: EventWriter, clock: SimulatedClock, before: int, quality: float) -> None:
    after = before + STEP
    log.start("block_start", samples_count=before)
    clock.advance(500 * MS)
    log.event("train_loss", 0.5, samples_count=after)
    log.stop("block_stop", samples_count=after)
    log.start("eval_start", samples_count=after)
    clock.advance(100 * MS)
    log.event("eval_accuracy", quality, samples_count=after)
    log.event("eval_metric", 0.5, metric="tail", samples_count=after)
    log.stop("eval_stop", samples_count=after)


def inference_run(scenario: Scenario, mode: Mode, audit: Audit | None = None) -> RunEvidence:
    """A run with the logs of `valid_queries`; an audit is one of the scenario's performance run."""
    place = list(Audit).index(audit) + 3 if audit else 1 + (mode == Mode.ACCURACY)
    number = 100 * list(Scenario).index(scenario) + place
    clock = SimulatedClock(START_MS + number * 60_000)
    settings = ROUND.settings(scenario, CARD, RATE)
    seeds = dict(OTHER_SEEDS if audit == Audit.OTHER_SEEDS else ROUND.seeds)
    if audit:
        seeds["audit"] = AUDIT_SEED
    if mode == Mode.ACCURACY:
        queries = accuracy_log(scenario, settings, CARD.inference)
    else:
        queries = performance_log(scenario, settings, CARD.inference, seeds, audit)
    duration = duration_ns(queries)

    def body(log: EventWriter) -> None:
        _milestones_before(log, clock)
        clock.advance(duration)
        log.stop("run_stop", status="success")
        if mode == Mode.ACCURACY:
            log.event("eval_accuracy", 1.0, samples_count=len(queries))

    run = _run(
        number,
        scenario,
        mode,
        seeds=seeds,
        settings=settings,
        sut="workloads.image_classification.workload:ReferenceSut",
        audit=audit,
        audited_run=f"{100 * list(Scenario).index(scenario) + 1:032x}" if audit else None,
        duration_ns=duration,
        quality=1.0 if mode == Mode.ACCURACY else None,
        samples=len(queries),
    )
    log = _log(clock, seeds, body)
    return _evidence(run, f"run_{place}", log, queries, _answers(run, queries))


def _answers(run: Run, queries: QueryLog) -> tuple[Answer, ...] | None:
    """The answers that the run keeps."""
    if run.audit == Audit.SAMPLED_ANSWERS:
        return answers(run.scenario, kept(queries, AUDIT_SEED))
    if run.mode == Mode.ACCURACY or run.audit == Audit.TOKENS:
        return answers(run.scenario, queries["sample"].astype(np.int64))
    return None


def _milestones_before(log: EventWriter, clock: SimulatedClock) -> None:
    log.start("init_start")
    clock.advance(200 * MS)
    log.stop("init_stop")
    log.start("run_start")


def _log(
    clock: SimulatedClock, seeds: Mapping[str, int], body: Callable[[EventWriter], None]
) -> EventLog:
    stream = io.StringIO()
    log = EventWriter(stream, clock)
    log.event("submission_benchmark", CARD.name)
    log.event("submission_org", "Example")
    log.event("submission_division", "closed")
    log.event("submission_status", "onprem")
    log.event("submission_platform", SYSTEM.name)
    log.event("cache_clear", False)
    for name, seed in seeds.items():
        log.event("seed", seed, name=name)
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
    telemetry = steady_log(log.events[0].time_ms, log.events[-1].time_ms)
    return RunEvidence(path, run, log, queries, answers, telemetry)
