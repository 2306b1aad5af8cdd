"""The records of a run and of a result: frozen, strict, read from bytes in one place each."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Number = int | float


class Record(BaseModel):
    """Base of every record: immutable, no unknown fields, no silent conversion, no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True
    )

    def to_json(self) -> str:
        """The record as indented JSON text with a final newline."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


class Scenario(StrEnum):
    """How queries arrive; ``train`` is the training driver's one scenario."""

    TRAIN = "train"
    SINGLE_STREAM = "single_stream"
    OFFLINE = "offline"


class Mode(StrEnum):
    """What an execution is for: time to quality, speed of answers, or quality of answers."""

    TRAINING = "training"
    PERFORMANCE = "performance"
    ACCURACY = "accuracy"


class Division(StrEnum):
    """Closed: the reference's model and bounded hyperparameters. Open: anything, described."""

    CLOSED = "closed"
    OPEN = "open"


class RunStatus(StrEnum):
    """How a run ended.

    ``incomplete`` is what the record says from the start, so a killed run stays incomplete.
    ``aborted`` reached the card's limit without the quality target. ``failed`` raised.
    """

    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    ABORTED = "aborted"
    FAILED = "failed"


class InferenceSettings(Record):
    """What a scenario was asked to do; a round gives these numbers."""

    min_duration_ns: Annotated[int, Field(ge=0)]
    min_query_count: Annotated[int, Field(ge=1)]
    percentile: Annotated[float, Field(gt=0, lt=1)] = 0.9


class Run(Record):
    """One execution, measured. Written to ``run.json`` as incomplete, replaced at its end."""

    record: Literal["levelfield/run/v1"] = Field(default="levelfield/run/v1", alias="schema")
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    workload: Identifier
    workload_sha256: Sha256
    """Digest of the workload's folder: card, code, weights."""
    scenario: Scenario
    mode: Mode
    division: Division
    status: RunStatus
    error: str | None = None
    """Why a run failed or was aborted, in one line."""
    seeds: dict[str, Annotated[int, Field(ge=0, lt=2**53)]]
    """``{"run": …}`` for training; ``{"order": …}`` for inference."""
    hyperparameters: dict[str, Number] = {}
    settings: InferenceSettings | None = None
    sut: str | None = None
    """``package.module:Class`` of the system under test (inference)."""
    command: tuple[str, ...] | None = None
    """The submitter's own training program, if one ran."""
    system_sha256: Sha256
    started_ms: int
    """Wall time of the start, in milliseconds since the Unix epoch."""
    duration_ns: Annotated[int, Field(ge=0)] | None = None
    """The timed window: run_start to run_stop, or first scheduled to last completed query."""
    quality: float | None = None
    """Last evaluated quality (training), accuracy over the data set (accuracy mode)."""
    samples: Annotated[int, Field(ge=0)] | None = None
    """Samples trained on, or samples answered."""
    failed_queries: Annotated[int, Field(ge=0)] = 0


class Metric(StrEnum):
    """What a result's number is."""

    TIME_TO_TRAIN = "time_to_train"
    LATENCY = "latency"
    THROUGHPUT = "samples_per_second"


METRIC_OF = {
    Scenario.TRAIN: Metric.TIME_TO_TRAIN,
    Scenario.SINGLE_STREAM: Metric.LATENCY,
    Scenario.OFFLINE: Metric.THROUGHPUT,
}
HIGHER_IS_BETTER = {Metric.TIME_TO_TRAIN: False, Metric.LATENCY: False, Metric.THROUGHPUT: True}
UNIT_OF = {Metric.TIME_TO_TRAIN: "s", Metric.LATENCY: "s", Metric.THROUGHPUT: "1/s"}


class Result(Record):
    """The published number, claimed, and the runs that it comes from."""

    record: Literal["levelfield/result/v1"] = Field(default="levelfield/result/v1", alias="schema")
    workload: Identifier
    scenario: Scenario
    division: Division
    metric: Metric
    value: float | None
    """In SI base units (`UNIT_OF`); none if the runs give no score."""
    runs: tuple[Identifier, ...]
    """Folder names beside ``result.json``, in the order in which the runs started."""

    @property
    def unit(self) -> str:
        """Unit of ``value``, SI base."""
        return UNIT_OF[self.metric]
