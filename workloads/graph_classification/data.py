"""The generated graph, what is known exactly about it, and the quality of a set of answers.

No torch here: the rules recompute quality from answers with this file alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.answers import share_right
from workloads.data_set import DataSet

_BLOCK = 1 << 18
"""Nodes made at a time; part of the generator, as it fixes the order of the draws."""
PROBABILITY_STEPS = 1 << 16
"""Probabilities are whole multiples of 1/65536, so that integers decide every draw."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """The generator's sizes and probabilities, from ``card.shape``."""

    nodes: int
    classes: int
    relations: int
    neighbours: int
    """Neighbours that each node lists in each relation."""
    features: int
    flip: int
    """Probability that a feature is the opposite of its class's, in 65536ths."""
    kin: int
    """Probability that a neighbour's class is the one that the relation leads to, in 65536ths;
    otherwise it is any class, this one included, each as likely."""

    @staticmethod
    def of(card: WorkloadCard) -> "Shape":
        """The sizes on ``card``."""
        fields = Shape.__dataclass_fields__
        return Shape(**{name: int(card.shape[name]) for name in fields})


def make(card: WorkloadCard, report: Progress) -> dict[str, Array]:
    """A contextual stochastic block model (Deshpande et al., 2018, arXiv:1807.09596), directed.

    Labels are independent and uniform. A node's features (+1 or -1) are its class's prototype with
    some flipped. In relation r a node of class k lists neighbours of class k XOR r, or of any:
    alike in relation 0, of the counterpart class in relation 1. The order within a list means
    nothing. Returns ``graph.features`` (nodes, features) and ``graph.neighbours`` (relations,
    nodes, neighbours), ``train.labels`` of the first nodes and ``eval.labels`` of the last.
    """
    shape, generator = Shape.of(card), _generator(card)
    prototypes, labels = _truth(shape, generator)
    members = _Members(labels, shape.classes)
    features = np.empty((shape.nodes, shape.features), np.int8)
    neighbours = np.empty((shape.relations, shape.nodes, shape.neighbours), np.int32)
    for start in range(0, shape.nodes, _BLOCK):
        block = slice(start, start + _BLOCK)
        features[block] = _features(labels[block], prototypes, shape, generator)
        for relation in range(shape.relations):
            classes = _neighbour_classes(labels[block] ^ relation, shape, generator)
            neighbours[relation, block] = members.draw(classes, generator)
        report("nodes made", min(start + _BLOCK, shape.nodes), shape.nodes)
    return {
        "graph.features": features,
        "graph.neighbours": neighbours,
        "train.labels": labels[: card.training.train_samples],
        "eval.labels": labels[-card.training.eval_samples :],
    }


def truth(card: WorkloadCard) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    """Each class's prototype (classes, features) of noughts and ones, each node's label."""
    return _truth(Shape.of(card), _generator(card))


def _generator(card: WorkloadCard) -> np.random.Generator:
    if card.data_seed is None:
        raise LevelfieldError(f"{card.name}: no data_seed; give one on the card")
    return np.random.Generator(np.random.PCG64(card.data_seed))


def _truth(
    shape: Shape, generator: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    prototypes = generator.integers(0, 2, (shape.classes, shape.features), dtype=np.int8)
    return prototypes, generator.integers(0, shape.classes, shape.nodes, dtype=np.uint8)


def _features(
    labels: Array, prototypes: Array, shape: Shape, generator: np.random.Generator
) -> NDArray[np.int8]:
    draws = generator.integers(0, PROBABILITY_STEPS, (len(labels), shape.features), dtype=np.uint16)
    signs: NDArray[np.int8] = (prototypes[labels] ^ (draws < shape.flip)) * np.int8(2) - np.int8(1)
    return signs


def _neighbour_classes(kin: Array, shape: Shape, generator: np.random.Generator) -> Array:
    """Classes (n, neighbours) of the neighbours of nodes whose relation leads to ``kin`` (n,)."""
    size = (len(kin), shape.neighbours)
    leads = generator.integers(0, PROBABILITY_STEPS, size, dtype=np.uint16) < shape.kin
    others = generator.integers(0, shape.classes, size, dtype=np.uint8)
    return np.where(leads, kin[:, None], others)


class _Members:
    """Draws nodes of given classes, each node of a class as likely."""

    def __init__(self, labels: Array, classes: int) -> None:
        self._nodes = np.argsort(labels, kind="stable").astype(np.int32)  # class by class
        self._counts = np.bincount(labels, minlength=classes).astype(np.int64)
        self._starts = np.cumsum(self._counts) - self._counts

    def draw(self, classes: Array, generator: np.random.Generator) -> NDArray[np.int32]:
        """A node of each of ``classes``, in the same shape."""
        draws = generator.integers(0, 1 << 32, classes.shape, dtype=np.uint32).astype(np.int64)
        places = self._starts[classes] + (draws * self._counts[classes] >> 32)
        return self._nodes[places]


def evaluation_nodes(card: WorkloadCard) -> NDArray[np.int64]:
    """The nodes that evaluation and inference ask about: the last ones."""
    nodes = int(card.shape["nodes"])
    return np.arange(nodes - card.training.eval_samples, nodes)


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Share of evaluation nodes answered rightly, 0 to 1.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every sample once and
    nothing else, and each answer is a whole number that is a class.
    """
    stored = DataSet(card, make)
    stored.prepare(lambda *_: None)  # who checks a run need not have made one
    labels = stored.part("eval")["labels"].tolist()
    return share_right(answers, labels, int(card.shape["classes"]))
