"""A toy workload and system under test, for exact tests of the drivers in simulated time."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.card import InferenceFacts, QualityTarget, TrainingFacts, WorkloadCard
from harness.clock import SimulatedClock
from harness.recording import Subject
from harness.records import Division, Number, Scenario
from harness.system import find_system
from harness.workload import Arithmetic, Progress

MS = 1_000_000


def toy_card(limit: int = 500) -> WorkloadCard:
    return WorkloadCard(
        name="toy",
        title="Toy",
        version="1",
        task="none",
        model="none",
        data="none",
        data_sha256="0" * 64,
        training=TrainingFacts(
            train_samples=100,
            eval_samples=10,
            evaluate_every=100,
            limit=limit,
            target=QualityTarget(metric="top1", value=0.9),
            hyperparameters={},
        ),
        inference=InferenceFacts(
            samples=8,
            performance_samples=4,
            metric="top1",
            reference_quality=1.0,
            scenarios=(Scenario.SINGLE_STREAM, Scenario.OFFLINE),
        ),
    )


class ToySession:
    """Takes 10 ms to load, 1 ms a sample to train; its model is a number."""

    model = 1

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.samples = 0
        self.calls: list[str] = []

    def load(self) -> None:
        self.calls.append("load")
        self._clock.advance(10 * MS)

    def train(self, samples: int) -> float:
        self.calls.append("train")
        self._clock.advance(samples * MS)
        self.samples += samples
        return 1.0


class ToyEvaluation:
    """Takes nothing to load and 5 ms to evaluate; follows ``qualities``."""

    tail = 0.5

    def __init__(
        self, clock: SimulatedClock, qualities: Sequence[float], session: ToySession
    ) -> None:
        self._clock = clock
        self._qualities = list(qualities)
        self._calls = session.calls

    def load(self) -> None:
        self._calls.append("load evaluation")

    def evaluate(self, model: int) -> dict[str, float]:
        assert model == ToySession.model
        self._calls.append("evaluate")
        self._clock.advance(5 * MS)
        return {"top1": self._qualities.pop(0), "tail": self.tail}


class ToyWorkload:
    """Initialises in 100 ms."""

    def __init__(
        self, clock: SimulatedClock, qualities: Sequence[float] = (), limit: int = 500
    ) -> None:
        self.card = toy_card(limit)
        self._clock = clock
        self.session = ToySession(clock)
        self._evaluation = ToyEvaluation(clock, qualities, self.session)

    def prepare(self, report: Progress) -> str:
        self.session.calls.append("prepare")
        return "d" * 64

    def training(
        self,
        hyperparameters: Mapping[str, Number],
        seed: int,
        arithmetic: Arithmetic,
    ) -> ToySession:
        self._clock.advance(100 * MS)
        return self.session

    def evaluation(self, arithmetic: Arithmetic) -> ToyEvaluation:
        return self._evaluation

    def library(self) -> "ToyLibrary":
        return ToyLibrary()


class ToyLibrary:
    """Sample i is the number i; 8 in all, 4 of them for performance mode."""

    total_samples = 8
    performance_samples = 4

    def __init__(self) -> None:
        self.loaded: set[int] = set()

    def load(self, indices: Sequence[int]) -> None:
        self.loaded |= set(indices)

    def unload(self, indices: Sequence[int]) -> None:
        self.loaded -= set(indices)

    def get(self, indices: NDArray[np.int64]) -> list[int]:
        assert set(indices.tolist()) <= self.loaded
        return [int(index) for index in indices]


class ToyModel:
    """Answers each sample with itself, in 2 ms a batch; raises on samples in ``bad``."""

    max_batch = 4

    def __init__(self, clock: SimulatedClock, bad: Sequence[int] = ()) -> None:
        self._clock = clock
        self._bad = set(bad)

    def predict(self, inputs: list[int]) -> list[int]:
        self._clock.advance(2 * MS)
        if self._bad & set(inputs):
            raise RuntimeError("bad sample")
        return inputs


def toy_subject() -> Subject:
    return Subject(
        workload="toy",
        workload_sha256="0" * 64,
        division=Division.CLOSED,
        system=find_system(None, None),
    )
