"""The workload: its training, evaluation, query sample library and reference system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.card import WorkloadCard, read_card
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.data_set import DataSet
from workloads.framework import default_device, require_precision, settle_threads
from workloads.library import Library
from workloads.object_detection.data import KINDS, make
from workloads.object_detection.model import Detector, as_input, decoded, new_model
from workloads.object_detection.scoring import mean_average_precision
from workloads.object_detection.training import DetectionRecipe
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")
_EVALUATION_BATCH = 64


class DetectionEvaluation:
    """The evaluation scenes; see `harness.workload.Evaluation`."""

    def __init__(self, card: WorkloadCard, data: DataSet, arithmetic: Arithmetic) -> None:
        """Nothing is read yet."""
        self._card = card
        self._data = data
        self._bf16 = arithmetic.precision == "bf16"

    def load(self) -> None:
        """Read the evaluation scenes to the device's memory."""
        part = self._data.part("eval")
        self._images = torch.tensor(part["images"], device=default_device())
        self._kinds, self._boxes = np.array(part["kinds"]), np.array(part["boxes"])

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean average precision at an IoU of 0.5, by the scorer that inference has too."""
        model.eval()
        most = int(self._card.shape["detections"])
        with (
            torch.inference_mode(),
            torch.autocast(self._images.device.type, torch.bfloat16, enabled=self._bf16),
        ):
            batches = torch.split(self._images, _EVALUATION_BATCH)
            found = torch.cat([decoded(model(as_input(batch)), most) for batch in batches])
        answers = found.double().cpu().numpy()
        quality = mean_average_precision(answers, self._kinds, self._boxes, len(KINDS))
        return {self._card.training.target.metric: quality}


def shipped_model() -> Detector:
    """The network of scale mini with the shipped weights, for inference, on the CPU."""
    model = new_model(_mini().shape)
    load_weights(model, WEIGHTS)
    return model.eval()


def _mini() -> WorkloadCard:
    return read_card(WEIGHTS.with_name("card.toml"))


class ReferenceSut:
    """The shipped weights behind `predict`, run by torch as they are."""

    max_batch = 32
    """On one core of a CPU a sample costs the same in any batch from 8 on."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``: fp32 or bf16.

        `UsageError` for another one; nothing is asked of the library.
        """
        require_precision("eager", precision, ("fp32", "bf16"))
        settle_threads()
        self._device = default_device()
        self._bf16 = precision == "bf16"
        self._model = shipped_model().to(self._device)
        self._most = int(_mini().shape["detections"])

    def predict(self, inputs: NDArray[np.uint8]) -> list[list[list[float]]]:
        """For each image (side, side) its detections, [kind, score, x0, y0, x1, y1], best first."""
        images = torch.from_numpy(inputs).to(self._device)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            found = decoded(self._model(as_input(images)), self._most)
        return [[[int(kind), *rest] for kind, *rest in detections] for detections in found.tolist()]


class ObjectDetection:
    """The reference implementation at one scale; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        """Nothing is made or read yet."""
        self.card = card
        self._data = DataSet(card, make)

    def prepare(self, report: Progress) -> str:
        """Make the scenes unless they are there, and check them."""
        return self._data.prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        recipe = DetectionRecipe(self._data, self.card.shape, hyperparameters)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> DetectionEvaluation:
        """The evaluation scenes, not yet read."""
        return DetectionEvaluation(self.card, self._data, arithmetic)

    def library(self) -> Library:
        """The evaluation scenes as samples: grey images (n, side, side) uint8."""
        images: NDArray[Any] = self._data.part("eval")["images"]
        return Library(self.card.inference, images)


def workload(card: WorkloadCard, folder: Path | None) -> ObjectDetection:  # noqa: ARG001
    """The workload at the scale of ``card``; it has no scale that reads a user's ``folder``."""
    return ObjectDetection(card)
