"""The workload card: the facts of a workload, read from its ``card.toml``."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Number, Record, Scenario, Sha256


class Scale(StrEnum):
    """How large a workload is run."""

    MINI = "mini"
    """Two processor cores, a training run of 20 to 60 seconds."""
    STANDARD = "standard"
    """One data-centre accelerator, a training run of 5 to 60 minutes."""
    FULL = "full"
    """The model and the data set of MLPerf's own workload, from a folder of the user's."""


class QualityTarget(Record):
    """The quality at which training stops, and its direction."""

    metric: str
    value: float
    higher_is_better: bool = True
    optimum: float | None = None
    """The best that any model can reach, where the data's generator tells it exactly."""

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
    flops_per_sample: Annotated[int, Field(gt=0)] | None = None
    """Model FLOPs of one sample, forward and backward; multiply and add are two. Evaluation, the
    optimiser, normalisation and elementwise work are not counted. `workloads.flops` counts."""
    target: QualityTarget
    floors: dict[str, float] = Field(default_factory=dict)
    """Further metrics of the evaluation, and what each must be at least at the last one."""
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
    flops_per_sample: Annotated[int, Field(gt=0)] | None = None
    """Model FLOPs of one sample's whole answer: forward, and where tokens are generated, the
    prompt's and those of every token, so that a token's are this over the tokens of an answer."""
    scenarios: tuple[Scenario, ...]
    samples_per_query: Annotated[int, Field(ge=1)] = 8
    """Samples in a query of multi_stream."""
    latency_bound_s: Annotated[float, Field(gt=0)] | None = None
    """Bound on the 99th percentile of latency in server."""
    ttft_bound_s: Annotated[float, Field(gt=0)] | None = None
    tpot_bound_s: Annotated[float, Field(gt=0)] | None = None
    """Bounds on the 99th percentiles of first token and time per token in interactive."""


class WorkloadCard(Record):
    """A workload's ``card.toml`` at one scale: a benchmark."""

    name: Identifier
    """The folder's, with the scale behind a dot unless that is mini."""
    scale: Scale = Scale.MINI
    title: str
    version: str
    task: str
    model: str
    data: str
    measured: str = ""
    """On what the target was measured; empty: nobody has, so it may be run but not ranked."""
    data_seed: int | None = None
    """PCG64 seed of generated data; none for data that were collected."""
    data_sha256: Sha256 | Literal[""] = ""
    """SHA-256 over the arrays; empty: nobody has made them yet."""
    shape: dict[str, Number] = Field(default_factory=dict)
    """Sizes of model and data generator, by the names that the workload's code gives them."""
    training: TrainingFacts
    inference: InferenceFacts
    engines: dict[str, str] = Field(default_factory=dict)
    """The workload's own systems under test by name, each ``package.module:Class``."""

    @property
    def workload(self) -> str:
        """The workload's name without the scale: its folder."""
        return self.name.partition(".")[0]

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
    date: str = ""
    """The day on which the last of the runs ended, as 2026-11-20."""
    version: str = ""
    """The card's version that was run."""
    seconds: tuple[float, ...] = ()
    """Processor time of each run, with data and evaluation."""

    @property
    def converged(self) -> tuple[int, ...]:
        """Samples of the runs that reached the target."""
        return tuple(samples for samples in self.samples_to_converge if samples is not None)


def read_card(path: Path, scale: Scale = Scale.MINI) -> WorkloadCard:
    """Read and validate ``card.toml`` at ``scale``; `LevelfieldError` names file and field.

    The file's top level is scale mini; ``[scales.X]`` holds what differs from it at another,
    which must be one of `scales_of`.
    """
    try:
        facts = tomllib.loads(path.read_text("utf-8"))
        scales = facts.pop("scales", {})
        if scale != Scale.MINI:
            unmeasured = {"measured": "", "data_sha256": ""}
            facts = _merged({**facts, **unmeasured}, scales[scale])
            facts |= {
                "name": f"{facts['name']}.{scale}",
                "scale": scale,
                "title": f"{facts['title']}, {scale}",
            }
        return WorkloadCard.model_validate(facts, strict=False)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LevelfieldError(f"{path}: not a workload card: {error}; mend the file") from error


def scales_of(path: Path) -> tuple[Scale, ...]:
    """The scales that a ``card.toml`` has, mini first."""
    return (Scale.MINI, *map(Scale, tomllib.loads(path.read_text("utf-8")).get("scales", {})))


def _merged(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``facts`` with ``changes`` laid over them, table by table; ``"none"`` takes a fact away."""
    merged = dict(facts)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        elif value == "none":
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


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
