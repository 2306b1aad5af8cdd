"""Training and evaluation on sequences of tokens, wherever they come from."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harness.card import WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic
from workloads.framework import default_device
from workloads.llama import Llama, fresh_llama, shape_of

_EVALUATED_TOKENS = 4_096
"""Tokens that are evaluated at once: on a processor core more would leave its caches."""


class Sequences(Protocol):
    """Sequences that are one token longer than the model's context."""

    def __len__(self) -> int:
        """How many there are."""

    def rows(self, chosen: Tensor) -> Tensor:
        """Sequences (n, context + 1) of indices (n,), on the device."""


Source = Callable[[str, torch.device], Sequences]
"""Reads a part, ``train`` or ``eval``, for a device."""


class Held:
    """Sequences in the device's memory."""

    def __init__(self, tokens: NDArray[Any], device: torch.device) -> None:
        """Copy ``tokens`` (samples, context + 1): bytes as bytes, others as 32 bits."""
        kind = np.uint8 if tokens.dtype == np.uint8 else np.int32
        self._tokens = torch.from_numpy(tokens.astype(kind)).to(device)

    def __len__(self) -> int:
        """See `Sequences`."""
        return len(self._tokens)

    def rows(self, chosen: Tensor) -> Tensor:
        """See `Sequences`."""
        return self._tokens[chosen]


def mean_loss(model: nn.Module, sequences: Tensor, unscored: int) -> Tensor:
    """Mean cross entropy, in nats, of predicting tokens of sequences (n, context + 1).

    Each token is predicted from all before it; the first ``unscored`` predictions do not count.
    """
    tokens = sequences.to(torch.int64)
    logits = model(tokens[:, :-1])[:, unscored:]
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), tokens[:, unscored + 1 :].flatten()
    )


def adamw(model: nn.Module, hyperparameters: Mapping[str, Number]) -> torch.optim.Optimizer:
    """AdamW (arXiv:1711.05101) over what is trained; norms, which have one axis, do not decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decay = hyperparameters["opt_adamw_weight_decay"]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        betas=(hyperparameters["opt_adamw_beta_1"], hyperparameters["opt_adamw_beta_2"]),
        eps=hyperparameters["opt_adamw_epsilon"],
        fused=True,
    )


class TokenRecipe:
    """How a decoder is trained on sequences of tokens; see `workloads.training.Recipe`."""

    def __init__(self, card: WorkloadCard, source: Source) -> None:
        self._shape = shape_of(card.shape)
        self._unscored = int(card.shape["unscored"])
        self._source = source

    def model(self, generator: torch.Generator) -> Llama:
        """See `Recipe`."""
        return fresh_llama(self._shape, generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """See `Recipe`."""
        return adamw(model, hyperparameters)

    def load(self, device: torch.device) -> int:
        """See `Recipe`."""
        self._sequences = self._source("train", device)
        return len(self._sequences)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """See `Recipe`. Nothing is drawn."""
        return mean_loss(model, self._sequences.rows(chosen), self._unscored)


class TokenEvaluation:
    """The held-out sequences; see `harness.workload.Evaluation`."""

    def __init__(self, card: WorkloadCard, source: Source, arithmetic: Arithmetic) -> None:
        self._metric = card.training.target.metric
        self._unscored = int(card.shape["unscored"])
        self._together = max(1, _EVALUATED_TOKENS // int(card.shape["context"]))
        self._source = source
        self._bf16 = arithmetic.precision == "bf16"

    def load(self) -> None:
        """See `Evaluation`."""
        self._device = default_device()
        self._sequences = self._source("eval", self._device)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """See `Evaluation`: the mean loss over all scored predictions, in nats."""
        every = torch.arange(len(self._sequences), device=self._device)
        kind = self._device.type
        total = 0.0
        model.eval()
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=self._bf16):
            for start in range(0, len(every), self._together):
                part = self._sequences.rows(every[start : start + self._together])
                total += mean_loss(model, part, self._unscored).item() * len(part)
        model.train()
        return {self._metric: total / len(every)}
