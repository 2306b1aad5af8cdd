"""Chains: exact probabilities, the stationary distribution and the entropy rate."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.markov import GRAIN, Chain, draw_chain


def drawn(seed: int, symbols: int = 5, classes: int = 3, successors: int = 2) -> Chain:
    return draw_chain(symbols, classes, successors, np.random.Generator(np.random.PCG64(seed)))


@settings(max_examples=30)
@given(st.integers(0, 99), st.integers(2, 9), st.integers(1, 9), st.integers(1, 9))
def test_every_context_has_its_successors_and_a_whole_to_divide(
    seed: int, symbols: int, classes: int, successors: int
) -> None:
    wanted = min(successors, symbols)
    chain = drawn(seed, symbols, classes, wanted)
    assert chain.successors.shape == chain.weights.shape == (symbols * classes, wanted)
    assert (np.diff(chain.successors, axis=1) > 0).all()
    assert chain.weights.min() >= 1
    assert (chain.weights.sum(axis=1) == GRAIN).all()
    for context in range(symbols * classes):
        counts = np.bincount(chain.table[context], minlength=symbols)
        assert counts[chain.successors[context]].tolist() == chain.weights[context].tolist()
    assert (np.diff(chain.table, axis=1) >= 0).all()


def test_the_generator_is_pinned() -> None:
    chain = drawn(1)
    assert chain.successors[:3].tolist() == [[0, 4], [0, 3], [2, 4]]
    assert chain.weights[:3, 0].tolist() == [113, 113, 63]
    sequences = chain.sample(2, 6, np.random.Generator(np.random.PCG64(2)))
    assert sequences.tolist() == [[1, 3, 2, 4, 2, 4], [1, 3, 2, 2, 3, 1]]


def dense(chain: Chain) -> np.ndarray:
    """The transition matrix between contexts, made with loops."""
    matrix = np.zeros((len(chain.successors),) * 2)
    for context, (following, weights) in enumerate(
        zip(chain.successors, chain.weights, strict=True)
    ):
        last = context % chain.symbols
        for symbol, weight in zip(following, weights, strict=True):
            matrix[context, last % chain.classes * chain.symbols + symbol] += weight / GRAIN
    return matrix


def test_the_stationary_distribution_is_the_eigenvector() -> None:
    chain = drawn(4, symbols=6, classes=4, successors=3)
    values, vectors = np.linalg.eig(dense(chain).T)
    vector = np.real(vectors[:, np.argmax(np.real(values))])
    assert np.allclose(chain.stationary(), vector / vector.sum(), atol=1e-12)


def test_the_entropy_rate_of_a_fair_coin_is_a_bit() -> None:
    fair = Chain(2, 1, np.array([[0, 1]] * 2), np.full((2, 2), GRAIN // 2))
    assert math.isclose(fair.entropy_rate(), math.log(2))


def test_samples_surprise_as_much_as_the_entropy_rate_says() -> None:
    chain = drawn(7, symbols=8, classes=8, successors=3)
    sequences = chain.sample(2000, 102, np.random.Generator(np.random.PCG64(0)))
    context = chain.context(sequences[:, :-2], sequences[:, 1:-1])
    followed = chain.successors[context] == sequences[:, 2:, None]
    assert followed.any(-1).all()
    surprise = -np.log((chain.weights[context] * followed).sum(-1) / GRAIN)
    assert abs(surprise.mean() - chain.entropy_rate()) < 4 * surprise.std() / math.sqrt(200_000)
