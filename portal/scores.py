"""What each run of a result contributes to its score, by the rules' own scoring functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Mode, Scenario
from portal.facts import fact
from portal.listing import Listing
from rules.convergence import Pace
from rules.repeatability import ReferenceTime, reference_time, runs_of
from rules.round import TrainingTerms
from rules.scoring import pace_of, score, scored_runs, time_to_train
from rules.significance import Interval, Runs, interval
from rules.submission import RunEvidence
from workloads.catalogue import load_points
from workloads.reference_points import Points


@dataclass(frozen=True)
class RunScore:
    """One run's part."""

    value: float | None
    """In the result's unit; none for a run that did not converge or that measures accuracy."""
    dropped: bool
    """Left out of the mean: as one of the fastest or slowest, or outside the scored stretch."""
    outside: bool = False
    """Not in the stretch of consecutive runs that is scored, where there are more than enough."""


@dataclass(frozen=True)
class Scaling:
    """How luck in converging was taken out of a time to train."""

    unscaled: float
    """The Olympic mean of the runs, in seconds."""
    pace: Pace


def points_of(listing: Listing) -> Points:
    """The reference convergence points of the workload of ``listing``."""
    return listing.imported.points if listing.imported else load_points(listing.card.name)


def scaling(listing: Listing) -> Scaling | None:
    """The scaling of a result that converged faster than the reference; none of any other."""
    entry, points = listing.entry, points_of(listing)
    if entry.result.scenario is not Scenario.TRAIN:
        return None
    pace = pace_of(entry.runs, listing.round, points)
    unscaled = score(Scenario.TRAIN, entry.runs, listing.round)
    return Scaling(unscaled, pace) if pace and pace.factor > 1 and unscaled is not None else None


@fact
def compared_runs(listing: Listing) -> Runs | None:
    """What a training's score is computed from; none of inference, whose score is of one run."""
    if listing.entry.result.scenario is not Scenario.TRAIN:
        return None
    return runs_of(listing.entry.runs, listing.round, points_of(listing))


@fact
def score_interval(listing: Listing) -> Interval | None:
    """Where the score of further runs would lie; none where the runs are too few to say."""
    runs = compared_runs(listing)
    return interval(runs) if runs else None


@fact
def time_without_luck(listing: Listing) -> ReferenceTime | None:
    """A training's time per sample, times the samples that the reference takes."""
    if listing.entry.result.scenario is not Scenario.TRAIN:
        return None
    return reference_time(listing.entry.runs, listing.round, points_of(listing))


def run_scores(listing: Listing) -> list[tuple[RunEvidence, RunScore]]:
    """Every run of a result, in order, with its part."""
    return list(zip(listing.entry.runs, _scores(listing), strict=True))


@fact
def _scores(listing: Listing) -> list[RunScore]:
    runs, scenario = listing.entry.runs, listing.entry.result.scenario
    if scenario is Scenario.TRAIN:
        return _training(runs, listing.round.training)
    if not listing.has_terms:
        return [RunScore(None, dropped=False)] * len(runs)
    return [RunScore(score(scenario, [run], listing.round), dropped=False) for run in runs]


def _training(runs: Sequence[RunEvidence], terms: TrainingTerms) -> list[RunScore]:
    times = {
        index: time_to_train(evidence)
        for index, evidence in enumerate(runs)
        if evidence.run.mode is Mode.TRAINING
    }
    scored = {evidence.path for evidence in scored_runs(runs, terms)}
    order = sorted((i for i in times if runs[i].path in scored), key=times.__getitem__)
    kept = set(order[terms.drop : len(order) - terms.drop])
    return [
        RunScore(
            value=times[index] if math.isfinite(times.get(index, math.inf)) else None,
            dropped=index in times and index not in kept,
            outside=index in times and evidence.path not in scored,
        )
        for index, evidence in enumerate(runs)
    ]
