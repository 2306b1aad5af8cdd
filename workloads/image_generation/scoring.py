"""The quality of generated images: how many pass for new handwriting, and how varied they are.

Distances are sums of whole numbers in double precision, hence exact, and equal on every machine.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import LevelfieldError

CELLS = 8
"""Images are compared by the means of 8x8 equal cells."""
NEIGHBOURS = 5
"""Nearest training images that are asked for an image's class; most of them must agree."""
REACH = 3
"""A held-out image is covered within the distance of its third nearest of the same class."""
_RARE = 100
"""One held-out image in a hundred is closer to a training image than bounds allow, one farther."""
_BLOCK = 256

Array = NDArray[Any]
Labelled = tuple[Array, Array]


def score(images: Array, asked: Array, train: Labelled, held_out: Labelled) -> float:
    """Fidelity times coverage of ``images`` (n, side, side), asked to show ``asked`` (n,).

    An image is *accepted* if most of its five nearest training images are of the class asked for,
    and the nearest is neither closer nor farther than real unseen handwriting comes to training
    images, but for one image in a hundred at either end: what is closer is a copy, what is farther
    is no digit. Fidelity is the share accepted. Coverage (Naeem et al., 2020, arXiv:2002.09797,
    equation 5) is the share of held-out images with an accepted image of their class within the
    distance of their third nearest held-out image of that class.
    """
    answered, training, unseen = cells(images), cells(train[0]), cells(held_out[0])
    nearest = np.concatenate([block.min(1) for _, block in _distances(unseen, training)])
    nearest.sort()
    closest, farthest = nearest[len(nearest) // _RARE], nearest[-1 - len(nearest) // _RARE]
    accepted = np.zeros(len(answered), dtype=np.bool_)
    for rows, block in _distances(answered, training):
        near = np.argsort(block, axis=1, kind="stable")[:, :NEIGHBOURS]
        agreeing = (train[1][near] == asked[rows, None]).sum(1)
        away = block.min(1)
        accepted[rows] = (2 * agreeing > NEIGHBOURS) & (away >= closest) & (away <= farthest)
    covered = _covered((unseen, held_out[1]), (answered[accepted], asked[accepted]))
    return float(accepted.mean()) * covered


def _covered(held_out: Labelled, accepted: Labelled) -> float:
    """The share of held-out images near an accepted one of their class."""
    covered = 0
    for digit in np.unique(held_out[1]).tolist():
        real, made = held_out[0][held_out[1] == digit], accepted[0][accepted[1] == digit]
        if len(made) == 0:
            continue
        # REACH counts from the image itself, at no distance.
        own = [np.partition(block, REACH, 1)[:, REACH] for _, block in _distances(real, real)]
        nearest = [block.min(1) for _, block in _distances(real, made)]
        covered += int((np.concatenate(nearest) <= np.concatenate(own)).sum())
    return covered / len(held_out[1])


def cells(images: Array) -> NDArray[np.float64]:
    """Sums over the 8x8 equal cells of images (n, side, side), as rows (n, 64)."""
    n, side = len(images), images.shape[1]
    grid = images.reshape(n, CELLS, side // CELLS, CELLS, side // CELLS)
    rows: NDArray[np.float64] = grid.sum((2, 4), dtype=np.float64).reshape(n, -1)
    return rows


def _distances(rows: Array, others: Array) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Squared distances of ``rows`` to all ``others``, some rows at a time."""
    lengths = (others * others).sum(1)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        squares = (block * block).sum(1)[:, None] + lengths - 2 * block @ others.T
        yield slice(start, start + len(block)), squares


def checked_answers(
    answers: Mapping[int, Any], samples: int, pixels: int, levels: int
) -> NDArray[np.int64]:
    """Answers as rows (samples, pixels); `LevelfieldError` for anything but whole images."""
    images = np.empty((samples, pixels), np.int64)
    for sample, answer in answers.items():
        # Bounds before text: the text of a huge integer would raise, or fill a page.
        if type(sample) is not int or not 0 <= sample < samples:
            raise LevelfieldError(
                f"answers: a sample outside 0 to {samples - 1}; run accuracy mode again"
            )
        wrong = _fault(answer, pixels, levels)
        if wrong:
            raise LevelfieldError(
                f"answers: sample {sample}: {wrong}; "
                f"answer with a list of {pixels} whole numbers from 0 to {levels}"
            )
        images[sample] = answer
    missing = samples - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {samples} samples are missing; run accuracy mode again"
        )
    return images


def _fault(answer: object, pixels: int, levels: int) -> str:
    """What keeps ``answer`` from being an image; empty if nothing does."""
    if type(answer) is not list:
        return f"the answer is of type {type(answer).__name__}"
    if len(answer) != pixels:
        return f"the answer has {len(answer)} values"
    for value in answer:
        if type(value) is not int:
            return f"the answer holds a value of type {type(value).__name__}"
        if not 0 <= value <= levels:
            return "the answer holds a value out of range"
    return ""
