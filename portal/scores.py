"""What each run of a result contributes to its score, by the rules' own scoring functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Mode, Scenario
from portal.listing import Listing
from rules.convergence import Pace
from rules.scoring import pace_of, score, time_to_train
from rules.submission import RunEvidence
from workloads.catalogue import load_points


@dataclass(frozen=True)
class RunScore:
    """One run's part."""

    value: float | None
    """In the result's unit; none for a run that did not converge or that measures accuracy."""
    dropped: bool
    """Left out of the mean as one of the fastest or slowest."""


@dataclass(frozen=True)
class Scaling:
    """How luck in converging was taken out of a time to train."""

    unscaled: float
    """The Olympic mean of the runs, in seconds."""
    pace: Pace


def scaling(listing: Listing) -> Scaling | None:
    """The scaling of a result that converged faster than the reference; none of any other."""
    entry, points = listing.entry, load_points(listing.card.name)
    if entry.result.scenario is not Scenario.TRAIN:
        return None
    pace = pace_of(entry.runs, listing.round, points)
    unscaled = score(Scenario.TRAIN, entry.runs, listing.round)
    return Scaling(unscaled, pace) if pace and pace.factor > 1 and unscaled is not None else None


def run_scores(listing: Listing) -> list[tuple[RunEvidence, RunScore]]:
    """Every run of a result, in order, with its part."""
    runs, scenario = listing.entry.runs, listing.entry.result.scenario
    if scenario is Scenario.TRAIN:
        return list(zip(runs, _training(runs, listing.round.training.drop), strict=True))
    if not listing.has_terms:
        return [(run, RunScore(None, dropped=False)) for run in runs]
    return [(run, RunScore(score(scenario, [run], listing.round), dropped=False)) for run in runs]


def _training(runs: Sequence[RunEvidence], drop: int) -> list[RunScore]:
    times = {
        index: time_to_train(evidence)
        for index, evidence in enumerate(runs)
        if evidence.run.mode is Mode.TRAINING
    }
    order = sorted(times, key=times.__getitem__)
    kept = set(order[drop : len(order) - drop])
    return [
        RunScore(
            value=times[index] if math.isfinite(times.get(index, math.inf)) else None,
            dropped=index in times and index not in kept,
        )
        for index in range(len(runs))
    ]
