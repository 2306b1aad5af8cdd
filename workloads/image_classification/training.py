"""Training with stochastic gradient descent on shifted pictures or random crops; evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harness.card import Scale, WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic
from workloads.framework import default_device
from workloads.image_classification.imagenet import Pictures
from workloads.image_classification.model import DigitNet, draw_weights
from workloads.image_classification.resnet import ResNet

_EVAL_BATCH = 128


@dataclass(frozen=True)
class Part:
    """Half of a data set: pictures (n, h, w, channels) and their classes (n,)."""

    images: NDArray[Any] | Pictures
    """Bytes, or values from 0 to 1, or what decodes itself when it is asked for."""
    labels: NDArray[Any]


Reader = Callable[[], Part]
"""Reads one part, when it is called."""


def network(card: WorkloadCard) -> nn.Module:
    """The card's model, with weights that mean nothing yet."""
    return DigitNet(card.shape) if card.scale == Scale.MINI else ResNet(card.shape)


def as_input(images: Tensor) -> Tensor:
    """Pictures (n, h, w, channels) as a network takes them: (n, channels, h, w), from 0 to 1."""
    values = images.float() / 255 if images.dtype == torch.uint8 else images
    return values.permute(0, 3, 1, 2)  # in memory still channels last, as convolutions like it


class PictureRecipe:
    """Pictures held in memory and shifted; see `workloads.training.Recipe`."""

    _images: Tensor  # (train samples, h + 2 reach, w + 2 reach, channels): margins to shift into
    _labels: Tensor
    _reach: int

    def __init__(
        self, card: WorkloadCard, hyperparameters: Mapping[str, Number], read: Reader
    ) -> None:
        """``read`` reads the training part, and nothing else."""
        self._card = card
        self._smoothing = hyperparameters["label_smoothing"]
        self._read = read

    def model(self, generator: torch.Generator) -> nn.Module:
        """See `Recipe`; laid out with channels last, which saves the convolutions copies."""
        model = network(self._card)
        draw_weights(model, generator)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

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
        part = self._read()
        self._reach = int(self._card.shape["shift"])
        images = torch.tensor(part.images, device=device)
        self._images = functional.pad(images, (0, 0, *(self._reach,) * 4))
        self._labels = torch.tensor(part.labels.astype(np.int64), device=device)
        return len(self._labels)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Cross entropy of augmented pictures; see `Recipe`."""
        scores = model(self._augmented(chosen, generator))
        return functional.cross_entropy(
            scores, self._labels[chosen], label_smoothing=self._smoothing
        )

    def _augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Inputs (n, channels, h, w), each moved by up to ``shift`` pixels along each axis."""
        side = self._images.shape[1] - 2 * self._reach
        shape = (2, len(chosen), 1)
        offset = torch.randint(0, 2 * self._reach + 1, shape, generator=generator)
        rows, columns = (offset + torch.arange(side)).to(chosen.device)  # (n, side) each
        return as_input(self._images[chosen[:, None, None], rows[:, :, None], columns[:, None, :]])


class FolderRecipe(PictureRecipe):
    """Pictures decoded as they are chosen, cropped at random and mirrored half the time."""

    _pictures: Pictures

    def load(self, device: torch.device) -> int:
        """See `Recipe`; reads labels alone."""
        part = self._read()
        self._pictures = cast(Pictures, part.images)
        self._labels = torch.tensor(part.labels.astype(np.int64), device=device)
        return len(self._labels)

    def _augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Inputs (n, 3, side, side)."""
        draws = torch.rand(len(chosen), 5, dtype=torch.float64, generator=generator)
        crops = self._pictures.crops(chosen.tolist(), draws[:, :4].numpy())
        pictures = as_input(torch.from_numpy(crops).to(chosen.device))
        mirrored = (draws[:, 4] < 0.5).to(chosen.device)
        return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)


class PictureEvaluation:
    """Top-1 accuracy on the evaluation part; see `harness.workload.Evaluation`."""

    _images: Tensor | Pictures
    _labels: Tensor

    def __init__(self, read: Reader, arithmetic: Arithmetic) -> None:
        """``read`` reads the evaluation part."""
        self._read = read
        self._bf16 = arithmetic.precision == "bf16"

    def load(self) -> None:
        """Read the evaluation part to the device's memory; from a folder, its labels alone."""
        part, device = self._read(), default_device()
        if isinstance(part.images, Pictures):
            self._images = part.images
        else:
            self._images = torch.tensor(part.images, device=device)
        self._labels = torch.tensor(part.labels.astype(np.int64), device=device)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy, 0 to 1."""
        model.eval()
        device = self._labels.device
        batches = torch.split(torch.arange(len(self._labels), device=device), _EVAL_BATCH)
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=self._bf16),
        ):
            right = [(self._scores(model, b).argmax(1) == self._labels[b]).sum() for b in batches]
        return {"accuracy": int(torch.stack(right).sum()) / len(self._labels)}

    def _scores(self, model: nn.Module, chosen: Tensor) -> Tensor:
        if isinstance(self._images, Tensor):
            images = self._images[chosen]
        else:
            images = torch.from_numpy(self._images[chosen.cpu().numpy()]).to(chosen.device)
        scores: Tensor = model(as_input(images))
        return scores
