"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from typing import cast

import torch
from torch import Tensor

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.graph_classification.training import new_model


def passes(card: WorkloadCard) -> Passes:
    """A node with a sample of two hops in training, with every neighbour in inference."""
    model = new_model(card)
    shape = {name: int(value) for name, value in card.shape.items()}
    relations = shape["relations"]

    def forward(samples: int, near: int, far: int) -> Tensor:
        nodes = samples * (1 + relations * near)
        features = torch.empty(shape["nodes"], shape["features"], dtype=torch.int8)
        asked = torch.empty(nodes, dtype=torch.int64)
        neighbours = torch.empty(relations, nodes, far, dtype=torch.int64)
        return cast(Tensor, model(features, asked, neighbours, near))

    listed = shape["neighbours"]
    return Passes(
        lambda samples: forward(samples, shape["fan_out_near"], shape["fan_out_far"]),
        lambda: forward(1, listed, listed),
    )
