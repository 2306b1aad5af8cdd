"""What the logs of a training result say of luck and of speed."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.card import ReferenceConvergencePoint
from harness.records import Mode, RunStatus
from rules.convergence import Match
from rules.round import Round
from rules.scoring import (
    reference_of,
    samples_to_converge,
    time_to_train,
    timed_window_ms,
)
from rules.significance import Interval, Runs, mean_interval
from rules.submission import RunEvidence


def runs_of(
    runs: Sequence[RunEvidence], terms: Round, points: Sequence[ReferenceConvergencePoint]
) -> Runs:
    """What the score of a training result is computed from, every training run of it."""
    trained = [run for run in runs if run.run.mode == Mode.TRAINING]
    reference, asked = reference_of(runs, terms, points), terms.training.runs
    return Runs(
        seconds=tuple(map(time_to_train, trained)),
        samples=tuple(map(samples_to_converge, trained)),
        drop=terms.training.drop,
        tolerated=terms.training.tolerated_non_converging,
        reference=reference.reference.mean if reference else None,
        stretch=asked if len(trained) > asked else None,
    )


@dataclass(frozen=True)
class ReferenceTime:
    """Time to train if convergence took what it takes the reference: speed without the luck."""

    seconds: float
    interval: Interval | None
    """Of the time per sample alone: the reference's samples are a constant, equal for all."""
    match: Match
    """The reference's mean samples, and how they are known."""
    runs: tuple[float, ...]
    """The same of each run by itself."""


def reference_time(
    runs: Sequence[RunEvidence], terms: Round, points: Sequence[ReferenceConvergencePoint]
) -> ReferenceTime | None:
    """Mean seconds per sample of all training runs, times the reference's mean samples.

    Runs that missed the target count as well: they trained at the same speed. None where the
    batch size has no reference (`rules.scoring.reference_of`), or no run tells its speed.
    """
    found, speeds = reference_of(runs, terms, points), seconds_per_sample(runs)
    if found is None or not speeds:
        return None
    times = [speed * found.reference.mean for speed in speeds]
    return ReferenceTime(sum(times) / len(times), mean_interval(times), found, tuple(times))


def seconds_per_sample(runs: Sequence[RunEvidence]) -> list[float]:
    """Seconds from run_start to run_stop by samples at the last evaluation, a run that has both."""
    speeds = []
    for evidence in runs:
        last, window = evidence.log.last("eval_accuracy"), timed_window_ms(evidence.log)
        ended = evidence.run.status in (RunStatus.COMPLETE, RunStatus.ABORTED)
        samples = last.samples_count if last else None
        if evidence.run.mode == Mode.TRAINING and ended and samples and window:
            speeds.append((window[1] - window[0]) / 1000 / samples)
    return speeds
