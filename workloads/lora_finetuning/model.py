"""Low-rank adapters beside the frozen layers of a decoder, or merged into them (LoRA)."""

import hashlib
import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from workloads.language_model.workload import WEIGHTS as BASE
from workloads.language_model.workload import shipped_model
from workloads.llama import Llama

BASE_SHA256 = "e1feb84b767450ac03a62201fe62d8aff4d43ca9e6a4328ffa7cb37852972363"
"""Of the file of weights that everybody starts from."""


class Adapter(nn.Module):
    """The product of two thin matrices: ``scale`` B A, of rank at most ``rank``."""

    def __init__(self, inputs: int, outputs: int, rank: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.a = nn.Parameter(torch.zeros(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """``beside`` (…, outputs) and what the adapter makes of ``x`` (…, inputs), added up."""
        thin = functional.linear(x, self.a).flatten(0, -2)
        added = torch.addmm(beside.flatten(0, -2), thin, self.b.t(), alpha=self.scale)
        return added.view(beside.shape)

    def product(self) -> Tensor:
        """What it adds to the weight beside it (outputs, inputs)."""
        return self.scale * self.b @ self.a


class Adapted(nn.Module):
    """A frozen linear layer with an adapter: W x + (alpha / rank) B A x (arXiv:2106.09685)."""

    def __init__(self, frozen: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.weight = frozen.weight
        self.adapter = Adapter(frozen.in_features, frozen.out_features, rank, alpha / rank)

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) to (…, outputs)."""
        return cast(Tensor, self.adapter(x, functional.linear(x, self.weight)))


def adapted(base: Llama, rank: int, alpha: float) -> Llama:
    """``base`` itself, frozen, with an adapter that adds nothing at every linear layer."""
    base.requires_grad_(False)
    for name, layer in list(base.named_modules()):
        if isinstance(layer, nn.Linear):
            parent, _, last = name.rpartition(".")
            setattr(base.get_submodule(parent), last, Adapted(layer, rank, alpha))
    return base


def draw_adapters(model: nn.Module, generator: torch.Generator) -> None:
    """New adapters, drawn from ``generator`` alone: A normal and as long as its inputs, B zero.

    So they still add nothing, and B has gradients from the first step on.
    """
    for adapter in adapters_of(model).values():
        one = cast(Adapter, adapter)
        nn.init.normal_(one.a, std=1 / math.sqrt(one.a.shape[1]), generator=generator)
        nn.init.zeros_(one.b)


def adapters_of(model: nn.Module) -> nn.ModuleDict:
    """The adapters of ``model`` by the place of their layer: what is trained, and shipped."""
    return nn.ModuleDict(
        {
            name.replace(".", "/"): module.adapter  # a dot has a meaning within the dictionary
            for name, module in model.named_modules()
            if isinstance(module, Adapted)
        }
    )


def merged(model: Llama) -> Llama:
    """``model`` itself with its adapters added to the weights beside them: a plain decoder."""
    for name, layer in list(model.named_modules()):
        if isinstance(layer, Adapted):
            outputs, inputs = layer.weight.shape
            plain = nn.Linear(inputs, outputs, bias=False, dtype=layer.weight.dtype)
            with torch.no_grad():
                plain.weight.copy_(layer.weight + layer.adapter.product())
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, plain)
    return model


def check_base() -> None:
    """`LevelfieldError` unless the base's weights are those that everybody starts from."""
    try:
        found = hashlib.sha256(BASE.read_bytes()).hexdigest()
    except OSError as error:
        raise LevelfieldError(
            f"{BASE}: cannot be read: {error}; install Levelfield again"
        ) from error
    if found != BASE_SHA256:
        raise LevelfieldError(
            f"{BASE}: checksum {found[:12]}…, expected {BASE_SHA256[:12]}…: not the weights that "
            "everybody starts from; install Levelfield again"
        )


def base_with_adapters(card: WorkloadCard) -> Llama:
    """The checked base, frozen, with adapters of the card's size that add nothing, on the CPU."""
    check_base()
    return adapted(shipped_model(), int(card.shape["rank"]), card.shape["alpha"])
