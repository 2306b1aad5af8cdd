"""What timing the phases costs, and where the references' training time goes: two Markdown tables.

    python -P bench/phases.py [--steps 20] [--repeat 5] [workload …]

First the cost in isolation: a ``with`` block of a phase, and a query answered by the adapter of an
ordinary model, with the stopwatch and with one that does nothing, in turn; median, with least and
most. Then, for each workload, the share of data in the training loop, and the cost of the two
changes of phase in a step as a share of that step.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from harness.batcher import answer
from harness.card import settle_hyperparameters
from harness.clock import SystemClock
from harness.phases import Phase, PhaseClock
from harness.tracker import Tracker
from harness.workload import Arithmetic
from workloads.catalogue import load_workload, workload_names
from workloads.framework import settle_threads
from workloads.training import ReferenceTraining

_QUERIES = 20_000


class Stopped:
    """A stopwatch that does nothing."""

    def switch(self, phase: Phase) -> Phase:
        """See `PhaseClock`."""
        return phase


class Echo:
    """A library and a model that do as good as nothing."""

    total_samples = performance_samples = 1

    def load(self, indices: Sequence[int]) -> None:
        """See `QuerySampleLibrary`."""

    def unload(self, indices: Sequence[int]) -> None:
        """See `QuerySampleLibrary`."""

    def get(self, indices: Any) -> Any:
        """See `QuerySampleLibrary`."""
        return indices

    def predict(self, inputs: Any) -> Any:
        """See `Predictor`."""
        return inputs


def block_ns() -> float:
    """Nanoseconds of one ``with`` block of a phase."""
    phases = PhaseClock(time.perf_counter_ns)
    return _each(lambda: _blocks(phases))


def _blocks(phases: PhaseClock) -> None:
    for _ in range(_QUERIES):
        with phases(Phase.DATA):
            pass


def query_ns(phases: PhaseClock) -> float:
    """Nanoseconds of one query of one sample, entered, answered and completed."""
    tracker, echo, sample = Tracker(SystemClock()), Echo(), np.array([0])

    def answered() -> None:
        for _ in range(_QUERIES):
            answer(echo, echo, [(tracker.enter(sample), 0, 1)], phases)

    return _each(answered)


def _each(work: Callable[[], None]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / _QUERIES


def trained(name: str, steps: int) -> Callable[[], tuple[float, float]]:
    """Trains ``steps`` steps each time it is called; the share of data, seconds a step."""
    workload = load_workload(name)
    workload.prepare(lambda *_: None)
    values = settle_hyperparameters(workload.card.training, {}, bounded=True)
    session = workload.training(values, 0, Arithmetic())
    assert isinstance(session, ReferenceTraining)
    batch = int(values["global_batch_size"])
    session.load()
    session.train(2 * batch)

    def train() -> tuple[float, float]:
        before, begun = session.phases, time.perf_counter()
        session.train(steps * batch)
        seconds, after = time.perf_counter() - begun, session.phases
        return (after[Phase.DATA] - before[Phase.DATA]) / seconds, seconds / steps

    return train


def spread(values: Sequence[float], form: str) -> str:
    """Median, with least and most."""
    shown = (format(v, form) for v in (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*shown)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=workload_names())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    settle_threads()
    blocks, timed, plain = [], [], []
    for _ in range(options.repeat):
        blocks.append(block_ns())
        timed.append(query_ns(PhaseClock(time.perf_counter_ns)))
        plain.append(query_ns(cast(PhaseClock, Stopped())))
    added = [one - other for one, other in zip(timed, plain, strict=True)]
    print("| a block, ns | a query, ns | without timing, ns | added, ns |\n|---|---|---|---|")
    print(f"| {' | '.join(spread(one, ',.0f') for one in (blocks, timed, plain, added))} |\n")
    print("| workload | data | a step, ms | timing |\n|---|---|---|---|")
    for name, train in {name: trained(name, options.steps) for name in options.workloads}.items():
        shares, steps = zip(*(train() for _ in range(options.repeat)), strict=True)
        cost = statistics.median(blocks) / 1e9 / statistics.median(steps)
        cells = [spread(shares, ".2%"), spread([1e3 * s for s in steps], ",.2f"), f"{cost:.4%}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
