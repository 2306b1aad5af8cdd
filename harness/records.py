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
    MULTI_STREAM = "multi_stream"
    SERVER = "server"
    INTERACTIVE = "interactive"
    OFFLINE = "offline"

    @property
    def open_loop(self) -> bool:
        """Whether queries arrive by a schedule, whatever became of those before."""
        return self in (Scenario.SERVER, Scenario.INTERACTIVE)


class Mode(StrEnum):
    """What an execution is for: time to quality, speed, quality of answers, or a doubt."""

    TRAINING = "training"
    PERFORMANCE = "performance"
    ACCURACY = "accuracy"
    AUDIT = "audit"


class Audit(StrEnum):
    """The doubt that an audit run is to settle; MLPerf's test in brackets."""

    SAMPLED_ANSWERS = "sampled_answers"
    """Are answers in performance mode the real ones? A random subset is kept. [TEST01]"""
    REPEATED_SAMPLE = "repeated_sample"
    """Are results cached? One sample over and over. [TEST04]"""
    OTHER_SEEDS = "other_seeds"
    """Is the system tuned to the seeds? Others, drawn anew. [TEST05]"""
    TOKENS = "tokens"
    """Are generated tokens what is reported of them? [TEST06]"""


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
    """What a scenario was asked to do; a round and the workload's card give these numbers."""

    min_duration_ns: Annotated[int, Field(ge=0)]
    min_query_count: Annotated[int, Field(ge=1)]
    """Queries; in offline, whose one query holds all, samples."""
    percentile: Annotated[float, Field(gt=0, lt=1)] = 0.9
    samples_per_query: Annotated[int, Field(ge=1)] = 1
    target_rate: Annotated[float, Field(gt=0)] | None = None
    """Queries per second of the schedule (open loop)."""
    latency_bound_ns: Annotated[int, Field(gt=0)] | None = None
    """Bound on the percentile of latency (server)."""
    ttft_bound_ns: Annotated[int, Field(gt=0)] | None = None
    """Bound on the percentile of the time to the first token (interactive)."""
    tpot_bound_ns: Annotated[int, Field(gt=0)] | None = None
    """Bound on the percentile of the time per output token (interactive)."""
    timeout_ns: Annotated[int, Field(gt=0)] = 60_000_000_000
    """When nothing was completed for so long, what is still open counts as lost."""
    drain_ns: Annotated[int, Field(gt=0)] | None = None
    """So long after the last issue an open loop is stopped, answered or not (a search's probes)."""


class Borrowed(Record):
    """Whose hyperparameters a training run took over, as a group."""

    bundle: Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")]
    """Id of the source's bundle."""
    workload: Identifier
    """Which of its training results."""


class Peak(Record):
    """The most that a device was measured to do; `levelfield doctor --peak` measures it."""

    device: Annotated[str, Field(min_length=1, max_length=200)]
    """An accelerator's name, else the processor's and how many threads were used."""
    flops: dict[Identifier, Annotated[float, Field(gt=0)]]
    """Floating-point operations per second of large matrix products (on a CPU of convolutions, if
    these are faster), by precision: the best try."""
    bandwidth_bytes_per_s: Annotated[float, Field(gt=0)]
    """Bytes read and bytes written of a copy too large for caches: the best try."""
    measured_ms: int
    """Wall time, in milliseconds since the Unix epoch."""
    spread: dict[Identifier, Annotated[float, Field(ge=0, le=1)]] = {}
    """How far the median of the tries lay below the best, as a share of it."""
    datasheet: dict[Identifier, Annotated[float, Field(gt=0)]] = {}
    """The vendor's figures, without sparsity, by the same names."""


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
    """``{"run": …}`` for training; ``library``, ``order`` and ``schedule`` for inference."""
    hyperparameters: dict[str, Number] = {}
    borrowed_from: Borrowed | None = None
    """Where the hyperparameters come from, if they are another submission's (training)."""
    settings: InferenceSettings | None = None
    sut: str | None = None
    """``package.module:Class`` of the system under test (inference)."""
    precision: str | None = None
    """Arithmetic that was asked for (``--precision``)."""
    compiled: bool | None = None
    """Whether the framework's compiler was asked for (training)."""
    audit: Audit | None = None
    """Which doubt an audit run settles."""
    audited_run: str | None = None
    """The id of the performance run that an audit run belongs to."""
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
    constraints: dict[str, Number] = {}
    """Limits in force on the machine when the run started, as ``cpu_quota_cores``."""
    peak: Peak | None = None
    """What the device was measured to reach, if anybody has measured it."""


class Metric(StrEnum):
    """What a result's number is."""

    TIME_TO_TRAIN = "time_to_train"
    LATENCY = "latency"
    THROUGHPUT = "samples_per_second"
    RATE = "queries_per_second"
    TOKENS = "tokens_per_second"


METRIC_OF = {
    Scenario.TRAIN: Metric.TIME_TO_TRAIN,
    Scenario.SINGLE_STREAM: Metric.LATENCY,
    Scenario.MULTI_STREAM: Metric.LATENCY,
    Scenario.SERVER: Metric.RATE,
    Scenario.INTERACTIVE: Metric.TOKENS,
    Scenario.OFFLINE: Metric.THROUGHPUT,
}
HIGHER_IS_BETTER = {
    metric: metric not in (Metric.TIME_TO_TRAIN, Metric.LATENCY) for metric in Metric
}
UNIT_OF = {metric: "1/s" if HIGHER_IS_BETTER[metric] else "s" for metric in Metric}


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
