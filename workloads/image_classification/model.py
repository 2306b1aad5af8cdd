"""The network of scale mini, a stem and four residual blocks, and new weights for any network."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number


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


class DigitNet(nn.Module):
    """Grey images (n, 1, 16, 16), values 0 to 1, to logits (n, 10)."""

    def __init__(self, shape: Mapping[str, Number]) -> None:
        """Widths and classes as ``shape`` on the card says."""
        super().__init__()
        first, second, third = (int(shape[f"width_{number}"]) for number in (1, 2, 3))
        self.stem = nn.Conv2d(1, first, 3, padding=1, bias=False)  # (n, 48, 16, 16)
        self.norm = nn.BatchNorm2d(first)
        self.blocks = nn.Sequential(
            ResidualBlock(first, first, stride=1),  # (n, 48, 16, 16)
            ResidualBlock(first, second, stride=2),  # (n, 96, 8, 8)
            ResidualBlock(second, second, stride=1),  # (n, 96, 8, 8)
            ResidualBlock(second, third, stride=2),  # (n, 192, 4, 4)
        )
        self.head = nn.Linear(third, int(shape["classes"]))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, 10)."""
        x = self.blocks(functional.relu(self.norm(self.stem(x))))
        return cast(Tensor, self.head(x.mean((2, 3))))  # mean over places: (n, 192)


def draw_weights(model: nn.Module, generator: torch.Generator) -> None:
    """Give ``model`` new weights, drawn from ``generator`` alone (on the CPU).

    Convolutions as He et al. (2015, arXiv:1502.01852) for what ReLU halves; a small head.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.05, generator=generator)
            nn.init.zeros_(module.bias)
