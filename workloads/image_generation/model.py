"""The network: a diffusion transformer that predicts the velocity of a rectified flow."""

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number

_FREQUENCIES = 64
_FASTEST = 1000.0
"""Frequencies of the time embedding: 64 from 1 to 1,000 radians over the whole flow."""
_PLACE_SPREAD, _CLASS_SPREAD = 0.02, 0.5
"""Standard deviations of new embeddings; classes differ from the first step on."""


class Block(nn.Module):
    """Attention and a multilayer perceptron, both shifted, scaled and gated by the condition
    (adaLN-Zero; Peebles and Xie, 2022, arXiv:2212.09748, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Tokens (n, tokens, width) under ``condition`` (n, width), in the same shape."""
        modulation = self.modulation(condition)[:, None].chunk(6, 2)
        shift, scale, gate = modulation[:3]
        x = x + gate * self._attention(_modulated(x, shift, scale))
        shift, scale, gate = modulation[3:]
        y = functional.gelu(self.up(_modulated(x, shift, scale)), approximate="tanh")
        return cast(Tensor, x + gate * self.down(y))

    def _attention(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        heads = self.qkv(x).view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(*heads.unbind(0))
        return cast(Tensor, self.out(y.transpose(1, 2).reshape(n, tokens, width)))


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift


class FlowTransformer(nn.Module):
    """Images on their way from noise, the time and the class, to their velocity.

    The class after the last one, ``classes``, means that the class is not given.
    """

    frequencies: Tensor

    def __init__(self, shape: Mapping[str, Number]) -> None:
        """Sizes from ``shape``: side, patch (pixels), classes, width, heads, layers."""
        super().__init__()
        width, heads = int(shape["width"]), int(shape["heads"])
        self.patch = int(shape["patch"])
        pixels = self.patch**2
        falling = torch.arange(_FREQUENCIES) / (_FREQUENCIES - 1)
        frequencies = torch.exp(math.log(_FASTEST) * (1 - falling))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.time_in = nn.Linear(2 * _FREQUENCIES, width)
        self.time_out = nn.Linear(width, width)
        self.classes = nn.Embedding(int(shape["classes"]) + 1, width)
        self.inward = nn.Linear(pixels, width)
        self.places = nn.Parameter(torch.empty(int(shape["side"]) ** 2 // pixels, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(int(shape["layers"])))
        self.modulation = nn.Linear(width, 2 * width)
        self.outward = nn.Linear(width, pixels)

    def forward(self, x: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """Velocities (n, side, side) at images ``x`` in that shape and times (n,), 0 to 1, of
        classes ``label`` (n,)."""
        n, side, patch = len(x), x.shape[-1], self.patch
        grid = (n, side // patch, patch, side // patch, patch)
        angles = time[:, None] * self.frequencies
        embedded = self.time_in(torch.cat([angles.cos(), angles.sin()], 1))
        condition = self.time_out(functional.silu(embedded)) + self.classes(label)
        condition = functional.silu(condition)
        tokens = x.view(grid).transpose(2, 3).reshape(n, -1, patch * patch)
        y = self.inward(tokens) + self.places
        for block in self.blocks:
            y = block(y, condition)
        shift, scale = self.modulation(condition)[:, None].chunk(2, 2)
        y = self.outward(_modulated(y, shift, scale))
        grid = (n, side // patch, side // patch, patch, patch)
        return cast(Tensor, y.view(grid).transpose(2, 3).reshape(n, side, side))


def fresh_model(shape: Mapping[str, Number], generator: torch.Generator) -> FlowTransformer:
    """A network with new weights, drawn from ``generator`` alone (on the CPU).

    Modulations and the last layer begin at nothing, so that every block begins as the identity
    and the network's first answer is no velocity.
    """
    model = FlowTransformer(shape)
    for name, parameter in model.named_parameters():
        if name == "places":
            nn.init.normal_(parameter, std=_PLACE_SPREAD, generator=generator)
        elif name == "classes.weight":
            nn.init.normal_(parameter, std=_CLASS_SPREAD, generator=generator)
        elif parameter.ndim == 1 or "modulation" in name or "outward" in name:
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_uniform_(parameter, generator=generator)
    return model
