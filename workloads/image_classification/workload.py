"""The workload: its card, its training, its query sample library and its reference system."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.records import Number
from harness.workload import QuerySampleLibrary
from workloads.framework import require_precision, settle_threads
from workloads.image_classification.data import CARD, load_digits
from workloads.image_classification.model import DigitNet
from workloads.image_classification.quantised import QuantisedNet
from workloads.image_classification.training import (
    SIDE,
    DigitTraining,
    as_input,
    default_device,
)

WEIGHTS = Path(__file__).with_name("weights.safetensors")


class DigitLibrary:
    """The evaluation half as inference samples; see `harness.workload.QuerySampleLibrary`."""

    def __init__(self) -> None:
        """Read the data set; samples come to memory with `load`."""
        self._stored = load_digits().eval_images
        self._inputs = np.zeros((len(self._stored), 1, SIDE, SIDE), dtype=np.float32)
        self._loaded = np.zeros(len(self._stored), dtype=np.bool_)

    @property
    def total_samples(self) -> int:
        """Samples in the data set."""
        return len(self._stored)

    @property
    def performance_samples(self) -> int:
        """Samples that performance mode holds in memory."""
        return CARD.inference.performance_samples

    def load(self, indices: Sequence[int]) -> None:
        """Bring samples to memory, as the model takes them."""
        chosen = np.asarray(indices, dtype=np.int64)
        self._inputs[chosen] = as_input(self._stored[chosen])
        self._loaded[chosen] = True

    def unload(self, indices: Sequence[int]) -> None:
        """Release what `load` brought."""
        self._loaded[np.asarray(indices, dtype=np.int64)] = False

    def get(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inputs (n, 1, 8, 8), values 0 to 1; `LevelfieldError` if a sample is not loaded."""
        if not self._loaded[indices].all():
            missing = indices[~self._loaded[indices]][0]
            raise LevelfieldError(f"sample {missing}: not loaded; load it before the query")
        return self._inputs[indices]


def shipped_model() -> DigitNet:
    """The reference network with the shipped weights, for inference, on the CPU."""
    model = DigitNet()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()


class ReferenceSut:
    """The shipped weights behind `predict`, run by torch as they are."""

    max_batch = 64
    """On one core of a CPU the fastest of 16 to 256: larger batches leave its caches."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:  # noqa: ARG002
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

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""
        return CARD

    def training(self, hyperparameters: Mapping[str, Number], seed: int) -> DigitTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        settle_threads()
        return DigitTraining(hyperparameters, seed)

    def library(self) -> DigitLibrary:
        """The inference data set."""
        return DigitLibrary()


WORKLOAD = ImageClassification()
