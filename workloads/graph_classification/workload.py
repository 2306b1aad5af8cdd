"""The workload: its training, evaluation, query sample library and reference system."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from harness.card import WorkloadCard, read_card
from harness.records import Number
from harness.workload import Arithmetic, Progress, QuerySampleLibrary
from workloads.data_set import DataSet
from workloads.framework import default_device, require_precision, settle_threads
from workloads.graph_classification.data import evaluation_nodes, make
from workloads.graph_classification.model import RelationalGat
from workloads.graph_classification.training import Graph, GraphEvaluation, GraphRecipe, new_model
from workloads.library import Library
from workloads.training import ReferenceTraining
from workloads.weights import load_weights

WEIGHTS = Path(__file__).with_name("weights.safetensors")


def shipped_model(card: WorkloadCard) -> RelationalGat:
    """The reference network with the shipped weights, for inference, on the CPU."""
    model = new_model(card)
    load_weights(model, WEIGHTS)
    return model.eval()


class ReferenceSut:
    """The shipped weights and the graph behind `predict`, run by torch as they are."""

    max_batch = 16

    def __init__(self, library: QuerySampleLibrary, precision: str = "fp32") -> None:
        """Load the weights in ``precision``, fp32 or bf16, and the graph, which has no labels.

        `UsageError` for another precision; nothing is asked of the library, whose samples are the
        numbers of nodes.
        """
        require_precision("eager", precision, ("fp32", "bf16"))
        settle_threads()
        card = read_card(WEIGHTS.with_name("card.toml"))  # the weights are of scale mini alone
        self._device = default_device()
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._model = shipped_model(card).to(self._device, dtype)
        self._graph = Graph.read(card, self._device)

    def logits(self, nodes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores (n, classes) of ``nodes`` (n,), from every neighbour of two hops."""
        graph = self._graph
        with torch.inference_mode():
            asked = torch.from_numpy(nodes).to(self._device)
            near = graph.listed(asked)
            all_nodes = torch.cat([asked, near.reshape(-1)])
            far = graph.listed(all_nodes)
            scores = self._model(graph.features, all_nodes, far, near.shape[2])
        return cast(NDArray[np.float32], scores.float().cpu().numpy())

    def predict(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Classes (n,) of the nodes ``inputs`` (n,)."""
        classes: NDArray[np.int64] = self.logits(inputs).argmax(1)
        return classes


class GraphClassification:
    """The reference implementation; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard) -> None:
        self.card = card

    def prepare(self, report: Progress) -> str:
        """Make the graph unless it is there, and check it."""
        return DataSet(self.card, make).prepare(report)

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """A training from weights that ``seed`` draws, before any data is touched."""
        return ReferenceTraining(GraphRecipe(self.card), hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> GraphEvaluation:
        """The last nodes of the graph."""
        return GraphEvaluation(self.card)

    def library(self) -> Library:
        """The evaluation nodes as samples: the number of each, (n,)."""
        return Library(self.card.inference, evaluation_nodes(self.card))


def workload(card: WorkloadCard, folder: Path | None) -> GraphClassification:  # noqa: ARG001
    """The workload at the scale of ``card``."""
    return GraphClassification(card)
