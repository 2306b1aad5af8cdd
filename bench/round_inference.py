"""Inference runs of an invented machine: when its queries came and ended, and what it answered."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from round_answers import answers_of
from round_runs import MS, Made, Setup, begin, made

from harness.card import WorkloadCard
from harness.events import EventWriter
from harness.queries import QueryLog, new_log
from harness.records import Audit, InferenceSettings, Mode, RunStatus, Scenario
from harness.scenarios import kept_answers
from harness.schedule import schedule
from harness.visits import Visits
from rules.scoring import duration_ns

_ACCURACY_S = 20.0
_SPREAD = 0.05
"""Deviation of the logarithm of a latency."""
_STEADY = 0.01
"""And of the time that all of a run takes together."""


@dataclass(frozen=True)
class Asked:
    """What the runs of an inference result have in common."""

    card: WorkloadCard
    digest: str
    scenario: Scenario
    settings: InferenceSettings
    latency_s: float
    """Of a query; in offline of all of them, in an open loop beside the bounds of no matter."""


def asked(setup: Setup, card: WorkloadCard, digest: str, scenario: Scenario) -> Asked:
    """At rates and latencies that are slow, so that runs of a minute leave short logs."""
    speed = setup.machine.speed * setup.random.lognormvariate(0, setup.machine.noise)
    rate = float(f"{11.5 * max(speed, 1) ** 0.2:.4g}") if scenario.open_loop else None
    settings = setup.round.settings(scenario, card, rate)
    latency_s = 0.8 / max(speed, 1) ** 0.35
    if scenario is Scenario.OFFLINE:
        latency_s = 1.05 * settings.min_duration_ns / 1e9 * (1 + 4 * latency_s)
    return Asked(card, digest, scenario, settings, latency_s)


def inference_runs(setup: Setup, task: Asked) -> list[Made]:
    """Performance, accuracy, and every audit that the round asks for."""
    performance = _run(setup, task, Mode.PERFORMANCE)
    runs = [performance, _run(setup, task, Mode.ACCURACY)]
    for audit in setup.round.audits.required:
        if audit is not Audit.TOKENS or task.scenario is Scenario.INTERACTIVE:
            runs.append(_run(setup, task, Mode.AUDIT, audit, performance))
    return runs


def _run(
    setup: Setup, task: Asked, mode: Mode, audit: Audit | None = None, audited: Made | None = None
) -> Made:
    setup.clock.advance(60_000 * MS)
    seeds = _seeds(setup, audit)
    accuracy = mode is Mode.ACCURACY
    log = _accuracy_log(setup, task) if accuracy else _timed_log(setup, task, seeds, audit)
    found = answers_of(task.card.name) if accuracy or audit else None
    lines: tuple[str, ...] = found.lines if found else ()
    answers = None
    if accuracy or audit is Audit.TOKENS:
        answers = "".join(lines[sample] for sample in log["sample"].tolist())
    elif audit is Audit.SAMPLED_ANSWERS:
        while not (kept := kept_answers(seeds["audit"], len(log))).any():
            seeds["audit"] += 1  # an audit of few queries may keep none
        answers = "".join(lines[sample] for sample in log["sample"][kept].tolist())
    quality = found.quality if found and accuracy else None

    def body(events: EventWriter) -> dict[str, Any]:
        begin(events, setup.clock)
        setup.clock.advance(duration_ns(log))
        events.stop("run_stop", status="success")
        if accuracy:
            events.event("eval_accuracy", quality, samples_count=len(log))
        return {
            "status": RunStatus.COMPLETE,
            "duration_ns": duration_ns(log),
            "samples": len(log),
            "quality": quality,
        }

    return made(
        setup,
        (task.card, task.digest, task.scenario, mode),
        body,
        seeds=seeds,
        settings=task.settings,
        sut=task.card.engines["eager"],
        audit=audit,
        audited_run=audited.run.id if audited else None,
        queries=log,
        answers=answers,
    )


def _seeds(setup: Setup, audit: Audit | None) -> dict[str, int]:
    """The round's, where it fixes them, but for the audit that is of others."""
    names = ("library", "order", "schedule")
    drawn = {name: setup.random.getrandbits(32) for name in (*names, "audit")}
    if audit is None:
        del drawn["audit"]
    fixed = {} if audit is Audit.OTHER_SEEDS else {str(n): s for n, s in setup.round.seeds.items()}
    return drawn | fixed


