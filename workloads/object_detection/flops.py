"""The passes whose model FLOPs the card states; see `workloads.flops`."""

import torch
from torch import Tensor

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.object_detection.model import new_model


def passes(card: WorkloadCard) -> Passes:
    """Images to maps of centres and boxes, in training and in inference."""
    model, side = new_model(card.shape), int(card.shape["side"])

    def forward(samples: int) -> Tensor:
        return torch.cat(model(torch.empty(samples, 1, side, side)), 1)

    return Passes(forward, lambda: forward(1))
