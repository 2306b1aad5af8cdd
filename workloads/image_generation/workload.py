"""The workload: its training, evaluation, query sample library and reference system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.card import WorkloadCard, read_card
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.data_set import DataSet
from workloads.framework import default_device, require_precision, settle_threads
from workloads.image_generation.data import NOISE_UNIT, make
from workloads.image_generation.model import FlowTransformer
from workloads.image_generation.training import FlowEvaluation, FlowRecipe
from workloads.library import Library
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


def shipped_model(card: WorkloadCard) -> FlowTransformer:
    """The reference network with the shipped weights, for inference, on the CPU."""
    model = FlowTransformer(card.shape)
    load_weights(model, WEIGHTS)
    return model.eval()


class ReferenceSut:
    """The shipped weights behind `predict`: the flow followed from noise to an image."""

    max_batch = 32

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights; ``precision`` is fp32 or bf16 (matrix products in 16 bits).

        `UsageError` for another one; nothing is asked of the library.
        """
        require_precision("eager", precision, ("fp32", "bf16"))
        settle_threads()
        card = read_card(WEIGHTS.with_name("card.toml"))  # the weights are of scale mini alone
        self._shape = card.shape
        self._device = default_device()
        self._bf16 = precision == "bf16"
        self._model = shipped_model(card).to(self._device)

    def predict(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
        """Images (n, side x side), grey levels row by row, of classes ``labels`` (n,) from
        ``noise`` (n, side, side)."""
        noise = torch.from_numpy(inputs["noise"]).to(self._device).float() / NOISE_UNIT
        label = torch.from_numpy(inputs["labels"]).to(self._device).long()
        autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16)
        with torch.inference_mode(), autocast:
            flown = generate(self._model, noise, label, self._shape)
        levels = self._shape["levels"]
        grey = ((flown + 1) * (levels / 2)).round().clamp(0, levels)
        return cast(NDArray[np.uint8], grey.to(torch.uint8).flatten(1).cpu().numpy())


def generate(
    model: FlowTransformer, noise: Tensor, label: Tensor, shape: Mapping[str, Number]
) -> Tensor:
    """Follow the flow from ``noise`` (n, side, side) at time 1 to images at 0, in Euler's steps.

    In each of the shape's ``steps`` the velocity is drawn from the one without a class towards,
    and beyond, the one with it: by ``guidance`` times their difference (Ho and Salimans, 2022,
    arXiv:2207.12598, equation 6). Both come from one batch of twice the size.
    """
    steps, guidance = int(shape["steps"]), shape["guidance"]
    labels = torch.cat([label, torch.full_like(label, int(shape["classes"]))])
    x = noise
    for step in range(steps, 0, -1):
        time = torch.full((len(labels),), step / steps, device=x.device)
        given, free = model(torch.cat([x, x]), time, labels).float().chunk(2)
        x = x - torch.lerp(free, given, guidance) / steps
    return x


class ImageGeneration:
    """The reference implementation at one scale; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        self.card = card

    def prepare(self, report: Progress) -> str:
        """Make the arrays unless they are there, and check them."""
        return DataSet(self.card, make).prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        recipe = FlowRecipe(self.card, hyperparameters)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> FlowEvaluation:
        """The held-out half."""
        return FlowEvaluation(self.card, arithmetic)

    def library(self) -> Library:
        """The prompts as samples: ``labels`` (n,) and ``noise`` (n, side, side)."""
        return Library(self.card.inference, DataSet(self.card, make).part("prompt"))


def workload(card: WorkloadCard, folder: Path | None) -> ImageGeneration:  # noqa: ARG001
    """The workload at the scale of ``card``."""
    return ImageGeneration(card)
