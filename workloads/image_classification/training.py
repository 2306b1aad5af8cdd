"""Training: shifted digits, stochastic gradient descent, warm-up and cosine decay in samples."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn.datasets  # noqa: F401  (imported before the clock starts; `load` reads data alone)
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.errors import LevelfieldError
from harness.records import Number
from workloads.image_classification.data import load_digits
from workloads.image_classification.model import fresh_model

GREY_LEVELS = 16
SIDE = 8
_REACH = 1
"""Pixels by which augmentation shifts an image, at most, along each axis."""


def default_device() -> torch.device:
    """The first accelerator if torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels (n, 8, 8) as what the model takes: (n, 1, 8, 8), values 0 to 1."""
    return images.astype(np.float32)[:, None] / np.float32(GREY_LEVELS)


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


class DigitTraining:
    """One training from fresh weights; see `harness.workload.TrainingSession`.

    Weights, order and shifts come from one generator on the CPU, so that a seed gives the same
    training again on the same machine with the same number of threads.
    """

    _images: Tensor  # (train samples, 10, 10): zero margins to shift into
    _labels: Tensor
    _eval_inputs: Tensor  # (eval samples, 1, 8, 8)
    _eval_labels: Tensor

    def __init__(self, hyperparameters: Mapping[str, Number], seed: int) -> None:
        """Make model and optimiser; `LevelfieldError` for a value that cannot be trained with."""
        _require_sense(hyperparameters)
        self._hyperparameters = hyperparameters
        self._batch = int(hyperparameters["global_batch_size"])
        self._generator = torch.Generator().manual_seed(seed)
        self._device = default_device()
        self._model = fresh_model(self._generator).to(self._device)
        self._optimizer = self._new_optimizer()
        self._order = torch.empty(0, dtype=torch.int64)
        self._samples = 0

    def _new_optimizer(self) -> torch.optim.Optimizer:
        # Scales and biases (one axis) are not decayed: that would only fight normalisation.
        weights = [p for p in self._model.parameters() if p.ndim > 1]
        others = [p for p in self._model.parameters() if p.ndim == 1]
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": self._hyperparameters["opt_weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.SGD(
            groups,
            lr=0.0,  # set before every step
            momentum=self._hyperparameters["opt_momentum"],
            nesterov=True,
        )

    @property
    def samples(self) -> int:
        """Samples trained on so far."""
        return self._samples

    def load(self) -> None:
        """Read the data set to the device's memory."""
        digits = load_digits()
        grey = torch.from_numpy(digits.train_images).to(self._device, torch.float32) / GREY_LEVELS
        self._images = functional.pad(grey, (_REACH,) * 4)
        self._labels = torch.from_numpy(digits.train_labels).to(self._device, torch.int64)
        self._eval_inputs = torch.from_numpy(as_input(digits.eval_images)).to(self._device)
        self._eval_labels = torch.from_numpy(digits.eval_labels).to(self._device, torch.int64)

    def train(self, samples: int) -> float:
        """Train on at least ``samples`` further samples, whole batches; return the mean loss."""
        self._model.train()
        steps = math.ceil(samples / self._batch)
        losses = [self._step() for _ in range(steps)]
        return float(torch.stack(losses).mean())

    def _step(self) -> Tensor:
        self._samples += self._batch
        rate = learning_rate(self._hyperparameters, self._samples)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        chosen = self._next_batch()
        loss = functional.cross_entropy(
            self._model(self._shifted(chosen)),
            self._labels[chosen],
            label_smoothing=self._hyperparameters["label_smoothing"],
        )
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach()

    def _next_batch(self) -> Tensor:
        """Indices of the next batch. Each epoch visits every sample once, in a new order; a batch
        may span two epochs, so that all batches are whole."""
        while len(self._order) < self._batch:
            epoch = torch.randperm(len(self._labels), generator=self._generator)
            self._order = torch.cat([self._order, epoch])
        chosen, self._order = self._order[: self._batch], self._order[self._batch :]
        return chosen.to(self._device)

    def _shifted(self, chosen: Tensor) -> Tensor:
        """Images (n, 1, 8, 8), each moved by up to a pixel along each axis."""
        shape = (2, len(chosen), 1)
        offset = torch.randint(0, 2 * _REACH + 1, shape, generator=self._generator)
        places = (offset + torch.arange(SIDE)).to(self._device)  # (2, n, 8): rows and columns
        rows, columns = places[0][:, :, None], places[1][:, None, :]
        return self._images[chosen[:, None, None], rows, columns][:, None]

    def evaluate(self) -> float:
        """Accuracy on the whole evaluation half, 0 to 1."""
        self._model.eval()
        with torch.inference_mode():
            answers = self._model(self._eval_inputs).argmax(1)
        return int((answers == self._eval_labels).sum()) / len(self._eval_labels)

    def weights(self) -> dict[str, Tensor]:
        """Parameters and running statistics by name, on the CPU."""
        return {name: value.cpu() for name, value in self._model.state_dict().items()}


def _require_sense(hyperparameters: Mapping[str, Number]) -> None:
    for name, value in hyperparameters.items():
        if not math.isfinite(value) or value < 0:
            raise LevelfieldError(f"{name}={value}: negative or not finite; choose from 0 up")
    batch = hyperparameters["global_batch_size"]
    if batch != int(batch) or batch < 2:  # one sample has no variance to normalise by
        raise LevelfieldError(f"global_batch_size={batch}: not a whole number from 2; choose one")
