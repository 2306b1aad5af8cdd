"""The workload: its training, evaluation, query sample library and reference system."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.card import WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.framework import default_device, require_precision, settle_threads
from workloads.image_classification.data import checked, load_digits
from workloads.image_classification.model import DigitNet
from workloads.image_classification.quantised import QuantisedNet
from workloads.image_classification.training import DigitEvaluation, DigitRecipe, as_input
from workloads.library import Library
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


def shipped_model() -> DigitNet:
    """The reference network with the shipped weights, for inference, on the CPU."""
    model = DigitNet()
    load_weights(model, WEIGHTS)
    return model.eval()


class ReferenceSut:
    """The shipped weights behind `predict`, run by torch as they are."""

    max_batch = 64
    """On one core of a CPU the fastest of 16 to 256: larger batches leave its caches."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``: fp32, bf16, or int8 (on the CPU).

        `UsageError` for another one; nothing is asked of the library.
        """
        require_precision("eager", precision, ("fp32", "bf16", "int8"))
        settle_threads()
        self._device = torch.device("cpu") if precision == "int8" else default_device()
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        net = shipped_model()
        model = QuantisedNet(net).eval() if precision == "int8" else net
        self._model: Callable[[Tensor], Tensor] = model.to(self._device, self._dtype)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n, 10) of inputs (n, 1, 8, 8)."""
        with torch.inference_mode():
            scores = self._model(torch.from_numpy(inputs).to(self._device, self._dtype))
        return cast(NDArray[np.float32], scores.float().cpu().numpy())

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """Digits (n,) seen on inputs (n, 1, 8, 8)."""
        digits: NDArray[np.int64] = self.logits(inputs).argmax(1)
        return digits


class ImageClassification:
    """The reference implementation; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        self.card = card

    def prepare(self, report: Progress) -> str:
        """Check the bundled data set."""
        return checked(self.card)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        recipe = DigitRecipe(hyperparameters)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> DigitEvaluation:
        """The held-out half."""
        return DigitEvaluation()

    def library(self) -> Library:
        """The held-out half as samples: inputs (n, 1, 8, 8), values 0 to 1."""
        return Library(self.card.inference, as_input(load_digits().eval_images))


def workload(card: WorkloadCard, folder: Path | None) -> ImageClassification:  # noqa: ARG001
    """The workload at the scale of ``card``."""
    return ImageClassification(card)