def _timed_log(setup: Setup, task: Asked, seeds: dict[str, int], audit: Audit | None) -> QueryLog:
    settings, scenario = task.settings, task.scenario
    loaded = np.arange(task.card.inference.performance_samples)
    if scenario.open_loop:
        log = _open_loop(setup, task, seeds["schedule"])
    elif scenario is Scenario.OFFLINE:
        log = _batches(settings.min_query_count, _whole_ns(setup, task.latency_s))
    else:
        log = _closed_loop(setup, task)
    log["sample"] = Visits(scenario, settings, audit, seeds, loaded).rows(0, len(log))
    return _with_tokens(log, task)


def _accuracy_log(setup: Setup, task: Asked) -> QueryLog:
    """Each sample once, faster than they are timed, so that telemetry is short."""
    count = task.card.inference.samples
    whole_ns = _whole_ns(setup, _ACCURACY_S)
    if task.scenario is Scenario.OFFLINE:
        log = _batches(count, whole_ns)
    else:
        size = task.settings.samples_per_query
        log = new_log(count)
        log["query"] = np.arange(count) // size
        queries = int(log["query"][-1]) + 1
        _one_by_one(log, np.full(queries, whole_ns // queries))
    log["sample"] = np.arange(count)
    return _with_tokens(log, task)


def _spread(setup: Setup, seconds: float, count: int) -> NDArray[np.int64]:
    """So many times around ``seconds``, in nanoseconds."""
    generator = np.random.Generator(np.random.PCG64(setup.random.getrandbits(64)))
    return (generator.lognormal(np.log(seconds * 1e9), _SPREAD, count)).astype(np.int64)


def _whole_ns(setup: Setup, seconds: float) -> int:
    return round(seconds * 1e9 * setup.random.lognormvariate(0, _STEADY))


def _batches(count: int, whole_ns: int) -> QueryLog:
    """One query, answered 256 samples at a time."""
    log = new_log(count)
    batch = np.arange(count) // 256 + 1
    log["completed"] = batch * (whole_ns // int(batch[-1]))
    return log


def _closed_loop(setup: Setup, task: Asked) -> QueryLog:
    """As many queries as it takes for the last to be issued at the minimum duration or later."""
    settings, size = task.settings, task.settings.samples_per_query
    enough = settings.min_query_count + int(1.3 * settings.min_duration_ns / task.latency_s / 1e9)
    taken = _spread(setup, task.latency_s, enough)
    issued = np.cumsum(taken) - taken
    last = int(np.searchsorted(issued, settings.min_duration_ns))
    count = max(settings.min_query_count, last + 1)
    log = new_log(count * size)
    log["query"] = np.arange(count * size) // size
    _one_by_one(log, taken[:count])
    return log


def _one_by_one(log: QueryLog, taken: NDArray[np.int64]) -> None:
    """Each query is issued when the one before is complete."""
    ends = np.cumsum(taken)
    log["scheduled"] = log["issued"] = (ends - taken)[log["query"]]
    log["completed"] = ends[log["query"]]


def _open_loop(setup: Setup, task: Asked, seed: int) -> QueryLog:
    """Answered within half of the bound."""
    settings, facts = task.settings, task.card.inference
    assert settings.target_rate is not None
    least = (settings.min_duration_ns, settings.min_query_count)
    due = schedule(seed, settings.target_rate, *least)
    log = new_log(len(due))
    log["query"], log["scheduled"] = np.arange(len(due)), due
    log["issued"] = np.maximum.accumulate(due + _spread(setup, 60e-6, len(due)))
    if facts.ttft_bound_s and facts.tpot_bound_s:
        further = answers_of(task.card.name).tokens - 1
        seconds = 0.4 * (facts.ttft_bound_s + further * facts.tpot_bound_s)
    else:
        seconds = 0.4 * (facts.latency_bound_s or 0.0)
    log["completed"] = log["issued"] + _spread(setup, seconds, len(due))
    return log


def _with_tokens(log: QueryLog, task: Asked) -> QueryLog:
    """The first token after an eighth of the time, if the workload generates any."""
    if tokens := answers_of(task.card.name).tokens:
        log["tokens"] = tokens
        log["first_token"] = log["issued"] + (log["completed"] - log["issued"]) // 8
    return log
