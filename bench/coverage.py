"""How often intervals of a time to train hold the truth, and how often equals are told apart.

python bench/coverage.py [boards]: simulated runs of known mean; a table for docs/measurements.md.
"""

import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from rules.significance import LEVEL, Runs, Verdict, compare, interval, verdicts

Values = NDArray[np.float64]
DRAWS = 1000


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], spread: float = 0.05) -> Values:
    drawn: Values = np.exp(rng.normal(0, spread, shape))
    return drawn


def _wide(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return _smooth(rng, shape, 0.2)


def _coarse(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    drawn: Values = np.ceil(_smooth(rng, shape) * 9) / 9 * _smooth(rng, shape, 0.003)
    return drawn


def _skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    drawn: Values = 1 + rng.exponential(0.2, shape)
    return drawn


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Values]] = {
    "log-normal, 5 %": _smooth,
    "log-normal, 20 %": _wide,
    "5 %, evaluated every 11 %": _coarse,
    "exponential tail": _skewed,
}


def _olympic(values: Values) -> Values:
    mean: Values = np.sort(values, axis=-1)[..., 1:-1].mean(axis=-1)
    return mean


def _others(row: Values, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """The intervals that were not chosen."""
    n, score = len(row), float(_olympic(row))
    drawn = np.sort(_olympic(row[rng.integers(0, n, (DRAWS, n))]))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    below = (np.mean(drawn < score) + np.mean(drawn <= score)) / 2
    bias = ndtri(np.clip(below, 1 / DRAWS, 1 - 1 / DRAWS))
    left = np.array([_olympic(np.delete(row, i)) for i in range(n)])
    away = left.mean() - left
    skew = (away**3).sum() / (6 * (away**2).sum() ** 1.5 + 1e-30)
    ends = bias + np.array([ndtri((1 - LEVEL) / 2), ndtri((1 + LEVEL) / 2)])
    corrected = np.quantile(drawn, ndtr(bias + ends / (1 - skew * ends)))
    half = stdtrit(n - 1, (1 + LEVEL) / 2) * row.std(ddof=1) / n**0.5
    return {
        "percentile": (low, high),
        "BCa": (corrected[0], corrected[1]),
        "Student's t": (score - half, score + half),
    }


def coverage(kind: str, n: int, boards: int) -> dict[str, float]:
    """Share of intervals of ``n`` runs that hold the mean of the score, by method."""
    rng = np.random.default_rng(n)
    truth = _olympic(KINDS[kind](rng, (200_000, n))).mean()
    held: dict[str, list[bool]] = {}
    for row in KINDS[kind](rng, (boards, n)):
        ours = interval(Runs(tuple(row), tuple(row), drop=1, tolerated=1))
        found = _others(row, rng) | ({"ours": (ours.low, ours.high)} if ours else {})
        for name, (low, high) in found.items():
            held.setdefault(name, []).append(bool(low <= truth <= high))
    return {name: float(np.mean(each)) for name, each in held.items()}


def false_verdicts(kind: str, n: int, results: int, boards: int) -> float:
    """Share of boards of equal ``results`` on which any two are told apart."""
    rng = np.random.default_rng(n)
    wrong = 0
    for _ in range(boards):
        runs = [Runs(tuple(row), tuple(row), 1, 1) for row in KINDS[kind](rng, (results, n))]
        said = verdicts([compare(a, b) for a, b in combinations(runs, 2)])
        wrong += any(one in (Verdict.A_FASTER, Verdict.B_FASTER) for one in said)
    return wrong / boards


def main(boards: int) -> None:
    """Print a row a distribution and number of runs."""
    print("| runs | distribution | percentile | BCa | Student's t | ours | 2 equals | 8 equals |")
    print("|---|---|---|---|---|---|---|---|")
    for n in (5, 10):
        for kind in KINDS:
            held = coverage(kind, n, boards)
            shares = [held[name] for name in ("percentile", "BCa", "Student's t", "ours")]
            shares += [false_verdicts(kind, n, results, boards) for results in (2, 8)]
            print(f"| {n} | {kind} | {' | '.join(f'{share:.1%}' for share in shares)} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
