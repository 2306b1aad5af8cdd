"""The passes whose model FLOPs the card states; see `workloads.flops`."""

from typing import cast

import torch
from torch import Tensor

from harness.card import WorkloadCard
from workloads.flops import Passes
from workloads.recommendation.data import sizes
from workloads.recommendation.model import Dlrm


def passes(card: WorkloadCard) -> Passes:
    """Rows to logits: a row is a sample of training, a list of candidates one of inference."""
    model = Dlrm(card)
    tables, dense = len(sizes(card, "table")), int(card.shape["dense"])

    def forward(rows: int) -> Tensor:
        ids = torch.empty(rows, tables, dtype=torch.int64)
        return cast(Tensor, model(ids, torch.empty(rows, dense, dtype=torch.int8)))

    return Passes(forward, lambda: forward(int(card.shape["candidates"])))
