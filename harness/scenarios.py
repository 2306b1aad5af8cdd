"""The scenarios: when the next query comes and how many samples it holds. Pure, no I/O."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.records import InferenceSettings, Scenario

_BLOCK = 65_536
_KEPT_SHARE = 0.02
_MARGIN = 1.3
"""Offline asks for this much more work than the warm-up's rate would need, to last long enough."""


class QueryPlan(Protocol):
    """Decides, whenever the last query is complete, what comes next."""

    def next_query(self, queries: int, last_issued_ns: int) -> int:
        """Samples in the next query, 0 to end the run.

        ``queries`` have been issued, the last of them ``last_issued_ns`` after the start.
        """


@dataclass(frozen=True)
class Stream:
    """Single_stream and multi_stream: the next query when the last is complete.

    Ends when both the minimum count and, by the issue time of the last query, the minimum
    duration are met (as LoadGen counts it).
    """

    settings: InferenceSettings

    def next_query(self, queries: int, last_issued_ns: int) -> int:
        """See `QueryPlan`."""
        enough = queries >= self.settings.min_query_count
        ended = enough and last_issued_ns >= self.settings.min_duration_ns
        return 0 if ended else self.settings.samples_per_query


@dataclass(frozen=True)
class Offline:
    """One query with everything; ``rate`` (samples per second, from the warm-up) sizes it."""

    settings: InferenceSettings
    rate: float

    def next_query(self, queries: int, last_issued_ns: int) -> int:
        """See `QueryPlan`."""
        needed = math.ceil(self.rate * _MARGIN * self.settings.min_duration_ns / 1e9)
        return 0 if queries else max(self.settings.min_query_count, needed)


@dataclass(frozen=True)
class EverySample:
    """Accuracy mode: each of ``total`` samples once, ``size`` a query."""

    total: int
    size: int

    def next_query(self, queries: int, last_issued_ns: int) -> int:
        """See `QueryPlan`."""
        return min(self.size, self.total - queries * self.size)


def performance_plan(scenario: Scenario, settings: InferenceSettings, rate: float) -> QueryPlan:
    """The plan of a performance run in a closed loop; ``rate`` is the warm-up's."""
    return Offline(settings, rate) if scenario == Scenario.OFFLINE else Stream(settings)


def accuracy_plan(scenario: Scenario, settings: InferenceSettings, total: int) -> QueryPlan:
    """The plan of an accuracy run over ``total`` samples, in the scenario's query size."""
    return EverySample(total, total if scenario == Scenario.OFFLINE else settings.samples_per_query)


def loaded_set(seed: int, total: int, performance_samples: int) -> NDArray[np.int64]:
    """Which samples performance mode loads: all, or a random subset in rising order."""
    if performance_samples >= total:
        return np.arange(total, dtype=np.int64)
    generator = np.random.Generator(np.random.PCG64(seed))
    return np.sort(generator.choice(total, performance_samples, replace=False)).astype(np.int64)


def sample_order(seed: int, rows: int, performance_samples: int) -> NDArray[np.uint32]:
    """Places in the loaded set of the first ``rows`` samples: uniform, with replacement.

    Drawn in blocks, so that a longer run's order begins with a shorter one's.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    blocks = [
        generator.integers(0, performance_samples, _BLOCK, dtype=np.uint32)
        for _ in range(max(1, math.ceil(rows / _BLOCK)))
    ]
    return np.concatenate(blocks)[:rows]


def stream_order(
    seed: int, rows: int, samples_per_query: int, performance_samples: int
) -> NDArray[np.uint32]:
    """Places of the first ``rows`` samples of multi_stream: each query takes neighbours.

    A query begins at a uniform place and goes on with the following ones, around the end.
    """
    queries = math.ceil(rows / samples_per_query)
    starts = sample_order(seed, queries, performance_samples)
    places = starts[:, None] + np.arange(samples_per_query, dtype=np.uint32)
    return (places % performance_samples).astype(np.uint32).reshape(-1)[:rows]


def kept_answers(seed: int, rows: int) -> NDArray[np.bool_]:
    """Which of the first ``rows`` answers of an audited performance run are kept: about 1 in 50."""
    blocks = math.ceil(rows / _BLOCK)
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = np.concatenate([generator.random(_BLOCK) for _ in range(max(1, blocks))])
    return drawn[:rows] < _KEPT_SHARE
