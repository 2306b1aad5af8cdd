"""The network in int8: every convolution quantised dynamically, by oneDNN's kernels in torch.

torch's own `quantize_dynamic` covers linear layers alone, under 0.01 % of this network's products.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from harness.errors import LevelfieldError
from workloads.image_classification.model import DigitNet, ResidualBlock

_TYPICAL_BATCH = 64


class QuantisedConv(nn.Module):
    """A convolution with its normalisation folded in: weights int8, inputs uint8, sums float.

    Weights have a scale for each output channel. The scale of the inputs is found anew for each
    batch from its largest value; inputs are grey levels or come from a ReLU, so none is negative.
    """

    def __init__(
        self, conv: nn.Conv2d, norm: nn.BatchNorm2d, side: int, activation: str = "none"
    ) -> None:
        """``side`` is that of inputs; ``activation``, ``none`` or ``relu``, is the kernel's own."""
        super().__init__()
        folded = fuse_conv_bn_eval(conv, norm)
        weights = folded.weight.detach()
        self._scales = weights.abs().amax((1, 2, 3)).clamp_min(1e-12) / 127
        self._zeros = torch.zeros(len(weights), dtype=torch.int32)
        self._bias = cast(Tensor, folded.bias).detach()
        self._geometry = (list(conv.stride), list(cast(tuple[int, int], conv.padding)), [1, 1], 1)
        self._activation = activation
        # Packed without its shape, a layer may be packed anew, slowly, at each small batch.
        self._packed = torch.ops.onednn.qconv_prepack(
            (weights / self._scales[:, None, None, None]).round().to(torch.int8),
            self._scales,
            1.0,
            0,
            *self._geometry,
            [_TYPICAL_BATCH, conv.in_channels, side, side],
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float (n, channels_in, h, w) to float (n, channels, h / stride, w / stride)."""
        scale = x.amax().clamp_min(1e-12) / 255  # the floor: a blank image has no largest value
        return cast(
            Tensor,
            torch.ops.onednn.qconv_pointwise.tensor(
                (x / scale + 0.5).to(torch.uint8),  # truncation after the half rounds
                scale,
                torch.zeros((), dtype=torch.int32),
                self._packed,
                self._scales,
                self._zeros,
                self._bias,
                *self._geometry,
                1.0,
                0,
                torch.float32,
                self._activation,
                [],
                "",
            ),
        )


class QuantisedBlock(nn.Module):
    """A `ResidualBlock` of quantised convolutions."""

    def __init__(self, block: ResidualBlock, side: int) -> None:
        """``side`` is that of the inputs."""
        super().__init__()
        self.side = side // block.conv1.stride[0]
        self.conv1 = QuantisedConv(block.conv1, block.norm1, side, "relu")
        self.conv2 = QuantisedConv(block.conv2, block.norm2, self.side)
        self.shortcut: nn.Module = nn.Identity()
        if len(block.shortcut):
            conv, norm = block.shortcut
            self.shortcut = QuantisedConv(cast(nn.Conv2d, conv), cast(nn.BatchNorm2d, norm), side)

    def forward(self, x: Tensor) -> Tensor:
        """See `ResidualBlock`."""
        return functional.relu(cast(Tensor, self.conv2(self.conv1(x)) + self.shortcut(x)))


class QuantisedNet(nn.Module):
    """A trained `DigitNet` in int8, on the CPU. The head, 1,920 weights, stays float."""

    def __init__(self, net: DigitNet, side: int) -> None:
        """Quantise ``net``, for inputs of ``side`` pixels a side.

        `LevelfieldError` where torch has no int8 convolution.
        """
        super().__init__()
        try:
            self.stem = QuantisedConv(net.stem, net.norm, side, "relu")
        except (AttributeError, RuntimeError) as error:  # the operator is not built in, or refuses
            raise LevelfieldError(
                "precision int8: this build of torch has no int8 convolution for this CPU; "
                "choose fp32 or bf16, or the engine onnx"
            ) from error
        self.blocks = nn.Sequential()
        for block in net.blocks:
            made = QuantisedBlock(cast(ResidualBlock, block), side)
            self.blocks.append(made)
            side = made.side
        self.head = net.head

    def forward(self, x: Tensor) -> Tensor:
        """Grey images (n, 1, 16, 16), values 0 to 1, to logits (n, 10)."""
        return cast(Tensor, self.head(self.blocks(self.stem(x)).mean((2, 3))))
