"""The workload: its data set, training, query sample library and reference system."""

from collections.abc import Mapping
from pathlib import Path

import torch

from harness.card import WorkloadCard
from harness.records import Number
from harness.workload import Arithmetic, Evaluation, Progress, QuerySampleLibrary, Workload
from workloads.catalogue import load_card
from workloads.data_set import DataSet
from workloads.framework import require_precision
from workloads.generation import Generating
from workloads.language_model.data import make, prompts
from workloads.language_model.full import FullLanguageModel
from workloads.language_model.training import Held, TokenEvaluation, TokenRecipe
from workloads.library import Library
from workloads.llama import Llama, shape_of
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


class LanguageModel:
    """The reference implementation with generated data; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        self._card = card
        self._data = DataSet(card, make)

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""
        return self._card

    def prepare(self, report: Progress) -> str:
        """See `Workload`."""
        return self._data.prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """See `Workload`."""
        recipe = TokenRecipe(self._card, self._read)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> Evaluation:
        """See `Workload`."""
        return TokenEvaluation(self._card, self._read, arithmetic)

    def library(self) -> Library:
        """Prompts, and the draws that decide what follows them."""
        return Library(self._card.inference, prompts(self._card))

    def _read(self, part: str, device: torch.device) -> Held:
        return Held(self._data.part(part)["tokens"], device)


def shipped_model() -> Llama:
    """The mini decoder with the shipped weights, on the CPU."""
    model = Llama(shape_of(load_card("language_model").shape))
    load_weights(model, WEIGHTS)
    return model.eval()


class ReferenceSut(Generating):
    """The shipped weights, generating."""

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``, fp32 or bf16; `UsageError` for another."""
        require_precision("eager", precision, ("fp32", "bf16"))
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        new_tokens = int(load_card("language_model").shape["new_tokens"])
        super().__init__(library, shipped_model().to(dtype), new_tokens)


def workload(card: WorkloadCard, folder: Path | None) -> Workload:
    """The workload at the card's scale; at scale full, ``folder`` holds the user's data."""
    return LanguageModel(card) if folder is None else FullLanguageModel(card, folder)
