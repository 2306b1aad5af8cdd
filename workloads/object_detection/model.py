"""The network: residual stages, merged top-down, and one head on a map of a quarter of the side."""

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number
from workloads.object_detection.data import KINDS

STRIDE = 4
"""Pixels along a cell of the map."""
_PRIOR = 0.1
"""Score of every cell at first (Lin et al., 2017, arXiv:1708.02002, section 3.3)."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., 2016, arXiv:1512.03385)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut.append(nn.Conv2d(channels_in, channels, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels_in, h, w) to (n, channels, h / stride, w / stride)."""
        y = functional.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return functional.relu(y + cast(Tensor, self.shortcut(x)))


class Detector(nn.Module):
    """Images (n, 1, side, side) to a map of a quarter of the side: objects as points.

    CenterNet's outputs (Zhou et al., 2019, arXiv:1904.07850) on a feature pyramid's finest level
    (Lin et al., 2017, arXiv:1612.03144).
    """

    def __init__(self, width: int, stages: int, blocks: int) -> None:
        """``stages`` of ``blocks`` blocks: ``width`` channels at stride 4, doubled at each next."""
        super().__init__()
        self.stem = nn.Conv2d(1, width // 2, 3, 2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width // 2)
        self.stages = nn.ModuleList()
        self.laterals = nn.ModuleList()
        channels = width // 2
        for stage in range(stages):
            before, channels = channels, width * 2**stage
            first = ResidualBlock(before, channels, 2)
            rest = [ResidualBlock(channels, channels, 1) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            self.laterals.append(nn.Conv2d(channels, width, 1))
        self.trunk = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.trunk_norm = nn.BatchNorm2d(width)
        self.heat = nn.Conv2d(width, len(KINDS), 1)
        self.box = nn.Conv2d(width, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of centres (n, kinds, h, w), and boxes (n, 4, h, w), in cells.

        A box is the centre's place within its cell, x and y from 0 to 1, then width and height.
        """
        x = functional.relu(self.norm(self.stem(x)))
        levels = []
        for stage, lateral in zip(self.stages, self.laterals, strict=True):
            x = stage(x)
            levels.append(lateral(x))
        merged = levels.pop()
        while levels:
            merged = levels.pop() + functional.interpolate(merged, scale_factor=2.0)
        merged = functional.relu(self.trunk_norm(self.trunk(merged)))
        return self.heat(merged), self.box(merged)


def new_model(shape: Mapping[str, Number]) -> Detector:
    """The network of a card's shape, laid out as convolutions are fastest: channels last."""
    model = Detector(int(shape["width"]), int(shape["stages"]), int(shape["blocks"]))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def fresh_model(shape: Mapping[str, Number], generator: torch.Generator) -> Detector:
    """A network with new weights, drawn from ``generator`` alone (on the CPU)."""
    model = new_model(shape)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for head in (model.heat, model.box):
        nn.init.normal_(head.weight, std=0.01, generator=generator)
    nn.init.constant_(cast(Tensor, model.heat.bias), -math.log((1 - _PRIOR) / _PRIOR))
    return model


def as_input(images: Tensor) -> Tensor:
    """Grey levels (n, side, side) as what the model takes: (n, 1, side, side), about -2 to 2."""
    return ((images.float() - 128) / 64)[:, None]


def decoded(outputs: tuple[Tensor, Tensor], most: int) -> Tensor:
    """The ``most`` best detections of each image, (n, most, 6): kind, score, x0, y0, x1, y1.

    A cell counts where no neighbour of the same kind scores more, which replaces the suppression
    of overlapping boxes. Boxes are in pixels and end at the image's edge.
    """
    heat, box = outputs
    height, width = heat.shape[2:]
    scores = torch.sigmoid(heat.float())
    peaks = scores * (functional.max_pool2d(scores, 3, 1, padding=1) == scores)
    best, places = peaks.flatten(1).topk(most)
    kind, cell = places // (height * width), places % (height * width)
    found = box.float().flatten(2).gather(2, cell[:, None].expand(-1, 4, -1))
    corner = torch.stack([cell % width, cell // width], 1)
    centre, half = corner + found[:, :2], found[:, 2:].clamp(min=0) / 2
    limits = torch.tensor([[width], [height]], device=box.device)
    edges = [e.clamp(min=0).minimum(limits) * STRIDE for e in (centre - half, centre + half)]
    return torch.cat([kind[:, None], best[:, None], *edges], 1).transpose(1, 2)
