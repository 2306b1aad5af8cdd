"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from typing import cast

import torch
from torch import Tensor

from harness.card import Scale, WorkloadCard
from workloads.flops import Passes
from workloads.image_classification.training import network


def passes(card: WorkloadCard) -> Passes:
    """Pictures to logits, in training and in inference."""
    model = network(card)
    channels, side = 1 if card.scale == Scale.MINI else 3, int(card.shape["side"])

    def forward(samples: int) -> Tensor:
        return cast(Tensor, model(torch.empty(samples, channels, side, side)))

    return Passes(forward, lambda: forward(1))
