"""Adagrad as recommenders use it: tables keep one accumulated square for each row."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class RowWiseAdagrad(torch.optim.Optimizer):
    """Adagrad (Duchi et al., 2011), with a rate of its own for tables.

    A row of a sparse gradient adds its mean square to the row's one sum, and rows that a step
    does not touch cost nothing (as FBGEMM's exact row-wise Adagrad).
    """

    def __init__(self, parameters: Iterable[Tensor], epsilon: float, table_factor: float) -> None:
        """Rates are set before each step; sparse gradients take ``table_factor`` times as much."""
        super().__init__(parameters, {"lr": 0.0, "eps": epsilon, "table_factor": table_factor})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient; there is no closure to call."""
        for group in self.param_groups:
            rate, epsilon = group["lr"], group["eps"]
            for weight in group["params"]:
                grad, state = weight.grad, self.state[weight]
                if grad is None:
                    continue
                if grad.is_sparse:
                    _change_rows(weight, grad, state, rate * group["table_factor"], epsilon)
                else:
                    _change_weights(weight, grad, state, rate, epsilon)


def _change_rows(
    weight: Tensor, grad: Tensor, state: dict[str, Tensor], rate: float, epsilon: float
) -> None:
    if not state:
        state["sum"] = torch.zeros(len(weight), device=weight.device)
    grad = grad.coalesce()
    rows, values = grad.indices()[0], grad.values()
    sums = state["sum"][rows] + values.square().mean(1)
    state["sum"][rows] = sums
    weight.index_add_(0, rows, values / (sums.sqrt() + epsilon)[:, None], alpha=-rate)


def _change_weights(
    weight: Tensor, grad: Tensor, state: dict[str, Tensor], rate: float, epsilon: float
) -> None:
    if not state:
        state["sum"] = torch.zeros_like(weight)
    state["sum"].addcmul_(grad, grad)
    weight.addcdiv_(grad, state["sum"].sqrt().add_(epsilon), value=-rate)
