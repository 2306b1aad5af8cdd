"""What can be known of the evaluation nodes' classes by who knows the generator exactly."""

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from workloads.graph_classification.data import PROBABILITY_STEPS, Array, Shape, make, truth

Float = NDArray[np.float64]


class Oracle:
    """Bayes' rule with the generator's own probabilities, on the generated graph."""

    def __init__(self, card: WorkloadCard) -> None:
        self._shape = Shape.of(card)
        self._asked = slice(-card.training.eval_samples, None)
        prototypes, self._labels = truth(card)
        arrays = make(card, lambda *_: None)
        self._neighbours = arrays["graph.neighbours"]
        signs = arrays["graph.features"].astype(np.float64)
        odds = (PROBABILITY_STEPS - self._shape.flip) / self._shape.flip
        self._own = signs @ (prototypes.T * 2.0 - 1) * np.log(odds) / 2  # log likelihood + constant

    def features_alone(self) -> float:
        """Accuracy of the best rule that reads the node's own features (exact, ties split)."""
        own = self._own[self._asked]
        best = np.isclose(own, own.max(1, keepdims=True))
        right = best[np.arange(len(own)), self._labels[self._asked]]
        return float((right / best.sum(1)).mean())

    def hops(self, count: int) -> float:
        """Accuracy of belief propagation over ``count`` hops of listed neighbours.

        It would be Bayes' rule for what a network of as many layers reads, were no node met twice.
        """
        beliefs = self._own
        for _ in range(count):
            beliefs = self._own + self._evidence(_normalised(beliefs))
        return self._accuracy(beliefs)

    def all_other_labels(self) -> float:
        """Accuracy of Bayes' rule given the whole graph and every label but the node's own.

        Exact, and what nothing can beat on average, however it is made. A list's entry in relation
        r is w with probability T[r][class of lister, class of w] / (nodes of the class of w).
        """
        known = np.eye(self._shape.classes)[self._labels]
        evidence = self._own + self._evidence(known)
        pointed = np.zeros(len(known))  # how often each node is listed
        for chances, lists in zip(self._chances(), self._neighbours, strict=True):
            listers = np.log(chances[self._labels])  # (nodes, classes): of the lister, of a listed
            for column in lists.T:
                np.add.at(evidence, column, listers)
                np.add.at(pointed, column, 1)
                self._mend_loops(evidence, column, chances)
        others = known.sum(0) - known  # nodes of each class, but for the node itself
        others_pointed = pointed @ known - pointed[:, None] * known
        evidence -= others_pointed * np.log1p(1 / others) + pointed[:, None] * np.log1p(others)
        return self._accuracy(evidence)

    def _mend_loops(self, evidence: Float, column: Array, chances: Float) -> None:
        """A node that lists itself: its class is lister and listed in one, not two evidences."""
        loops = np.flatnonzero(column == np.arange(len(column)))
        classes = self._labels[loops]
        evidence[loops] += np.log(np.diag(chances))
        evidence[loops] -= np.log(chances[classes]) + np.log(chances[:, classes].T)

    def _chances(self) -> list[Float]:
        """Of each relation, the probability (class, class) of a neighbour's class."""
        shape, classes = self._shape, np.arange(self._shape.classes)
        kin = shape.kin / PROBABILITY_STEPS
        every = np.full((shape.classes, shape.classes), (1 - kin) / shape.classes)
        return [
            every + kin * (classes[:, None] ^ relation == classes)
            for relation in range(shape.relations)
        ]

    def _evidence(self, beliefs: Float) -> Float:
        """Log likelihood (nodes, classes) of each node's lists, given beliefs about the listed."""
        total = np.zeros_like(beliefs)
        for chances, lists in zip(self._chances(), self._neighbours, strict=True):
            likelihood = np.log(beliefs @ chances.T * self._shape.classes)
            for column in lists.T:
                total += likelihood[column]
        return total

    def _accuracy(self, evidence: Float) -> float:
        return float((evidence.argmax(1) == self._labels)[self._asked].mean())


def _normalised(evidence: Float) -> Float:
    shares: Float = np.exp(evidence - evidence.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares
