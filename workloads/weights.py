"""Shipped weights: written as safetensors, read strictly, never unpickled."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from harness.errors import LevelfieldError


def save_weights(model: nn.Module, path: Path, dtype: torch.dtype | None = None) -> None:
    """Write parameters and buffers to ``path``; floating-point ones as ``dtype`` if given."""
    tensors = {}
    for name, value in model.state_dict().items():
        kept = value.dtype if dtype is None or not value.is_floating_point() else dtype
        tensors[name] = value.detach().to("cpu", kept).contiguous()
    save_file(tensors, path)


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill ``model`` from ``path``, keeping the model's own types.

    `LevelfieldError` unless the file holds every tensor of the model in its shape, and no other.
    """
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise LevelfieldError(
            f"{path}: not the weights of this model: {reason}; give the file that fits the card"
        ) from error
