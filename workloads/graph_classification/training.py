"""Training on sampled neighbourhoods, and evaluation layer by layer with every neighbour."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.card import WorkloadCard
from harness.records import Number
from workloads.data_set import DataSet
from workloads.framework import default_device
from workloads.graph_classification.data import evaluation_nodes, make
from workloads.graph_classification.model import RelationalGat, fresh_model


def new_model(card: WorkloadCard) -> RelationalGat:
    """The network in the card's sizes, its weights not yet drawn."""
    names = ("relations", "heads", "features", "width", "classes")
    return RelationalGat(**{name: int(card.shape[name]) for name in names})


@dataclass(frozen=True)
class Graph:
    """Features (nodes, features), int8, and neighbours (relations, nodes, listed), int32."""

    features: Tensor
    neighbours: Tensor

    @staticmethod
    def read(card: WorkloadCard, device: torch.device) -> "Graph":
        """Read the graph, which holds no labels, to ``device``."""
        stored = DataSet(card, make).part("graph")
        return Graph(*(on_device(stored[name], device) for name in ("features", "neighbours")))

    def listed(self, nodes: Tensor) -> Tensor:
        """Every neighbour of ``nodes`` (n,): (relations, n, listed)."""
        return self.neighbours.index_select(1, nodes)

    def sampled(self, nodes: Tensor, fan_out: int, generator: torch.Generator) -> Tensor:
        """``fan_out`` neighbours of each of ``nodes`` (n,) in each relation: (relations, n, f).

        The order of a list means nothing, so as many in a row from a random place, past the end
        from the start again, are a sample without replacement.
        """
        relations, _, listed = self.neighbours.shape
        starts = torch.randint(listed, (relations, len(nodes), 1), generator=generator)
        device = nodes.device
        places = starts.to(device) + torch.arange(fan_out, device=device)
        places = torch.where(places < listed, places, places - listed)  # faster than a remainder
        return self.listed(nodes).gather(2, places)


def on_device(array: np.ndarray, device: torch.device) -> Tensor:
    """A copy of ``array``, which may be mapped from a file, in the memory of ``device``."""
    return torch.from_numpy(np.array(array)).to(device)


class GraphRecipe:
    """See `workloads.training.Recipe`."""

    _graph: Graph
    _labels: Tensor  # (train samples,), of the graph's first nodes

    def __init__(self, card: WorkloadCard) -> None:
        self._card = card
        self._near, self._far = (int(card.shape[f"fan_out_{hop}"]) for hop in ("near", "far"))

    def model(self, generator: torch.Generator) -> RelationalGat:
        """See `Recipe`."""
        return fresh_model(new_model(self._card), generator)

    def optimizer(
        self, model: nn.Module, hyperparameters: Mapping[str, Number]
    ) -> torch.optim.Optimizer:
        """Adam; see `Recipe`."""
        betas = (hyperparameters["opt_adam_beta_1"], hyperparameters["opt_adam_beta_2"])
        epsilon = hyperparameters["opt_adam_epsilon"]
        return torch.optim.Adam(model.parameters(), lr=0.0, betas=betas, eps=epsilon, fused=True)

    def load(self, device: torch.device) -> int:
        """The graph and the labels of its first nodes; see `Recipe`."""
        self._graph = Graph.read(self._card, device)
        labels = DataSet(self._card, make).part("train")["labels"]
        self._labels = on_device(labels, device).long()
        return len(self._labels)

    def loss(self, model: nn.Module, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Cross entropy of nodes with a sample of two hops around each; see `Recipe`."""
        near = self._graph.sampled(chosen, self._near, generator)
        nodes = torch.cat([chosen, near.reshape(-1)])
        far = self._graph.sampled(nodes, self._far, generator)
        logits = model(self._graph.features, nodes, far, self._near)
        return functional.cross_entropy(logits, self._labels[chosen])


class GraphEvaluation:
    """The graph's last nodes; see `harness.workload.Evaluation`."""

    _graph: Graph
    _nodes: Tensor  # (eval samples,)
    _labels: Tensor

    def __init__(self, card: WorkloadCard) -> None:
        self._card = card
        self._batch = int(card.shape["evaluation_batch"])

    def load(self) -> None:
        """Read the graph and the labels of its last nodes to the device's memory."""
        device = default_device()
        self._graph = Graph.read(self._card, device)
        self._nodes = torch.from_numpy(evaluation_nodes(self._card)).to(device)
        labels = DataSet(self._card, make).part("eval")["labels"]
        self._labels = on_device(labels, device).long()

    def evaluate(self, model: RelationalGat) -> dict[str, float]:
        """Accuracy, 0 to 1, with every neighbour of two hops.

        The first layer goes over all nodes once, instead of once for each list that holds them.
        """
        graph = self._graph
        model.eval()
        with torch.inference_mode():
            everyone = torch.arange(len(graph.features), device=graph.features.device)
            encoded = torch.cat(
                [
                    model.encode(graph.features, nodes, graph.listed(nodes))
                    for nodes in torch.split(everyone, self._batch)
                ]
            )
            answers = torch.cat(
                [
                    model.classify(
                        functional.embedding(nodes, encoded),
                        functional.embedding(graph.listed(nodes), encoded),
                    ).argmax(1)
                    for nodes in torch.split(self._nodes, self._batch)
                ]
            )
        return {"accuracy": int((answers == self._labels).sum()) / len(self._labels)}
