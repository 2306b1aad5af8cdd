"""The network: embedding tables, a bottom network, low-rank crosses and a top network."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from harness.card import WorkloadCard
from workloads.recommendation.data import sizes


class CrossLayer(nn.Module):
    """A low-rank cross of DCN-V2 (Wang et al., 2020, arXiv:2008.13535, section 3)."""

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, rank, bias=False)
        self.up = nn.Linear(rank, width)

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        """``x0 * (up(down(x))) + x``, all (n, width): one degree more in the inputs ``x0``."""
        return torch.addcmul(x, x0, self.up(self.down(x)))


class Dlrm(nn.Module):
    """Ids (n, tables) and dense features (n, features) to logits of a click (n,).

    As MLPerf's DLRM-DCNv2. All tables are one, and a table's ids begin where the one before ends:
    one look-up serves all, and its gradient holds only the rows looked up.
    """

    starts: Tensor

    def __init__(self, card: WorkloadCard) -> None:
        super().__init__()
        tables = sizes(card, "table")
        width = int(card.shape["embedding_width"])
        joined = width * (len(tables) + 1)
        self._unit = float(card.shape["dense_unit"])
        starts = torch.tensor([0, *tables[:-1]]).cumsum(0)
        self.register_buffer("starts", starts, persistent=False)
        self.table = nn.Embedding(sum(tables), width, sparse=True)
        self.bottom = _network([int(card.shape["dense"]), *sizes(card, "bottom"), width])
        self.bottom.append(nn.ReLU())
        rank = int(card.shape["cross_rank"])
        layers = int(card.shape["cross_layers"])
        self.crosses = nn.ModuleList(CrossLayer(joined, rank) for _ in range(layers))
        self.top = _network([joined, *sizes(card, "top"), 1])

    def forward(self, ids: Tensor, dense: Tensor) -> Tensor:
        """Logits (n,), float32 whatever the arithmetic."""
        features = self.bottom(dense.to(torch.float32) / self._unit)  # (n, width)
        found = self._look_up(ids)  # (n, tables, width)
        x0 = torch.cat([features.to(found.dtype), found.flatten(1)], 1)
        x = x0
        for cross in self.crosses:
            x = cross(x0, x)
        return cast(Tensor, self.top(x).squeeze(1).float())

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it has no sparse gradients
    def _look_up(self, ids: Tensor) -> Tensor:
        return cast(Tensor, self.table(ids + self.starts))


def _network(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def fresh_model(card: WorkloadCard, generator: torch.Generator) -> Dlrm:
    """A network with new weights, drawn from ``generator`` alone (on the CPU)."""
    model = Dlrm(card)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.normal_(model.table.weight, std=0.05, generator=generator)
    return model
