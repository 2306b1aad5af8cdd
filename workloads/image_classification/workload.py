"""The workload: its data by scale, query sample library and reference system."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.card import Scale, WorkloadCard, read_card
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.framework import default_device, require_precision, settle_threads
from workloads.image_classification import imagenet
from workloads.image_classification.data import checked, data_set, enlarged, load_digits
from workloads.image_classification.folder import FolderLibrary
from workloads.image_classification.model import DigitNet
from workloads.image_classification.quantised import QuantisedNet
from workloads.image_classification.training import (
    FolderRecipe,
    Part,
    PictureEvaluation,
    PictureRecipe,
)
from workloads.library import Library
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")
_MINI = read_card(Path(__file__).with_name("card.toml"))
SIDE = int(_MINI.shape["side"])


def shipped_model() -> DigitNet:
    """The network of scale mini with the shipped weights, for inference, on the CPU."""
    model = DigitNet(_MINI.shape)
    load_weights(model, WEIGHTS)
    return model.eval()


def _channels_last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class ReferenceSut:
    """The shipped weights behind `predict`, run by torch as they are."""

    max_batch = 64
    """On one core of a CPU all from 16 to 256 are about as fast."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``: fp32, bf16, or int8 (on the CPU).

        `UsageError` for another one; nothing is asked of the library.
        """
        require_precision("eager", precision, ("fp32", "bf16", "int8"))
        settle_threads()
        self._device = torch.device("cpu") if precision == "int8" else default_device()
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        net = shipped_model()
        model = QuantisedNet(net, SIDE).eval() if precision == "int8" else _channels_last(net)
        self._model: Callable[[Tensor], Tensor] = model.to(self._device, self._dtype)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n, 10) of inputs (n, 1, 16, 16)."""
        with torch.inference_mode():
            scores = self._model(torch.from_numpy(inputs).to(self._device, self._dtype))
        return cast(NDArray[np.float32], scores.float().cpu().numpy())

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """Digits (n,) seen on inputs (n, 1, 16, 16)."""
        digits: NDArray[np.int64] = self.logits(inputs).argmax(1)
        return digits


class ImageClassification:
    """The reference implementation at one scale; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard, folder: Path | None) -> None:
        """``folder`` holds ImageNet at scale full, and is none elsewhere."""
        self.card = card
        self._folder = folder
        self._data = data_set(card, folder)

    def prepare(self, report: Progress) -> str:
        """Check the bundled data set; at other scales make pictures, or an index of the user's."""
        if self.card.scale == Scale.MINI:
            return checked(self.card)
        return self._data.prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        recipe = FolderRecipe if self.card.scale == Scale.FULL else PictureRecipe
        made = recipe(self.card, hyperparameters, partial(self._part, "train"))
        return ReferenceTraining(made, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> PictureEvaluation:
        """The held-out part."""
        return PictureEvaluation(partial(self._part, "eval"), arithmetic)

    def library(self) -> Library:
        """The held-out part as samples: digits as inputs (n, 1, 16, 16), values 0 to 1; at scale
        full, bytes (n, 224, 224, 3)."""
        if self.card.scale == Scale.FULL:
            return FolderLibrary(self.card, self._part("eval"), cast(Path, self._folder))
        return Library(
            self.card.inference, np.moveaxis(cast(NDArray[Any], self._part("eval").images), 3, 1)
        )

    def _part(self, name: str) -> Part:
        if self.card.scale == Scale.MINI:
            digits = load_digits()
            images = digits.train_images if name == "train" else digits.eval_images
            labels = digits.train_labels if name == "train" else digits.eval_labels
            return Part(enlarged(images)[..., None], labels)
        arrays = self._data.part(name)
        if self._folder is None:
            return Part(arrays["images"], arrays["labels"])
        side = int(self.card.shape["side"])
        pictures = imagenet.Pictures(self._folder, name, arrays["names"], side)
        return Part(pictures, arrays["labels"])


def workload(card: WorkloadCard, folder: Path | None) -> ImageClassification:
    """The workload at the scale of ``card``."""
    return ImageClassification(card, folder)
