"""The reference training loop: order, schedule, precision and counting, the same everywhere."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from harness.errors import LevelfieldError
from harness.phases import Phase, PhaseClock
from harness.records import Number
from harness.workload import Arithmetic
from workloads.device_time import Cuda, DeviceSteps
from workloads.framework import default_device, settle_threads


class Recipe(Protocol):
    """What a workload's training is made of; the loop is `ReferenceTraining`'s."""

    def model(self, generator: torch.Generator) -> nn.Module:
        """A model with new weights, drawn from ``generator`` alone, on the CPU."""

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """The optimiser; its learning rate is set before each step."""

    def load(self, device: torch.device) -> int:
        """Read the training part to ``device``; return the samples in an epoch."""

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """The mean loss (a scalar) of the samples with indices ``chosen`` (n,), on the device.

        Time counts as data until ``model`` is called, once, and as compute from there.
        ``generator``, on the CPU, is the only source of randomness.
        """


class ReferenceTraining:
    """One training from fresh weights; see `harness.workload.TrainingSession`.

    Weights, order and all else random come from one generator on the CPU, so that a seed gives
    the same training again on the same machine with the same number of threads.
    """

    def __init__(
        self,
        recipe: Recipe,
        hyperparameters: Mapping[str, Number],
        seed: int,
        arithmetic: Arithmetic,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Make model and optimiser; `LevelfieldError` for a value that cannot be trained with."""
        _require_sense(hyperparameters)
        settle_threads()
        self._recipe = recipe
        self._hyperparameters = hyperparameters
        self._batch = int(hyperparameters["global_batch_size"])
        self._clip = hyperparameters.get("opt_gradient_clip_norm")
        self._generator = torch.Generator().manual_seed(seed)
        self._device = default_device()
        self._model = recipe.model(self._generator).to(self._device)
        self._parameters = [p for p in self._model.parameters() if p.requires_grad]
        self._optimizer = recipe.optimizer(self._model, hyperparameters)
        self._bf16 = arithmetic.precision == "bf16"
        self._forward: Callable[..., Any] = (
            torch.compile(self._model) if arithmetic.compiled else self._model
        )
        self._samples = 0
        self._phases = PhaseClock(now_ns)
        on_cuda = self._device.type == "cuda"
        self._device_steps = DeviceSteps(Cuda(), now_ns) if on_cuda else None

    @property
    def samples(self) -> int:
        """Samples trained on so far."""
        return self._samples

    @property
    def model(self) -> nn.Module:
        """The model that is being trained."""
        return self._model

    @property
    def phases(self) -> dict[Phase, float]:
        """Seconds that `train` has spent on data and on compute; the device's, where it has one.

        Data: drawing the order, gathering and augmenting a batch. Where the data set is in the
        device's memory nothing is left to copy.
        """
        spent_ns = self._phases.spent_ns()
        spent_s = {phase: spent_ns[phase] / 1e9 for phase in (Phase.DATA, Phase.COMPUTE)}
        steps = self._device_steps
        return steps.phases(sum(spent_s.values())) if steps else spent_s

    def load(self) -> None:
        """Read the training part to the device's memory."""
        self._epoch = self._recipe.load(self._device)
        self._order = torch.empty(0, dtype=torch.int64, device=self._device)

    def train(self, samples: int) -> float:
        """Train on at least ``samples`` further samples, whole batches; return the mean loss."""
        with self._phases(Phase.COMPUTE):
            self._model.train()
            steps = math.ceil(samples / self._batch)
            losses = [self._timed_step() for _ in range(steps)]
            mean = float(torch.stack(losses).mean())  # waits for the device
        if self._device_steps:
            self._device_steps.settle()
        return mean

    def _timed_step(self) -> Tensor:
        if self._device_steps is None:
            return self._step()
        self._device_steps.begin()
        loss = self._step()
        self._device_steps.end()
        return loss

    def _step(self) -> Tensor:
        self._samples += self._batch
        rate = learning_rate(self._hyperparameters, self._samples)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._phases.switch(Phase.DATA)
        chosen = self._next_batch()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            loss = self._recipe.loss(self._compute, chosen, self._generator)  # type: ignore[arg-type]
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip)
        self._optimizer.step()
        return loss.detach()

    def _compute(self, *inputs: Any, **named: Any) -> Any:
        """The model, as a recipe calls it when its batch is ready: data end and compute begins."""
        self._phases.switch(Phase.COMPUTE)
        if self._device_steps:
            self._device_steps.call()
        return self._forward(*inputs, **named)

    def _next_batch(self) -> Tensor:
        """Indices of the next batch. Each epoch visits every sample once, in a new order; a batch
        may span two epochs, so that all batches are whole."""
        while len(self._order) < self._batch:
            epoch = torch.randperm(self._epoch, generator=self._generator)
            self._order = torch.cat([self._order, epoch.to(self._device)])
        chosen, self._order = self._order[: self._batch], self._order[self._batch :]
        return chosen


def learning_rate(hyperparameters: Mapping[str, Number], samples: int) -> float:
    """The rate after ``samples`` samples: linear warm-up, half a cosine down, then constant.

    Defined in samples, so that one setting means the same at every batch size.
    """
    base = hyperparameters["opt_base_learning_rate"]
    end = hyperparameters["opt_end_learning_rate"]
    warmup = hyperparameters["opt_learning_rate_warmup_samples"]
    if samples < warmup:
        return base * samples / warmup
    decay = max(1, hyperparameters["opt_learning_rate_decay_samples"] - warmup)
    progress = min(1.0, (samples - warmup) / decay)
    return end + (base - end) * (1 + math.cos(math.pi * progress)) / 2


def _require_sense(hyperparameters: Mapping[str, Number]) -> None:
    for name, value in hyperparameters.items():
        if not math.isfinite(value) or value < 0:
            raise LevelfieldError(f"{name}={value}: negative or not finite; choose from 0 up")
    batch = hyperparameters["global_batch_size"]
    if batch != int(batch) or batch < 2:  # one sample has no variance to normalise by
        raise LevelfieldError(f"global_batch_size={batch}: not a whole number from 2; choose one")
