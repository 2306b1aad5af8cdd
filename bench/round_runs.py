"""Runs as the drivers leave them, in simulated time: their files, and what is scored of them."""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from round_systems import Machine

from harness.card import ReferenceConvergencePoint, WorkloadCard
from harness.clock import SimulatedClock
from harness.events import EventWriter, parse_events
from harness.phases import Phase, log_phases
from harness.queries import QueryLog, query_log_bytes
from harness.records import Division, Mode, Number, Run, RunStatus, Scenario
from harness.telemetry.log import Reading, Sample, TelemetryLog
from rules.round import Round
from rules.submission import RunEvidence

MS = 1_000_000
_EVERY_S = 2.0
"""Between readings: the most that a rule lets pass, so that logs are short."""
_PHASES = {Phase.COMPUTE: 0.78, Phase.DATA: 0.09, Phase.EVALUATION: 0.08, Phase.IDLE: 0.05}


@dataclass(frozen=True)
class Setup:
    """What all runs of a bundle share."""

    machine: Machine
    system_sha256: str
    round: Round
    division: Division
    precision: str
    random: Random
    clock: SimulatedClock


@dataclass(frozen=True)
class Made:
    """One run with the bytes of its files."""

    evidence: RunEvidence
    files: Mapping[str, bytes]
    ended_ms: int

    @property
    def run(self) -> Run:
        """Its record."""
        return self.evidence.run


Body = Callable[[EventWriter], dict[str, Any]]
"""Logs what happens from the initialisation on; returns what the run's record then says."""


def made(
    setup: Setup, subject: tuple[WorkloadCard, str, Scenario, Mode], body: Body, **facts: Any
) -> Made:
    """A run of a card, whose folder has that digest, in a scenario and mode, as ``body`` goes."""
    card, digest, scenario, mode = subject
    queries: QueryLog | None = facts.pop("queries", None)
    answers: str | None = facts.pop("answers", None)
    started_ms, stream = setup.clock.wall_ms(), io.StringIO()
    log = EventWriter(stream, setup.clock)
    _header(log, setup, card.name, facts["seeds"])
    measured = body(log)
    setup.clock.advance(300 * MS)
    run = Run(
        id=setup.random.randbytes(16).hex(),
        workload=card.name,
        workload_sha256=digest,
        scenario=scenario,
        mode=mode,
        division=setup.division,
        system_sha256=setup.system_sha256,
        started_ms=started_ms,
        precision=setup.precision,
        peak=setup.machine.peak,
        **(facts | measured),
    )
    text = stream.getvalue().encode()
    files = {
        "run.json": run.to_json().encode(),
        "events.log": text,
        "telemetry.jsonl": _telemetry(setup, started_ms).encode(),
    }
    if queries is not None:
        files["queries.npy"] = query_log_bytes(queries)
    if answers is not None:
        files["answers.jsonl"] = answers.encode()
    evidence = RunEvidence("", run, parse_events(text), queries, None, TelemetryLog(()))
    return Made(evidence, files, setup.clock.wall_ms())


def _header(log: EventWriter, setup: Setup, workload: str, seeds: Mapping[str, int]) -> None:
    system = setup.machine.system
    log.event("submission_benchmark", workload)
    log.event("submission_org", system.declared.organisation if system.declared else "undeclared")
    log.event("submission_division", setup.division.value)
    log.event("submission_status", "onprem")
    log.event("submission_platform", system.name)
    log.event("cache_clear", False)
    for name, seed in seeds.items():
        log.event("seed", seed, name=name)


def begin(log: EventWriter, clock: SimulatedClock) -> None:
    """What is not timed."""
    log.start("init_start")
    clock.advance(240 * MS)
    log.stop("init_stop")
    log.start("run_start")


def _telemetry(setup: Setup, started_ms: int) -> str:
    """Readings from the start of the run until now."""
    ended_ms = setup.clock.wall_ms()
    steps = max(2, math.ceil((ended_ms - started_ms) / 1000 / _EVERY_S))
    lines = []
    for step in range(steps + 1):
        time_ms = started_ms + (ended_ms - started_ms) * step // steps
        for source, values in _readings(setup, (time_ms - started_ms) / 1000).items():
            lines.append(Sample(time_ms=time_ms, source=source, values=values).line())
    return "".join(lines)


