"""The workload: training recipe, evaluation, query sample library and systems under test."""

from collections.abc import Mapping
from pathlib import Path

import torch

from harness.card import WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic, Evaluation, Progress, QuerySampleLibrary
from workloads.catalogue import load_card
from workloads.data_set import DataSet
from workloads.framework import require_precision
from workloads.generation import Generating
from workloads.language_model.training import Held, Source, TokenEvaluation, TokenRecipe
from workloads.library import Library
from workloads.llama import Llama
from workloads.lora_finetuning.data import make, prompts, whole
from workloads.lora_finetuning.model import (
    adapters_of,
    base_with_adapters,
    check_base,
    draw_adapters,
    merged,
)
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


class AdapterRecipe(TokenRecipe):
    """Trains adapters as language_model trains a decoder; see `workloads.training.Recipe`."""

    def __init__(self, card: WorkloadCard, source: Source) -> None:
        super().__init__(card, source)
        self._card = card

    def model(self, generator: torch.Generator) -> Llama:
        """See `Recipe`. The base is the same for everybody; only adapters are drawn."""
        model = base_with_adapters(self._card)
        draw_adapters(model, generator)
        return model


class LoraFinetuning:
    """The reference implementation; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        self._card = card
        self._data = DataSet(card, make)

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""
        return self._card

    def prepare(self, report: Progress) -> str:
        """See `Workload`. The base's weights are checked, too."""
        check_base()
        return self._data.prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """See `Workload`."""
        recipe = AdapterRecipe(whole(self._card), self._read)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> Evaluation:
        """See `Workload`."""
        return TokenEvaluation(whole(self._card), self._read, arithmetic)

    def library(self) -> Library:
        """Prompts, and the draws that decide what follows them."""
        return Library(self._card.inference, prompts(self._card))

    def _read(self, part: str, device: torch.device) -> Held:
        return Held(self._data.part(part)["tokens"], device)


def shipped_model() -> Llama:
    """The base with the shipped adapters, on the CPU."""
    model = base_with_adapters(load_card("lora_finetuning"))
    load_weights(adapters_of(model), WEIGHTS)
    return model.eval()


class ReferenceSut(Generating):
    """The shipped adapters beside the base, which others might share, generating."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``, fp32 or bf16; `UsageError` for another."""
        dtype = _dtype("eager", precision)
        super().__init__(library, shipped_model().to(dtype), _new_tokens())


class MergedSut(Generating):
    """The shipped adapters merged into the base, generating."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load and merge the weights, then round them to ``precision``, fp32 or bf16."""
        dtype = _dtype("merged", precision)
        super().__init__(library, merged(shipped_model()).to(dtype), _new_tokens())


def _dtype(engine: str, precision: str) -> torch.dtype:
    require_precision(engine, precision, ("fp32", "bf16"))
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _new_tokens() -> int:
    return int(whole(load_card("lora_finetuning")).shape["new_tokens"])


def workload(card: WorkloadCard, folder: Path | None) -> LoraFinetuning:  # noqa: ARG001
    """The workload at scale mini, its only one."""
    return LoraFinetuning(card)
