"""ResNet-50 for scales standard and full; parameters are named as in torchvision."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number

_EXPANSION = 4
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, as published weights expect them taken out."""


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut (He et al., 2016, arXiv:1512.03385).

    The stride is the 3x3 convolution's, as in MLPerf's version 1.5 of the network.
    """

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels = _EXPANSION * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels_in, h, w) to (n, 4 width, h / stride, w / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Pictures (n, 3, side, side), values 0 to 1, to logits (n, classes)."""

    def __init__(self, shape: Mapping[str, Number]) -> None:
        """Depths, first width and classes as ``shape`` on the card says."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        width = int(shape["width"])
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for number in range(1, 5):
            depth, stride = int(shape[f"depth_{number}"]), 1 if number == 1 else 2
            stage = nn.Sequential()
            for place in range(depth):
                stage.append(Bottleneck(channels, width, stride if place == 0 else 1))
                channels = _EXPANSION * width
            self.add_module(f"layer{number}", stage)
            width *= 2
        self.fc = nn.Linear(channels, int(shape["classes"]))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes)."""
        x = (x - self.get_buffer("mean")) / self.get_buffer("deviation")
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        return cast(Tensor, self.fc(x.mean((2, 3))))
