"""Training: shifted digits, stochastic gradient descent; evaluation on the held-out half."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn.datasets  # noqa: F401  (imported before the clock starts; `load` reads data alone)
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number
from workloads.framework import default_device
from workloads.image_classification.data import load_digits
from workloads.image_classification.model import DigitNet, fresh_model

GREY_LEVELS = 16
SIDE = 8
_REACH = 1
"""Pixels by which augmentation shifts an image, at most, along each axis."""


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels (n, 8, 8) as what the model takes: (n, 1, 8, 8), values 0 to 1."""
    return images.astype(np.float32)[:, None] / np.float32(GREY_LEVELS)


class DigitRecipe:
    """See `workloads.training.Recipe`."""

    _images: Tensor  # (train samples, 10, 10): zero margins to shift into
    _labels: Tensor

    def __init__(self, hyperparameters: Mapping[str, Number]) -> None:
        self._smoothing = hyperparameters["label_smoothing"]

    def model(self, generator: torch.Generator) -> DigitNet:
        """See `Recipe`."""
        return fresh_model(generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """Nesterov momentum; see `Recipe`."""
        # Scales and biases (one axis) are not decayed: that would only fight normalisation.
        weights = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim == 1]
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": hyperparameters["opt_weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ]
        momentum = hyperparameters["opt_momentum"]
        return torch.optim.SGD(groups, lr=0.0, momentum=momentum, nesterov=True)

    def load(self, device: torch.device) -> int:
        """See `Recipe`."""
        digits = load_digits()
        grey = torch.from_numpy(digits.train_images).to(device, torch.float32) / GREY_LEVELS
        self._images = functional.pad(grey, (_REACH,) * 4)
        self._labels = torch.from_numpy(digits.train_labels).to(device, torch.int64)
        return len(self._labels)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Cross entropy of shifted images; see `Recipe`."""
        scores = model(self._shifted(chosen, generator))
        return functional.cross_entropy(
            scores, self._labels[chosen], label_smoothing=self._smoothing
        )

    def _shifted(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Images (n, 1, 8, 8), each moved by up to a pixel along each axis."""
        offset = torch.randint(0, 2 * _REACH + 1, (2, len(chosen), 1), generator=generator)
        places = (offset + torch.arange(SIDE)).to(chosen.device)  # (2, n, 8): rows and columns
        rows, columns = places[0][:, :, None], places[1][:, None, :]
        return self._images[chosen[:, None, None], rows, columns][:, None]


class DigitEvaluation:
    """The held-out half; see `harness.workload.Evaluation`."""

    _inputs: Tensor  # (eval samples, 1, 8, 8)
    _labels: Tensor

    def load(self) -> None:
        """Read the held-out half to the device's memory."""
        digits, device = load_digits(), default_device()
        self._inputs = torch.from_numpy(as_input(digits.eval_images)).to(device)
        self._labels = torch.from_numpy(digits.eval_labels).to(device, torch.int64)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy, 0 to 1."""
        model.eval()
        with torch.inference_mode():
            answers = model(self._inputs).argmax(1)
        return {"accuracy": int((answers == self._labels).sum()) / len(self._labels)}
