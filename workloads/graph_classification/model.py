"""The network: two layers of relational graph attention and a linear head."""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2
"""Of the leaky rectifier on attention scores, as in the paper."""


class RelationalAttention(nn.Module):
    """Graph attention (Velickovic et al., 2018, arXiv:1710.10903), one for each relation, summed.

    In exact arithmetic this is the paper's layer. As the projection is linear, neighbours are
    averaged first and projected after, which is less work by the number of neighbours a head.
    """

    def __init__(self, relations: int, heads: int, width_in: int, width: int) -> None:
        """``width`` is that of the output, all ``heads`` together."""
        super().__init__()
        size = (relations, heads, width_in, width // heads)
        self.projection = nn.Parameter(torch.empty(size))
        self.source = nn.Parameter(torch.empty(relations, heads, width // heads))
        self.target = nn.Parameter(torch.empty(relations, heads, width // heads))
        self.own = nn.Linear(width_in, width)

    def forward(self, own: Tensor, neighbours: Tensor) -> Tensor:
        """Nodes (n, i) with neighbours (relations, n, f, i) to (n, width)."""
        total = cast(Tensor, self.own(own))
        weights = zip(self.projection, self.source, self.target, strict=True)
        for near, of in zip(neighbours, weights, strict=True):
            total = total + self._messages(own, near, of)
        return total

    @staticmethod
    def _messages(own: Tensor, near: Tensor, weights: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Of one relation: (n, i) and (n, f, i) to (n, width)."""
        projection, source, target = weights  # (heads, i, d), (heads, d), (heads, d)
        to_source = (projection @ source[:, :, None])[:, :, 0].T  # (i, heads)
        to_target = (projection @ target[:, :, None])[:, :, 0].T
        scores = near @ to_source + (own @ to_target)[:, None]  # (n, f, heads)
        shares = functional.leaky_relu(scores, _SLOPE).softmax(1)
        means = shares.transpose(1, 2) @ near  # (n, heads, i)
        return (means.transpose(0, 1) @ projection).transpose(0, 1).flatten(1)


class RelationalGat(nn.Module):
    """Nodes with their neighbours and their neighbours' neighbours, to logits."""

    def __init__(
        self, *, relations: int, heads: int, features: int, width: int, classes: int
    ) -> None:
        super().__init__()
        self.first = RelationalAttention(relations, heads, features, width)
        self.first_norm = nn.LayerNorm(width)
        self.second = RelationalAttention(relations, heads, width, width)
        self.second_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def encode(self, features: Tensor, nodes: Tensor, neighbours: Tensor) -> Tensor:
        """The first layer, of ``nodes`` (n,) with ``neighbours`` (relations, n, f): (n, width).

        ``features`` (all nodes, features), int8, is what both are looked up in.
        """
        dtype = self.head.weight.dtype
        own, near = (functional.embedding(found, features) for found in (nodes, neighbours))
        hidden = self.first(own.to(dtype), near.to(dtype))
        return functional.gelu(self.first_norm(hidden))

    def classify(self, own: Tensor, neighbours: Tensor) -> Tensor:
        """The second layer: (n, width) and (relations, n, f, width) to logits (n, classes)."""
        hidden = functional.gelu(self.second_norm(self.second(own, neighbours)))
        return cast(Tensor, self.head(hidden))

    def forward(self, features: Tensor, nodes: Tensor, neighbours: Tensor, fan_out: int) -> Tensor:
        """Logits (n, classes) from two hops.

        ``nodes`` (n * (1 + relations * fan_out),): those asked about, then their neighbours,
        relation by relation and node by node. ``neighbours`` (relations, len(nodes), f): the
        neighbours of all of these. ``features``: see `encode`.
        """
        relations = len(neighbours)
        n = len(nodes) // (1 + relations * fan_out)
        encoded = self.encode(features, nodes, neighbours)
        return self.classify(encoded[:n], encoded[n:].view(relations, n, fan_out, -1))


def fresh_model(model: RelationalGat, generator: torch.Generator) -> RelationalGat:
    """``model`` with new weights, drawn from ``generator`` alone (on the CPU).

    Glorot's uniform distribution for all weights, as in the paper; biases nought.
    """
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            fan_in, fan_out = parameter.shape[-2:]
            bound = math.sqrt(6 / (fan_in + fan_out))
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        elif "norm" not in name:
            nn.init.zeros_(parameter)
    return model
