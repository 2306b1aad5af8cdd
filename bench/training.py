"""How fast the references train, and where their time goes: a Markdown table.

    python bench/training.py [--steps 50] [--repeat 5] [workload …]

For each workload: samples a second through the reference loop; the card's model FLOPs over their
time, as a share of the device's measured peak in fp32 (MFU); and the share of time
outside the model's forward pass, the backward pass and the optimiser's step (clipping is
part of the step). That share
holds reading and shuffling data, the loss function itself, bookkeeping and this measurement, so it
is an upper bound. Workloads take turns, `--repeat` times; median, with least and most.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch

from harness.card import settle_hyperparameters
from harness.workload import Arithmetic
from workloads.catalogue import load_workload, workload_names
from workloads.framework import default_device, settle_threads
from workloads.peak import arithmetic
from workloads.training import ReferenceTraining

PEAK_SIZE = 2048
"""Rows and columns of the matrices that the peak is measured with."""


@dataclass
class Inside:
    """Seconds spent inside what is timed."""

    seconds: float = 0.0

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """``call``, with its time added here."""

        def wrapped(*values: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return call(*values, **named)
            finally:
                self.seconds += time.perf_counter() - begun

        return wrapped


@dataclass
class Measured:
    """One workload's tries."""

    rates: list[float] = field(default_factory=list)
    flops: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)


class Bench:
    """One workload, ready to train on."""

    def __init__(self, name: str, steps: int) -> None:
        workload = load_workload(name)
        workload.prepare(lambda *_: None)
        values = settle_hyperparameters(workload.card.training, {}, bounded=True)
        session = workload.training(values, 0, Arithmetic())
        assert isinstance(session, ReferenceTraining)
        self._session, self._batch = session, int(values["global_batch_size"])
        self._samples = steps * self._batch
        session.load()
        session.train(self._batch)
        self._flops_per_sample = workload.card.training.flops_per_sample or math.nan
        self._inside = Inside()
        model, optimizer = session.model, session._optimizer
        model.forward = self._inside.timed(model.forward)
        optimizer.step = self._inside.timed(optimizer.step)  # type: ignore[method-assign]
        self._backward = self._inside.timed(torch.Tensor.backward)
        self._clip = self._inside.timed(torch.nn.utils.clip_grad_norm_)
        session.train(self._batch)

    def measure(self, into: Measured) -> None:
        """Train for the steps asked for, and note what came of it."""
        self._inside.seconds = 0.0
        with (
            patch.object(torch.Tensor, "backward", self._backward),
            patch.object(torch.nn.utils, "clip_grad_norm_", self._clip),
        ):
            begun = time.perf_counter()
            self._session.train(self._samples)
            seconds = time.perf_counter() - begun
        into.rates.append(self._samples / seconds)
        into.flops.append(self._flops_per_sample * self._samples / seconds)
        into.outside.append(1 - self._inside.seconds / seconds)


def spread(values: list[float], form: str) -> str:
    """Median, with least and most."""
    shown = (format(v, form) for v in (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*shown)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=workload_names())
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    settle_threads()
    benches = {name: Bench(name, options.steps) for name in options.workloads}
    found = {name: Measured() for name in benches}
    peak = 0.0
    for _ in range(options.repeat):
        # Again each time: a neighbour may slow any one of them.
        peak = max(peak, arithmetic("fp32", default_device(), PEAK_SIZE, seconds=1.0).best)
        for name, bench in benches.items():
            bench.measure(found[name])
    print(f"peak in fp32: {peak / 1e9:.0f} GFLOP/s\n")
    print("| workload | samples/s | MFU | outside forward, backward, step |")
    print("|---|---|---|---|")
    for name, one in found.items():
        mfu = [flops / peak for flops in one.flops]
        cells = [spread(one.rates, ",.0f"), spread(mfu, ".1%"), spread(one.outside, ".1%")]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
