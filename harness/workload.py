"""What the drivers ask of a workload, and of a system under test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.records import Number

Progress = Callable[[str, int, int], None]
"""Told of long work before a run: what is done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Arithmetic:
    """How a training may calculate: logged, and free to choose in both divisions."""

    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: matrix products and convolutions in 16 bits (autocast), weights in 32."""
    compiled: bool = False
    """Whether the model goes through the framework's compiler."""


class TrainingSession(Protocol):
    """One training from fresh weights. `load` is the first to touch the data set.

    It reads the training part alone; it is never given anything of the evaluation part.

    It may have an attribute ``phases``, a mapping from `harness.phases.Phase` to the seconds that
    all calls of `train` together spent on it; what is told of no phase counts as idle. Without it
    all of `train` counts as compute.
    """

    def load(self) -> None:
        """Read the training data into memory (timed)."""

    def train(self, samples: int) -> float:
        """Train on at least ``samples`` further samples, whole batches; return the mean loss."""

    @property
    def samples(self) -> int:
        """Samples trained on so far."""

    @property
    def model(self) -> Any:
        """What is being trained, for an `Evaluation`."""


class Evaluation(Protocol):
    """The evaluation set, which the driver puts to a model when the schedule says so."""

    def load(self) -> None:
        """Read the evaluation data into memory (timed)."""

    def evaluate(self, model: Any) -> Mapping[str, float]:
        """Qualities of ``model`` on the whole evaluation set, by metric; the target's among them.

        The model comes back as it was, ready to be trained on.
        """


class QuerySampleLibrary(Protocol):
    """The data set of inference: samples by index, loaded to memory outside the timed region."""

    @property
    def total_samples(self) -> int:
        """Samples in the data set."""

    @property
    def performance_samples(self) -> int:
        """Samples that performance mode holds in memory."""

    def load(self, indices: Sequence[int]) -> None:
        """Bring samples to memory."""

    def unload(self, indices: Sequence[int]) -> None:
        """Release what `load` brought."""

    def get(self, indices: NDArray[np.int64]) -> Any:
        """Inputs of loaded samples, as the workload's model takes them (a batch)."""


class Workload(Protocol):
    """A reference implementation at one scale."""

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""

    def prepare(self, report: Progress) -> str:
        """Make the data set if it is not there yet, check it; return its SHA-256 (untimed).

        `LevelfieldError` where it is not the card's.
        """

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> TrainingSession:
        """Initialise a training (untimed): model and optimiser, but no data."""

    def evaluation(self, arithmetic: Arithmetic) -> Evaluation:
        """The evaluation set, not yet read."""

    def library(self) -> QuerySampleLibrary:
        """The inference data set."""
