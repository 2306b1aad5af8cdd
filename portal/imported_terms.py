"""An official round in the types that the pages take: a round, a workload's card, points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.card import (
    InferenceFacts,
    QualityTarget,
    ReferenceConvergencePoint,
    TrainingFacts,
    WorkloadCard,
)
from rules.mlperf.official import DirectoryVerdict
from rules.mlperf.strict_terms import StrictBenchmark
from rules.mlperf.terms import OfficialBenchmark, OfficialRound
from rules.round import AuditTerms, Round, TrainingTerms
from workloads.reference_points import Points

QUALITY = "eval_accuracy"
"""The key under which every official log gives its quality, whatever that is."""


@dataclass(frozen=True)
class ImportedResult:
    """What stands for one imported result's round, card and reference points."""

    round: Round
    card: WorkloadCard
    points: Points
    verdict: DirectoryVerdict
    """What the official tools say of it."""
    asked: Mapping[str, str]
    """What its hyperparameters must be, by their names."""


@dataclass(frozen=True)
class Imported:
    """What an imported bundle has beside its submission."""

    statement: str
    """That nobody here has verified it."""
    source: str
    """Whose results these are."""
    description: Mapping[str, Any]
    """The system as its submitter described it to the source."""
    results: Mapping[str, ImportedResult]
    """By benchmark."""

    @property
    def described(self) -> list[tuple[str, str]]:
        """Name and value of what the description says; fields without a value are left out."""
        rows = [(name.replace("_", " "), str(value)) for name, value in self.description.items()]
        return [(name, value) for name, value in rows if value.strip()]


def as_round(terms: OfficialRound, benchmark: OfficialBenchmark) -> Round:
    """The terms of one benchmark of an official round, whose benchmarks differ in their runs.

    It has no inference, no audits and no generated data.
    """
    return Round(
        name=terms.name,
        title=terms.title,
        rankable=True,
        workloads=tuple(terms.benchmarks),
        divisions=tuple(terms.init_limit_s),
        data_seed=0,
        accuracy_floor=1.0,
        declared_system_required=True,
        clean_harness_required=False,
        max_lateness_s=1.0,
        replication_tolerance=0.1,
        seeds={},
        audits=AuditTerms(required=(), tolerance=0.1, equal_answers=1.0, answer_tolerance=0.0),
        training=TrainingTerms(
            runs=benchmark.runs,
            drop=terms.scoring.drop,
            tolerated_non_converging=terms.scoring.tolerated,
            init_limit_s=terms.init_limit_s,
        ),
        convergence=terms.convergence,
        inference={},
    )


def as_card(name: str, benchmark: OfficialBenchmark, facts: StrictBenchmark) -> WorkloadCard:
    """What an official round says of a benchmark; task, model and data stand in its title."""
    task, _, rest = benchmark.title.partition(": ")
    model, _, data = rest.rpartition(" on ")
    target, schedule = benchmark.target, benchmark.schedule
    epochs = schedule.every_epochs or 1.0
    return WorkloadCard(
        name=name,
        title=benchmark.title,
        version="1",
        task=f"{task}.",
        model=f"{model}.",
        data=f"{data}: {facts.train_samples:,} samples, {facts.eval_samples:,} to evaluate on.",
        training=TrainingFacts(
            train_samples=facts.train_samples,
            eval_samples=facts.eval_samples,
            evaluate_every=schedule.every_samples or round(epochs * facts.train_samples),
            limit=2**53,
            target=QualityTarget(
                metric=QUALITY,
                value=float(target.value),
                higher_is_better=target.higher_is_better,
            ),
            hyperparameters={},
        ),
        inference=InferenceFacts(
            samples=facts.eval_samples,
            performance_samples=facts.eval_samples,
            metric=QUALITY,
            reference_quality=float(target.value),
            scenarios=(),
        ),
    )


def in_samples(place: float, benchmark: OfficialBenchmark, facts: StrictBenchmark) -> int:
    """How far training had come, in samples, where the benchmark may count it in epochs.

    Epochs are rounded to three digits, as the official tools round them.
    """
    if benchmark.unit == "samples_count":
        return round(place)
    return round(round(place, 3) * facts.train_samples)


def as_points(
    points: Mapping[int, Sequence[float]], benchmark: OfficialBenchmark, facts: StrictBenchmark
) -> Points:
    """The reference's points, by batch size, in samples."""
    return tuple(
        ReferenceConvergencePoint(
            global_batch_size=size,
            samples_to_converge=tuple(in_samples(one, benchmark, facts) for one in converged),
            seeds=(),
            hyperparameters={},
            measured_on="",
        )
        for size, converged in sorted(points.items())
    )


def asked(benchmark: OfficialBenchmark) -> dict[str, str]:
    """What the closed division asks of each hyperparameter, the checker and the written rules."""
    checked = {key: check.text for key, check in benchmark.keys.items()}
    return checked | {key: condition.text for key, condition in benchmark.written.items()}
