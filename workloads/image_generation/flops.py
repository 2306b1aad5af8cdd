"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from typing import cast

import torch
from torch import Tensor

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.image_generation.model import FlowTransformer
from workloads.image_generation.workload import generate


def passes(card: WorkloadCard) -> Passes:
    """One velocity an image in training; in inference two in each step of the flow."""
    model, side = FlowTransformer(card.shape), int(card.shape["side"])

    def velocity(images: int) -> Tensor:
        label = torch.empty(images, dtype=torch.int64)
        return cast(Tensor, model(torch.empty(images, side, side), torch.empty(images), label))

    def image() -> Tensor:
        label = torch.empty(1, dtype=torch.int64)
        return generate(model, torch.empty(1, side, side), label, card.shape)

    return Passes(velocity, image)
