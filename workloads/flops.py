"""Model FLOPs: the floating-point operations that a model's mathematics asks for, counted by torch.

Matrix products, convolutions and attention count, multiply and add as two operations. Embeddings,
normalisation, elementwise work, the loss, the optimiser and evaluation do not; nor does anything
that an implementation calculates again. Causal attention counts as if it were whole (Chowdhery et
al., 2022, arXiv:2204.02311, appendix B), and a convolution as if its padding were not nought:
on small maps an implementation may do less than is counted.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.card import WorkloadCard


@dataclass(frozen=True)
class Passes:
    """A workload's passes on tensors without contents; ``passes(card)`` in its ``flops.py``."""

    training: Callable[[int], Tensor]
    """Forward through fresh weights with a batch of so many samples, to what is learnt from."""
    inference: Callable[[], object]
    """Forward with one sample, as the reference answers it."""


def training_flops(card: WorkloadCard) -> int:
    """Of one sample, forward and backward, in a batch of the card's default size.

    What a step does but once, whatever its size, is shared among the batch; rounded to whole.
    """
    batch = int(card.training.hyperparameters["global_batch_size"].default)
    total = counted(lambda: _passes(card).training(batch).sum().backward())  # type: ignore[no-untyped-call]
    return round(total / batch)


def inference_flops(card: WorkloadCard) -> int:
    """Of one sample's answer: forward, once for each token where tokens are generated."""

    def forward() -> None:
        with torch.inference_mode():
            _passes(card).inference()

    return counted(forward)


def counted(work: Callable[[], object]) -> int:
    """Model FLOPs of ``work``, done on torch's meta device: at once, and in no memory.

    Attention goes by its plain formula, of products that the counter knows. It knows no fused
    attention of the CPU and counts that as nothing, and of a GPU's it counts what the backward
    pass calculates again.
    """
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), sdpa_kernel(SDPBackend.MATH), counter:
        work()
    return counter.get_total_flops()


def _passes(card: WorkloadCard) -> Passes:
    found: Passes = importlib.import_module(f"workloads.{card.workload}.flops").passes(card)
    return found