def _readings(setup: Setup, seconds: float) -> dict[str, dict[str, Reading]]:
    machine, devices = setup.machine, setup.machine.devices
    watts = round(machine.watts / devices * setup.random.uniform(0.98, 1.02), 1)
    joules = round(machine.watts / devices * seconds, 1)
    found: dict[str, dict[str, Reading]] = {
        "host": {
            "cpu_utilisation": (round(setup.random.uniform(0.7, 0.9), 3),),
            "memory_used_bytes": 9 * 2**30,
        }
    }
    if machine.source == "nvml":
        found["nvml"] = {
            "utilisation": (0.78,) * devices,
            "power_w": (watts,) * devices,
            "energy_j": (joules,) * devices,
            "temperature_c": (61,) * devices,
        }
    elif machine.source == "rapl":
        found["rapl"] = {"package_energy_j": (joules,) * devices}
    elif machine.source == "meter":
        found["meter"] = {"power_w": round(watts * devices, 1)}
    return found


def training_run(
    setup: Setup, card: WorkloadCard, digest: str, point: ReferenceConvergencePoint, blocks: int
) -> Made:
    """A training that meets its target at the last of so many evaluations; with 0, never."""
    facts, size = card.training, point.global_batch_size
    step = math.ceil(facts.evaluate_every / size) * size
    count = blocks or math.ceil(facts.limit / step)
    seconds = sum(point.seconds) / sum(point.converged) * step / setup.machine.speed
    block_ns = round(seconds * 1e9 * setup.random.lognormvariate(0, setup.machine.noise))
    settings: dict[str, Number] = dict(point.hyperparameters)

    def body(log: EventWriter) -> dict[str, Any]:
        _facts(log, card, settings, setup.precision)
        begin(log, setup.clock)
        for number in range(1, count + 1):
            quality = _quality(card, number / count, reached=bool(blocks and number == count))
            _block(log, setup, card, number * step, (step, block_ns, quality))
        status = "success" if blocks else "aborted"
        log.stop("run_stop", status=status, samples_count=count * step)
        window_ns = count * block_ns
        log_phases(log, {phase: share * window_ns / 1e9 for phase, share in _PHASES.items()})
        return {
            "status": RunStatus.COMPLETE if blocks else RunStatus.ABORTED,
            "error": None if blocks else "the card's limit was reached below the target",
            "duration_ns": window_ns,
            "quality": quality,
            "samples": count * step,
        }

    subject = (card, digest, Scenario.TRAIN, Mode.TRAINING)
    seeds = {"run": setup.random.getrandbits(32)}
    return made(setup, subject, body, seeds=seeds, hyperparameters=settings)


def _facts(
    log: EventWriter, card: WorkloadCard, settings: Mapping[str, Number], precision: str
) -> None:
    for name, value in settings.items():
        log.event(name, value)
    log.event("gradient_accumulation_steps", 1)
    log.event("train_samples", card.training.train_samples)
    log.event("eval_samples", card.training.eval_samples)
    log.event("data_sha256", card.data_sha256)
    log.event("precision", precision)


def _quality(card: WorkloadCard, done: float, *, reached: bool) -> float:
    """On its way to the target, from half of it or from twice as much."""
    target = card.training.target
    if reached:
        return target.value
    worst = target.value * (0.5 if target.higher_is_better else 2.0)
    return round(target.value + (worst - target.value) * (1.02 - done) ** 2, 6)


def _block(
    log: EventWriter, setup: Setup, card: WorkloadCard, after: int, told: tuple[int, int, float]
) -> None:
    step, block_ns, quality = told
    log.start("block_start", samples_count=after - step)
    setup.clock.advance(block_ns - block_ns // 12)
    log.event("train_loss", round(0.1 + 2.0 * step / after, 4), samples_count=after)
    log.stop("block_stop", samples_count=after)
    log.start("eval_start", samples_count=after)
    setup.clock.advance(block_ns // 12)
    log.event("eval_accuracy", quality, samples_count=after)
    for name, floor in card.training.floors.items():
        log.event("eval_metric", round(floor + 0.004, 4), metric=name, samples_count=after)
    log.stop("eval_stop", samples_count=after)
