"""Markov chains of order 2 over symbols, with exact probabilities and an exact entropy rate."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAIN = 256
"""Probabilities are whole multiples of 1/256: exact, and a uniform byte draws a successor."""

_SETTLE = 64
"""Steps after which a chain has forgotten where it began."""
_STILL = 1e-14
_MOST_STEPS = 10_000


@dataclass(frozen=True)
class Chain:
    """What follows symbols a, b depends on the class of a (a modulo classes) and on b.

    Contexts are numbered ``(a % classes) * symbols + b``.
    """

    symbols: int
    classes: int
    successors: NDArray[np.int64]  # (contexts, successors of each), rising along each row
    weights: NDArray[np.int64]  # the same shape: probabilities times `GRAIN`

    @cached_property
    def table(self) -> NDArray[np.uint16]:
        """(contexts, 256): the successor that each value of a uniform byte stands for, rising."""
        ends = np.cumsum(self.weights, axis=1)[:, :-1]
        places = (ends[:, :, None] <= np.arange(GRAIN)).sum(axis=1)
        return np.take_along_axis(self.successors.astype(np.uint16), places, axis=1)

    def context(self, before: NDArray[Any], last: NDArray[Any]) -> NDArray[np.int64]:
        """Numbers of the contexts of two neighbouring symbols."""
        numbers: NDArray[np.int64] = before.astype(np.int64) % self.classes * self.symbols + last
        return numbers

    def sample(
        self, sequences: int, length: int, random: np.random.Generator
    ) -> NDArray[np.uint16]:
        """Stationary sequences (sequences, length), a uniform byte a symbol."""
        before = random.integers(0, self.symbols, sequences).astype(np.uint16)
        last = random.integers(0, self.symbols, sequences).astype(np.uint16)
        found = np.empty((length, sequences), np.uint16)
        for step in range(-_SETTLE, length):
            draws = random.integers(0, GRAIN, sequences, dtype=np.uint8)
            before, last = last, self.table[self.context(before, last), draws]
            if step >= 0:
                found[step] = last
        return found.T

    def stationary(self) -> NDArray[np.float64]:
        """Share of time (contexts,) that a long sequence spends in each context."""
        last = np.arange(len(self.successors)) % self.symbols
        following = self.context(last[:, None], self.successors).reshape(-1)
        share = np.full(len(last), 1 / len(last))
        for _ in range(_MOST_STEPS):
            flow = share[:, None] * self.weights / GRAIN
            moved = np.asarray(np.bincount(following, flow.reshape(-1), len(last)), np.float64)
            if np.abs(moved - share).sum() < _STILL:
                return moved
            share = moved
        raise ValueError("the chain does not settle; its contexts come in turn")

    def entropy_rate(self) -> float:
        """Nats a symbol that no predictor can do without (Shannon, 1948, section 7).

        The entropy of what follows a context, averaged over contexts as often as they come.
        """
        chances = self.weights / GRAIN
        return float(-(self.stationary() @ (chances * np.log(chances)).sum(axis=1)))


def draw_chain(symbols: int, classes: int, successors: int, random: np.random.Generator) -> Chain:
    """A chain whose contexts have ``successors`` random symbols each.

    Their probabilities are uniform over all ways to cut a whole into so many parts of multiples
    of 1/256. Only whole numbers are drawn.
    """
    contexts = symbols * classes
    chosen = _subsets(contexts, symbols, successors, random)
    cuts = 1 + _subsets(contexts, GRAIN - 1, successors - 1, random)
    weights = np.diff(cuts, axis=1, prepend=0, append=GRAIN)
    return Chain(symbols, classes, chosen, weights)


def _subsets(count: int, among: int, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``count`` random subsets (count, size) of 0 to among - 1, each in rising order."""
    keys = random.integers(0, 2**32, (count, among), dtype=np.uint32)
    return np.sort(np.argsort(keys, axis=1, kind="stable")[:, :size], axis=1)
