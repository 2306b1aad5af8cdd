"""The training recipe and the evaluation: the loss of rectified flow."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.card import WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic
from workloads.data_set import DataSet
from workloads.framework import default_device
from workloads.image_generation.data import NOISE_UNIT, make
from workloads.image_generation.model import FlowTransformer, fresh_model

_EVALUATION_BATCH = 256


def as_flow(images: Tensor, levels: float) -> Tensor:
    """Grey levels 0 to ``levels`` as what the flow arrives at: -1 to 1."""
    return images.float() * (2 / levels) - 1


class FlowRecipe:
    """See `workloads.training.Recipe`."""

    def __init__(self, card: WorkloadCard, hyperparameters: Mapping[str, Number]) -> None:
        """Nothing is read yet."""
        self._card = card
        self._levels = card.shape["levels"]
        self._no_class = int(card.shape["classes"])
        self._dropout = hyperparameters["label_dropout"]

    def model(self, generator: torch.Generator) -> FlowTransformer:
        """A network with new weights, drawn from ``generator`` alone."""
        return fresh_model(self._card.shape, generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """Adam; decay, apart from the gradient, of matrices alone."""
        weights = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim == 1]
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": hyperparameters["opt_weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            groups,
            lr=0.0,  # set before every step
            betas=(hyperparameters["opt_adamw_beta_1"], hyperparameters["opt_adamw_beta_2"]),
            eps=hyperparameters["opt_adamw_epsilon"],
            fused=True,
        )

    def load(self, device: torch.device) -> int:
        """Read the training half to ``device``; return its images."""
        part = DataSet(self._card, make).part("train")
        self._images = torch.tensor(part["images"], device=device)
        self._labels = torch.tensor(part["labels"], device=device).long()
        return len(self._images)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, each image at a time of its own, some without their
        class (Ho and Salimans, 2022, arXiv:2207.12598)."""
        images, device = as_flow(self._images[chosen], self._levels), chosen.device
        noise = torch.randn(images.shape, generator=generator).to(device, non_blocking=True)
        draws = torch.rand((2, len(images)), generator=generator).to(device, non_blocking=True)
        time, dropped = draws[0], draws[1] < self._dropout
        label = self._labels[chosen].masked_fill(dropped, self._no_class)
        return velocity_errors(model, images, noise, time, label).mean()


def velocity_errors(
    model: nn.Module, images: Tensor, noise: Tensor, time: Tensor, label: Tensor
) -> Tensor:
    """Squared errors (n, side, side) of the velocity at ``time`` (n,), 0 at images, 1 at noise.

    The path is straight, so its velocity is noise less image (Liu et al., 2022, arXiv:2209.03003,
    equation 1; Lipman et al., 2022, arXiv:2210.02747).
    """
    here = torch.lerp(images, noise, time[:, None, None])
    velocity = model(here, time, label)
    return functional.mse_loss(velocity.float(), noise - images, reduction="none")


class FlowEvaluation:
    """The velocity loss on the held-out half, at fixed times and from fixed noise."""

    def __init__(self, card: WorkloadCard, arithmetic: Arithmetic) -> None:
        """Nothing is read yet."""
        self._card = card
        self._device = default_device()
        self._bf16 = arithmetic.precision == "bf16"

    def load(self) -> None:
        """Read the held-out half to the device's memory."""
        part = {k: torch.tensor(v) for k, v in DataSet(self._card, make).part("eval").items()}
        shape = self._card.shape
        self._images = as_flow(part["images"].to(self._device), shape["levels"])
        self._noise = part["noise"].to(self._device).float() / NOISE_UNIT
        self._time = (part["moments"].to(self._device) + 0.5) / shape["moments"]
        self._labels = part["labels"].to(self._device).long()

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean of the squared errors over the held-out images; raw weights, no average of them."""
        model.eval()
        tensors = (self._images, self._noise, self._time, self._labels)
        batches = zip(*(torch.split(t, _EVALUATION_BATCH) for t in tensors), strict=True)
        autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16)
        with torch.inference_mode(), autocast:
            errors = [velocity_errors(model, *batch).mean((1, 2)) for batch in batches]
        model.train()
        return {self._card.training.target.metric: float(torch.cat(errors).double().mean())}
