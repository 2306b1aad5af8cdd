"""The workload: its training, evaluation, query sample library and reference system."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.card import WorkloadCard, read_card
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.data_set import DataSet
from workloads.framework import default_device, require_precision, settle_threads
from workloads.library import Library
from workloads.recommendation import criteo
from workloads.recommendation.data import data_set
from workloads.recommendation.model import Dlrm
from workloads.recommendation.training import ClickEvaluation, ClickRecipe
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


def shipped_model() -> Dlrm:
    """The mini network with the shipped weights, for inference, on the CPU."""
    model = Dlrm(read_card(WEIGHTS.with_name("card.toml")))
    load_weights(model, WEIGHTS)
    return model.eval()


class ReferenceSut:
    """The shipped weights behind `predict`, run by torch as they are."""

    max_batch = 16
    """Lists in a batch: 1,024 candidates; larger batches are hardly faster on one core."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``: fp32 or bf16.

        `UsageError` for another one; nothing is asked of the library.
        """
        require_precision("eager", precision, ("fp32", "bf16"))
        settle_threads()
        self._device = default_device()
        self._bf16 = precision == "bf16"
        self._model = shipped_model().to(self._device)

    def predict(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Scores (n, candidates), higher where a click is likelier.

        ``inputs``: ids (n, candidates, tables) and dense (n, candidates, features).
        """
        ids = torch.from_numpy(inputs["ids"]).to(self._device)
        dense = torch.from_numpy(inputs["dense"]).to(self._device)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            scores = self._model(ids.flatten(0, 1), dense.flatten(0, 1))
        ranked: NDArray[np.float64] = scores.view(ids.shape[:2]).double().cpu().numpy()
        return ranked


class Recommendation:
    """The reference implementation; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard, folder: Path | None) -> None:
        self.card = card
        self._data = DataSet(card, partial(criteo.make, folder)) if folder else data_set(card)

    def prepare(self, report: Progress) -> str:
        """Make the clicks, or read Criteo's, unless they are there, and check them."""
        return self._data.prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        recipe = ClickRecipe(self.card, self._data)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> ClickEvaluation:
        """The held-out rows."""
        return ClickEvaluation(self.card, self._data)

    def library(self) -> Library:
        """The lists as samples: ids (n, candidates, tables) and dense (n, candidates, features)."""
        part = self._data.part("lists")
        return Library(self.card.inference, {name: part[name] for name in ("ids", "dense")})


def workload(card: WorkloadCard, folder: Path | None) -> Recommendation:
    """The workload at the scale of ``card``; ``folder`` holds Criteo's logs at scale full."""
    return Recommendation(card, folder)
