"""The training recipe: centre points by a focal loss, boxes by their absolute error."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.records import Number
from workloads.data_set import DataSet
from workloads.object_detection.data import KINDS
from workloads.object_detection.model import STRIDE, Detector, as_input, fresh_model

_SPREAD = 0.09
"""Standard deviation of a centre's bump, as a share of its box's side."""
_FOCUS, _PENALTY = 2, 4
"""Exponents of the focal loss (Zhou et al., 2019, arXiv:1904.07850, equation 1)."""


class DetectionRecipe:
    """See `workloads.training.Recipe`."""

    def __init__(
        self, data: DataSet, shape: Mapping[str, Number], hyperparameters: Mapping[str, Number]
    ) -> None:
        """Nothing is read yet."""
        self._data = data
        self._shape = shape
        self._box_weight = hyperparameters["box_loss_weight"]

    def model(self, generator: torch.Generator) -> Detector:
        """A network with new weights, drawn from ``generator`` alone."""
        return fresh_model(self._shape, generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """Adam; decay, apart from the gradient, of convolutions alone."""
        # Scales and biases (one axis) are not decayed: that would only fight normalisation.
        weights = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim == 1]
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": hyperparameters["opt_weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            groups,
            lr=0.0,
            betas=(hyperparameters["opt_adamw_beta_1"], hyperparameters["opt_adamw_beta_2"]),
            eps=hyperparameters["opt_adamw_epsilon"],
            fused=True,
        )

    def load(self, device: torch.device) -> int:
        """Read the training part to ``device``; return its scenes."""
        part = self._data.part("train")
        self._images = torch.tensor(part["images"], device=device)
        self._boxes = torch.tensor(part["boxes"], device=device).float() / STRIDE
        self._kinds = torch.tensor(part["kinds"], device=device).long()
        return len(self._images)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Focal loss of centres and weighted absolute error of boxes, per object."""
        heat, box = model(as_input(self._images[chosen]))
        boxes, kinds = self._boxes[chosen], self._kinds[chosen]
        objects = (kinds >= 0).sum().clamp(min=1)
        bumps = heat_target(boxes, kinds, heat.shape[-1])
        error = box_error(box.float(), boxes, kinds)
        return (centre_loss(heat.float(), bumps) + self._box_weight * error) / objects


def heat_target(boxes: Tensor, kinds: Tensor, cells: int) -> Tensor:
    """What scores should be, (n, kinds, cells, cells): a bump on each centre, 1 at its cell.

    ``boxes`` (n, objects, 4) in cells. A bump is as wide and as tall as its box, in proportion
    (Liu et al., 2020, arXiv:1909.00700); where bumps of a kind overlap, the higher one counts.
    """
    centre = ((boxes[..., :2] + boxes[..., 2:]) / 2).floor()
    spread = ((boxes[..., 2:] - boxes[..., :2]) * _SPREAD).clamp(min=1e-3)
    away = torch.arange(cells, device=boxes.device) - centre[..., None]  # (n, objects, 2, cells)
    along = torch.exp(-away.square() / (2 * spread.square()[..., None]))
    bumps = along[:, :, 1, :, None] * along[:, :, 0, None, :]
    of_kind = (kinds[:, :, None] == torch.arange(len(KINDS), device=kinds.device))[..., None, None]
    return (bumps[:, :, None] * of_kind).amax(1)


def centre_loss(heat: Tensor, target: Tensor) -> Tensor:
    """Sum of the penalty-reduced focal loss of logits ``heat`` against bumps ``target``."""
    score = torch.sigmoid(heat)
    centre = (1 - score) ** _FOCUS * functional.logsigmoid(heat)
    ground = (1 - target) ** _PENALTY * score**_FOCUS * functional.logsigmoid(-heat)
    return -torch.where(target == 1, centre, ground).sum()


def box_error(box: Tensor, boxes: Tensor, kinds: Tensor) -> Tensor:
    """Sum of absolute errors of ``box`` (n, 4, h, w) at the centres of ``boxes`` (n, objects, 4).

    All in cells; where the kind is negative there is no object.
    """
    centre, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    corner = centre.floor()
    place = (corner[..., 1] * box.shape[-1] + corner[..., 0]).long()
    found = box.flatten(2).gather(2, place[:, None].expand(-1, 4, -1)).transpose(1, 2)
    error = (found - torch.cat([centre - corner, size], -1)).abs().sum(-1)
    return (error * (kinds >= 0)).sum()
