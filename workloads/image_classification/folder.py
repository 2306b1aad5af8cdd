"""Inference at scale full: pictures from the user's folder, and weights that lie beside them."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import UsageError
from harness.workload import QuerySampleLibrary
from workloads.framework import default_device, require_precision, settle_threads
from workloads.image_classification.imagenet import WEIGHTS
from workloads.image_classification.resnet import ResNet
from workloads.image_classification.training import Part, as_input
from workloads.library import Library
from workloads.weights import load_weights


class FolderLibrary(Library):
    """Evaluation pictures as bytes (n, side, side, 3), decoded as they are loaded."""

    def __init__(self, card: WorkloadCard, part: Part, folder: Path) -> None:
        super().__init__(card.inference, cast(NDArray[Any], part.images))
        self.shape = card.shape
        self.weights = folder / WEIGHTS


class FolderSut:
    """The user's own weights, named as in torchvision, behind `predict`."""

    max_batch = 64

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load ``weights.safetensors`` of the library's folder, for fp32 or bf16."""
        require_precision("eager", precision, ("fp32", "bf16"))
        if not isinstance(library, FolderLibrary):
            raise UsageError("engine eager of image_classification.full: give it its own library")
        settle_threads()
        model = ResNet(library.shape)
        load_weights(model, library.weights)
        self._device = default_device()
        self._bf16 = precision == "bf16"
        layout = torch.channels_last
        self._model = model.eval().to(self._device, memory_format=layout)  # type: ignore[call-overload]

    def predict(self, inputs: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Classes (n,) of pictures (n, side, side, 3)."""
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            scores = self._model(as_input(torch.from_numpy(inputs).to(self._device)))
        classes: NDArray[np.int64] = scores.argmax(1).cpu().numpy()
        return classes
