"""Ranks of a board: as many as the runs tell apart. All pairs at once, since a board may have
hundreds of thousands.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rules.significance import (
    LEVEL,
    Estimate,
    Runs,
    estimate_score,
    holm,
    mann_whitney,
    probabilities,
)


def tied_ranks(scores: Sequence[float], runs: Sequence[Runs | None]) -> list[int]:
    """Ranks of a board whose ``scores`` stand best first, each with its ``runs`` or none.

    A rank is one more than the number of results that are better: told to be by the test of all
    pairs (`rules.significance.verdicts`), or, where there are too few runs to test, by the score
    alone. Being told apart is not transitive, and a result with a wide spread may be told from
    fewer; but none gets a better rank than one with a better score.
    """
    estimates = [estimate_score(one) if one else None for one in runs]
    known = np.array([one is not None for one in estimates], bool)
    first, second = np.triu_indices(len(scores), 1)
    untested = ~(known[first] & known[second])
    values = np.array(scores)
    better = untested & (values[first] != values[second])
    better[~untested] = _faster(
        [one for one in estimates if one], *np.triu_indices(int(known.sum()), 1)
    )
    counts = np.bincount(second[better], minlength=len(scores))
    return [1 + int(most) for most in np.maximum.accumulate(counts)] if len(scores) else []


def _faster(
    estimates: Sequence[Estimate], first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Of which pairs the first is faster, with all pairs as one family."""
    value = np.array([one.value for one in estimates])
    variance = np.array([one.variance for one in estimates])
    freedom = np.array([float(one.freedom) for one in estimates])
    ratio = value[first] / value[second]
    p = probabilities(ratio, (variance[first], variance[second]), (freedom[first], freedom[second]))
    told: NDArray[np.bool_] = (np.array(holm(p.tolist())) < 1 - LEVEL) & (ratio < 1)
    for at in np.flatnonzero(told):
        told[at] = _order_tells(estimates[first[at]].runs, estimates[second[at]].runs)
    return told


def _order_tells(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether the exact Mann-Whitney test tells ``a`` from ``b``.

    Of runs that do not overlap its p is 1 or 2 of all ways to choose, without a look at them.
    """
    if max(a) < min(b) and 2 / math.comb(len(a) + len(b), len(a)) < 1 - LEVEL:
        return True
    return mann_whitney(a, b) < 1 - LEVEL
