"""Rounds: what a submission must meet, read from ``rounds/<name>.toml``."""

import difflib
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from harness.card import WorkloadCard
from harness.errors import LevelfieldError, UsageError
from harness.records import Audit, Division, Identifier, InferenceSettings, Record, Scenario

_ROOT = Path(__file__).parent / "rounds"
OFFICIAL = "mlperf-"
"""How the names of MLPerf's own rounds begin, whose terms are of another kind."""

InferenceScenario = Literal[
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.SERVER,
    Scenario.INTERACTIVE,
    Scenario.OFFLINE,
]
SeedName = Literal["library", "order", "schedule"]


class TrainingTerms(Record):
    """What a round asks of a training result."""

    runs: Annotated[int, Field(ge=1)]
    drop: Annotated[int, Field(ge=0)]
    """Runs that the Olympic mean drops at each end."""
    tolerated_non_converging: Annotated[int, Field(ge=0)]
    """Runs that may miss the target; they count as the slowest."""
    init_limit_s: dict[Division, int]
    """Longest untimed initialisation, in seconds."""


class InferenceTerms(Record):
    """What a round asks of a performance run in one scenario."""

    min_duration_s: Annotated[float, Field(gt=0)]
    min_query_count: Annotated[int, Field(ge=1)]
    """Queries; in offline, whose one query holds all, its samples."""
    percentile: Annotated[float, Field(gt=0, lt=1)]

    @property
    def min_duration_ns(self) -> int:
        """The duration in nanoseconds."""
        return round(self.min_duration_s * 1e9)


class ConvergenceTerms(Record):
    """How a round judges convergence against the reference's points (`rules.convergence`)."""

    significance: Annotated[float, Field(gt=0, lt=0.5)]
    """Of the t-test: about how often the reference itself would be refused."""
    drop: Annotated[int, Field(ge=0)]
    """Runs that are left out at each end of a reference point; lost ones are the slowest."""
    deviation: Literal["all", "trimmed"]
    """Of all runs of a point, as in MLPerf's checker, or of those that its mean is of, as in its
    rules."""
    grid_variance: bool
    """Whether to add the variance that evaluating at intervals hides."""
    pruning: Literal["walk", "hull"]
    limit: Literal["closed_form", "bisection"]
    allowance_samples: dict[Identifier, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Samples by workload by which the limit is lowered."""


class AuditTerms(Record):
    """What a round asks of audits."""

    required: tuple[Audit, ...]
    """``tokens`` is asked for in interactive only, whose workloads generate."""
    tolerance: Annotated[float, Field(gt=0, lt=1)]
    """How far an audit run's speed may lie from the performance run's, as a share."""
    equal_answers: Annotated[float, Field(gt=0, le=1)]
    """Least share of sampled answers that equal the accuracy run's."""
    answer_tolerance: Annotated[float, Field(ge=0, lt=1)]
    """Relative difference up to which two floating-point numbers in answers are equal."""


class Round(Record):
    """One round's terms."""

    name: Identifier
    title: str
    rankable: bool
    """Whether its results may be ranked; those of a round to practise in may not."""
    workloads: tuple[Identifier, ...]
    divisions: tuple[Division, ...]
    data_seed: int
    """PCG64 seed of the data that are generated."""
    accuracy_floor: Annotated[float, Field(gt=0, le=1)]
    """Least accuracy of inference, as a share of the reference's."""
    declared_system_required: bool
    clean_harness_required: bool
    intents_required: bool = False
    """Whether a run that nobody announced, or that is not accounted for, is an error."""
    max_lateness_s: Annotated[float, Field(gt=0)]
    """99th percentile of issue after schedule from which the generator has slipped (open loop)."""
    replication_tolerance: Annotated[float, Field(gt=0, lt=1)]
    """How far a replication's ratio to the original may lie from 1, as a share."""
    seeds: dict[SeedName, Annotated[int, Field(ge=0, lt=2**53)]]
    """Seeds that everybody uses in inference; those that are not given the harness draws."""
    audits: AuditTerms
    training: TrainingTerms
    convergence: ConvergenceTerms
    inference: dict[InferenceScenario, InferenceTerms]

    def settings(
        self, scenario: Scenario, card: WorkloadCard, target_rate: float | None = None
    ) -> InferenceSettings:
        """What the inference driver is asked to do in ``scenario`` of the workload ``card``."""
        terms, facts = self.terms(scenario), card.inference
        several = scenario == Scenario.MULTI_STREAM
        return InferenceSettings(
            min_duration_ns=terms.min_duration_ns,
            min_query_count=terms.min_query_count,
            percentile=terms.percentile,
            samples_per_query=facts.samples_per_query if several else 1,
            target_rate=target_rate if scenario.open_loop else None,
            latency_bound_ns=_bound(card, scenario, Scenario.SERVER, facts.latency_bound_s),
            ttft_bound_ns=_bound(card, scenario, Scenario.INTERACTIVE, facts.ttft_bound_s),
            tpot_bound_ns=_bound(card, scenario, Scenario.INTERACTIVE, facts.tpot_bound_s),
        )

    def terms(self, scenario: Scenario) -> InferenceTerms:
        """The terms of an inference scenario; `UsageError` if the round has none for it."""
        if scenario not in self.inference:
            known = ", ".join(self.inference)
            raise UsageError(f"round {self.name}: has no scenario {scenario}; known: {known}")
        return self.inference[scenario]


def _bound(
    card: WorkloadCard, scenario: Scenario, wanted: Scenario, bound_s: float | None
) -> int | None:
    """A bound of the card in ns, where ``scenario`` is the one that it is for."""
    if scenario != wanted:
        return None
    if bound_s is None:
        raise UsageError(f"{card.name}: its card has no bound for {scenario}; choose another")
    return round(bound_s * 1e9)


def round_names() -> list[str]:
    """Names of all rounds of our own, sorted."""
    names = (path.stem for path in _ROOT.glob("*.toml"))
    return sorted(name for name in names if not name.startswith(OFFICIAL))


@cache
def read_round(name: str) -> Round:
    """The round ``name``; `UsageError` with the nearest name if there is none."""
    if name not in round_names():
        near = difflib.get_close_matches(name, round_names(), 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(round_names())}"
        raise UsageError(f"{name}: no such round; {hint}")
    path = _ROOT / f"{name}.toml"
    try:
        return Round.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a round: {error}; mend the file") from error
