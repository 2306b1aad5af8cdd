"""What the drivers ask of a workload, and of a system under test."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.records import Number


class TrainingSession(Protocol):
    """One training from fresh weights. `load` is the first to touch the data set."""

    def load(self) -> None:
        """Read the data set into memory (timed)."""

    def train(self, samples: int) -> float:
        """Train on at least ``samples`` further samples, whole batches; return the mean loss."""

    @property
    def samples(self) -> int:
        """Samples trained on so far."""

    def evaluate(self) -> float:
        """Quality on the whole evaluation set."""


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
    """A reference implementation."""

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""

    def training(self, hyperparameters: Mapping[str, Number], seed: int) -> TrainingSession:
        """Initialise a training (untimed): model and optimiser, but no data."""

    def library(self) -> QuerySampleLibrary:
        """The inference data set."""
