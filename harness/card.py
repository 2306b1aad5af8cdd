"""The workload card: the facts of a workload, read from its ``card.toml``."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Number, Record, Scenario, Sha256


class QualityTarget(Record):
    """The quality at which training stops, and its direction."""

    metric: str
    value: float
    higher_is_better: bool = True

    def met(self, quality: float) -> bool:
        """Whether ``quality`` reaches the target (NaN never does)."""
        return quality >= self.value if self.higher_is_better else quality <= self.value


class Hyperparameter(Record):
    """A value with the bounds that the closed division sets; without bounds it is fixed."""

    default: Number
    minimum: Number | None = None
    maximum: Number | None = None
    help: str

    @property
    def tunable(self) -> bool:
        """Whether the closed division lets a submitter change it."""
        return self.minimum is not None

    def allows(self, value: Number) -> bool:
        """Whether the closed division accepts ``value``; an integer stays an integer."""
        if isinstance(self.default, int) and not isinstance(value, int):
            return False
        if self.minimum is None or self.maximum is None:
            return value == self.default
        return self.minimum <= value <= self.maximum


class TrainingFacts(Record):
    """What the training driver and its rules need to know."""

    train_samples: Annotated[int, Field(gt=0)]
    eval_samples: Annotated[int, Field(gt=0)]
    evaluate_every: Annotated[int, Field(gt=0)]
    """Samples between two evaluations, rounded up to whole batches."""
    limit: Annotated[int, Field(gt=0)]
    """Samples after which a run is aborted."""
    target: QualityTarget
    hyperparameters: dict[str, Hyperparameter]


class InferenceFacts(Record):
    """What the inference driver and its rules need to know."""

    samples: Annotated[int, Field(gt=0)]
    """Samples in the data set that accuracy mode answers, each once."""
    performance_samples: Annotated[int, Field(gt=0)]
    """Samples held in memory in performance mode."""
    metric: str
    reference_quality: float
    """Quality of the shipped reference weights on the whole data set."""
    scenarios: tuple[Scenario, ...]
    samples_per_query: Annotated[int, Field(ge=1)] = 8
    """Samples in a query of multi_stream."""
    latency_bound_s: Annotated[float, Field(gt=0)] | None = None
    """Bound on the 99th percentile of latency in server."""
    ttft_bound_s: Annotated[float, Field(gt=0)] | None = None
    tpot_bound_s: Annotated[float, Field(gt=0)] | None = None
    """Bounds on the 99th percentiles of first token and time per token in interactive."""


class WorkloadCard(Record):
    """One workload's ``card.toml``."""

    name: Identifier
    title: str
    version: str
    task: str
    model: str
    data: str
    data_sha256: Sha256
    training: TrainingFacts
    inference: InferenceFacts
    engines: dict[str, str] = Field(default_factory=dict)
    """The workload's own systems under test by name, each ``package.module:Class``."""

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Every scenario that the workload offers, training first."""
        return (Scenario.TRAIN, *self.inference.scenarios)


class ReferenceConvergencePoint(Record):
    """How many samples the reference needed at one batch size, seed by seed."""

    global_batch_size: int
    samples_to_converge: tuple[int | None, ...]
    """One entry a seed, none where the run hit the card's limit."""
    seeds: tuple[int, ...]
    hyperparameters: dict[str, Number]
    measured_on: str
    """Machine and versions, for people."""


def read_card(path: Path) -> WorkloadCard:
    """Read and validate ``card.toml``; `LevelfieldError` names file and field."""
    try:
        return WorkloadCard.model_validate(tomllib.loads(path.read_text("utf-8")), strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a workload card: {error}; mend the file") from error


def settle_hyperparameters(
    facts: TrainingFacts, changes: dict[str, Number], *, bounded: bool
) -> dict[str, Number]:
    """The card's defaults with ``changes`` applied; closed-division bounds if ``bounded``.

    Raises `UsageError` for an unknown name or a value that the bounds exclude.
    """
    known = facts.hyperparameters
    for name, value in changes.items():
        if name not in known:
            raise UsageError(
                f"--set {name}: no such hyperparameter; known: {', '.join(sorted(known))}"
            )
        if bounded and not known[name].allows(value):
            raise UsageError(f"--set {name}={value}: {_bounds(known[name])}")
    return {name: changes.get(name, spec.default) for name, spec in known.items()}


def _bounds(spec: Hyperparameter) -> str:
    kind = "a whole number " if isinstance(spec.default, int) else ""
    if not spec.tunable:
        return f"fixed at {spec.default} in the closed division; leave it, or use --division open"
    return (
        f"the closed division allows {kind}{spec.minimum} to {spec.maximum}; "
        "choose within, or use --division open"
    )
