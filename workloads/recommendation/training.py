"""Training on clicks and evaluation: AUC over all rows and over slices of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harness.card import Scale, WorkloadCard
from harness.records import Number
from workloads.data_set import DataSet
from workloads.framework import default_device
from workloads.recommendation.data import SLICES, auc
from workloads.recommendation.model import Dlrm, fresh_model
from workloads.recommendation.optimizer import RowWiseAdagrad

_EVALUATION_BATCH = 8192


class Clicks:
    """Rows of one part: ids, dense features and labels."""

    def __init__(self, part: Mapping[str, NDArray[Any]], device: torch.device, held: bool) -> None:
        """``held``: read everything to ``device``; else leave it where it is mapped from."""
        self.device = device
        self._arrays: list[Any] = [part[name] for name in ("ids", "dense", "labels")]
        if held:
            self._arrays = [torch.from_numpy(np.array(a)).to(device) for a in self._arrays]

    def __len__(self) -> int:
        return len(self._arrays[0])

    def take(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ids (n, tables), dense (n, features), labels (n,) of the rows ``chosen`` (n,)."""
        ids, dense, labels = (
            a.index_select(0, chosen) if isinstance(a, Tensor) else self._fetched(a, chosen)
            for a in self._arrays
        )
        return ids, dense, labels

    def _fetched(self, array: NDArray[Any], chosen: Tensor) -> Tensor:
        return torch.from_numpy(array[chosen.cpu().numpy()]).to(self.device)


def _read(data: DataSet, part: str, card: WorkloadCard, device: torch.device) -> Clicks:
    # Four billion rows of Criteo's logs are 660 GB: at scale full they stay on the disk.
    return Clicks(data.part(part), device, held=card.scale != Scale.FULL)


class ClickRecipe:
    """See `workloads.training.Recipe`."""

    _clicks: Clicks

    def __init__(self, card: WorkloadCard, data: DataSet) -> None:
        self._card = card
        self._data = data

    def model(self, generator: torch.Generator) -> Dlrm:
        """See `Recipe`."""
        return fresh_model(self._card, generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """Row-wise Adagrad; see `Recipe`."""
        return RowWiseAdagrad(
            model.parameters(),
            hyperparameters["opt_adagrad_epsilon"],
            hyperparameters["opt_table_learning_rate_factor"],
        )

    def load(self, device: torch.device) -> int:
        """See `Recipe`."""
        self._clicks = _read(self._data, "train", self._card, device)
        return len(self._clicks)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Cross entropy of clicks; see `Recipe`."""
        ids, dense, labels = self._clicks.take(chosen)
        return functional.binary_cross_entropy_with_logits(model(ids, dense), labels.float())


class ClickEvaluation:
    """The held-out rows; see `harness.workload.Evaluation`."""

    _clicks: Clicks
    _labels: NDArray[np.uint8]
    _slices: NDArray[np.uint8] | None

    def __init__(self, card: WorkloadCard, data: DataSet) -> None:
        self._card = card
        self._data = data

    def load(self) -> None:
        """Read the held-out rows to the device's memory."""
        part = self._data.part("eval")
        self._labels, self._slices = part["labels"], part.get("slices")
        self._clicks = _read(self._data, "eval", self._card, default_device())

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """AUC over all rows and, where the data have slices, over each of them."""
        scores = self._scores(model)
        found = {"auc": auc(scores, self._labels)}
        if self._slices is not None:
            for name, bit in SLICES.items():
                rows = (self._slices & bit) != 0
                found[name] = auc(scores[rows], self._labels[rows])
        return found

    def _scores(self, model: nn.Module) -> NDArray[np.float32]:
        model.eval()
        scores: list[Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(self._clicks), _EVALUATION_BATCH):
                end = min(start + _EVALUATION_BATCH, len(self._clicks))
                chosen = torch.arange(start, end, device=self._clicks.device)
                ids, dense, _ = self._clicks.take(chosen)
                scores.append(model(ids, dense).cpu())
        found: NDArray[np.float32] = torch.cat(scores).numpy()
        return found
