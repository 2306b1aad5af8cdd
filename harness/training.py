"""The training driver: it owns the clock, the evaluation schedule and the decision to stop."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.card import TrainingFacts
from harness.clock import Clock
from harness.foreign import ForeignCode
from harness.phases import Phase, PhaseClock, divided, log_phases
from harness.recording import Recording, Subject
from harness.records import Mode, Number, Run, RunStatus, Scenario
from harness.workload import Arithmetic, Evaluation, TrainingSession, Workload
from harness.workload import Progress as Preparing

Progress = Callable[[int, int, float], None]
"""Called after each evaluation with samples so far, the card's limit and the quality."""
FP32 = Arithmetic()


def train(
    workload: Workload,
    hyperparameters: Mapping[str, Number],
    seed: int,
    folder: Path,
    subject: Subject,
    clock: Clock,
    progress: Progress = lambda *_: None,
    arithmetic: Arithmetic = FP32,
    preparing: Preparing = lambda *_: None,
) -> Run:
    """Train once to the quality target or to the card's limit; write the run to ``folder``.

    The data set is made and checked before anything is timed. As in MLPerf, initialisation and
    run are timed apart, data are first read after ``run_start``, and evaluation is on the clock.
    Whatever the workload raises then ends the run as *failed*, with the reason in its record.
    """
    facts = workload.card.training
    data_sha256 = workload.prepare(preparing)
    run = subject.begin(
        Scenario.TRAIN,
        Mode.TRAINING,
        clock,
        seeds={"run": seed},
        hyperparameters=dict(hyperparameters),
        precision=arithmetic.precision,
        compiled=arithmetic.compiled,
    )
    with Recording(folder, run, subject, clock) as recording:
        driver = _Driver(recording, facts, clock, progress)
        foreign = ForeignCode()
        with foreign:
            driver.log_facts(hyperparameters, arithmetic, data_sha256)
            session = driver.initialise(workload, hyperparameters, seed, arithmetic)
            status = driver.run(session)
        if foreign.error is not None:
            return recording.finish(RunStatus.FAILED, error=foreign.reason)
        driver.log_phases(session)
        return recording.finish(status, **driver.measured())


class _Driver:
    """The steps of one training; holds what has been measured so far."""

    def __init__(
        self, recording: Recording, facts: TrainingFacts, clock: Clock, progress: Progress
    ) -> None:
        self._log = recording.log
        self._facts = facts
        self._clock = clock
        self._progress = progress
        self._quality: float | None = None
        self._samples = 0

    def log_facts(
        self, hyperparameters: Mapping[str, Number], arithmetic: Arithmetic, data_sha256: str
    ) -> None:
        """Log everything that is known before the start, under MLPerf's keys."""
        for name, value in hyperparameters.items():
            self._log.event(name, value)
        self._log.event("gradient_accumulation_steps", 1)
        self._log.event("train_samples", self._facts.train_samples)
        self._log.event("eval_samples", self._facts.eval_samples)
        self._log.event("data_sha256", data_sha256)
        self._log.event("precision", arithmetic.precision)
        self._log.event("compiled", arithmetic.compiled)

    def initialise(
        self,
        workload: Workload,
        hyperparameters: Mapping[str, Number],
        seed: int,
        arithmetic: Arithmetic,
    ) -> TrainingSession:
        """The untimed part: model and optimiser, no data."""
        self._log.start("init_start")
        session = workload.training(hyperparameters, seed, arithmetic)
        self._evaluation: Evaluation = workload.evaluation(arithmetic)
        self._log.stop("init_stop")
        return session

    def run(self, session: TrainingSession) -> RunStatus:
        """The timed part, from the first touch of the data to the decision to stop."""
        self._phases = phases = PhaseClock(self._clock.now_ns)
        with phases(Phase.LOGGING):
            self._log.start("run_start")
        with phases(Phase.DATA):
            session.load()
        with phases(Phase.EVALUATION):
            self._evaluation.load()
        reached = False
        while not reached and session.samples < self._facts.limit:
            self._train_block(session)
            reached = self._evaluate(session)
        status = "success" if reached else "aborted"
        with phases(Phase.LOGGING):
            self._log.stop("run_stop", status=status, samples_count=session.samples)
        self._spent_ns = phases.spent_ns()
        self._samples = session.samples
        return RunStatus.COMPLETE if reached else RunStatus.ABORTED

    def measured(self) -> dict[str, object]:
        """Fields of the run's record."""
        return {
            "duration_ns": sum(self._spent_ns.values()),
            "quality": self._quality,
            "samples": self._samples,
        }

    def log_phases(self, session: TrainingSession) -> None:
        """Log where the time went; the session's ``phases``, if it has any, divide its blocks."""
        spent_s = {phase: spent_ns / 1e9 for phase, spent_ns in self._spent_ns.items()}
        within = divided(spent_s[Phase.COMPUTE], getattr(session, "phases", None))
        if within is None:
            log_phases(self._log, spent_s, includes=(Phase.DATA, Phase.COPY, Phase.COMMUNICATION))
            return
        spent_s[Phase.COMPUTE] = 0.0
        for phase, seconds in within.items():
            spent_s[phase] += seconds
        log_phases(self._log, spent_s)

    def _train_block(self, session: TrainingSession) -> None:
        with self._phases(Phase.LOGGING):
            self._log.start("block_start", samples_count=session.samples)
        with self._phases(Phase.COMPUTE):
            loss = session.train(self._facts.evaluate_every)
        with self._phases(Phase.LOGGING):
            self._log.event("train_loss", _finite(loss), samples_count=session.samples)
            self._log.stop("block_stop", samples_count=session.samples)

    def _evaluate(self, session: TrainingSession) -> bool:
        with self._phases(Phase.LOGGING):
            self._log.start("eval_start", samples_count=session.samples)
        with self._phases(Phase.EVALUATION):
            found = dict(self._evaluation.evaluate(session.model))
        with self._phases(Phase.LOGGING):
            quality = found.pop(self._facts.target.metric)
            self._log_qualities(quality, found, session.samples)
            self._progress(session.samples, self._facts.limit, quality)
        return self._facts.target.met(quality)

    def _log_qualities(self, quality: float, others: Mapping[str, float], samples: int) -> None:
        self._quality = _finite(quality)
        self._log.event("eval_accuracy", self._quality, samples_count=samples)
        for name, value in others.items():
            self._log.event("eval_metric", _finite(value), metric=name, samples_count=samples)
        self._log.stop("eval_stop", samples_count=samples)


def _finite(value: float) -> float | None:
    """A diverged value as none: JSON has no NaN, and the run goes on to its limit."""
    return value if math.isfinite(value) else None
