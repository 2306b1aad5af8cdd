"""Generated pictures for scale standard: square code markers on noise, their codes the classes.

No torch here. The best reachable accuracy is 1: a marker's frame stands out from all around it by
more than the noise, so that every cell of its code can be read without error.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.workload import Progress

CHANNELS = 3
_CHUNK = 1024
_DARKEST, _BRIGHTEST = 96, 160
"""Ground colours; with the largest contrast up or down they just stay within a byte."""

OPTIMUM = 1.0
"""Accuracy of a reader who takes every pixel far from the first one for marked; see `make`."""


def make(card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """Pictures (n, side, side, 3) and classes (n,), for training and for evaluation.

    A marker is a square of (code + 2) x (code + 2) cells: a marked frame around the cells of its
    class's code, each marked or not. Its place, the size of a cell, the ground's colour, the
    contrast and its sign are uniform, and so is the noise on every value. The contrast exceeds
    four times the noise, and the first pixel is always ground: that makes reading exact.
    """
    generator, codes, labels = _codes_and_labels(card)
    total = sum(map(len, labels.values()))
    arrays: dict[str, NDArray[Any]] = {}
    done = 0
    for part, classes in labels.items():
        side = int(card.shape["side"])
        images = np.empty((len(classes), side, side, CHANNELS), dtype=np.uint8)
        for start in range(0, len(classes), _CHUNK):
            chosen = classes[start : start + _CHUNK]
            images[start : start + _CHUNK] = _draw(generator, card, codes[chosen])
            done += len(chosen)
            report("drawing markers", done, total)
        arrays |= {f"{part}.images": images, f"{part}.labels": classes}
    return arrays


def labels(card: WorkloadCard) -> NDArray[np.uint16]:
    """Classes of the evaluation part, as `make` draws them, without the pictures."""
    return _codes_and_labels(card)[2]["eval"]


def codes(card: WorkloadCard) -> NDArray[np.bool_]:
    """Codes (classes, code, code): random, each pair apart in ``code_distance`` cells at least."""
    return _codes_and_labels(card)[1]


def _codes_and_labels(
    card: WorkloadCard,
) -> tuple[np.random.Generator, NDArray[np.bool_], dict[str, NDArray[np.uint16]]]:
    generator = np.random.Generator(np.random.PCG64(card.data_seed))
    classes, cells = int(card.shape["classes"]), int(card.shape["code"])
    kept = np.empty((0, cells, cells), dtype=np.bool_)
    while len(kept) < classes:
        drawn = generator.integers(0, 2, (cells, cells), dtype=np.uint8).astype(np.bool_)
        if ((kept != drawn).sum((1, 2)) >= card.shape["code_distance"]).all():
            kept = np.concatenate([kept, drawn[None]])
    sizes = {"train": card.training.train_samples, "eval": card.training.eval_samples}
    drawn_labels = {
        part: generator.integers(0, classes, size, dtype=np.uint16) for part, size in sizes.items()
    }
    return generator, kept, drawn_labels


def _draw(
    generator: np.random.Generator, card: WorkloadCard, codes: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Pictures (n, side, side, 3) of markers with ``codes`` (n, code, code)."""
    shape = {name: int(value) for name, value in card.shape.items()}
    n, side = len(codes), shape["side"]
    cell = generator.integers(shape["cell_least"], shape["cell_most"] + 1, n)
    corner = generator.integers(1, side - cell * (shape["code"] + 2), (2, n))
    marked = _marked(codes, cell, corner, side)
    ground = generator.integers(_DARKEST, _BRIGHTEST, (n, 1, 1, CHANNELS), dtype=np.int16)
    least, most = shape["contrast_least"], shape["contrast_most"]
    contrast = generator.integers(least, most + 1, (n, 1, 1, 1), dtype=np.int16)
    sign = 2 * generator.integers(0, 2, (n, 1, 1, 1), dtype=np.int16) - 1
    noise = generator.integers(
        -shape["noise"], shape["noise"] + 1, (n, side, side, CHANNELS), dtype=np.int16
    )
    values = ground + noise + marked[..., None] * (sign * contrast)
    return values.clip(0, 255).astype(np.uint8)


def _marked(
    codes: NDArray[np.bool_], cell: NDArray[np.int64], corner: NDArray[np.int64], side: int
) -> NDArray[np.bool_]:
    """Which pixels (n, side, side) of markers at ``corner`` (2, n: row, column) are marked."""
    framed = np.pad(codes, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    ground = np.pad(framed, ((0, 0), (1, 1), (1, 1)), constant_values=False)
    # Cells count from 1 within the marker; all that lies outside falls on the ground around it.
    places = (np.arange(side) - corner[..., None]) // cell[:, None] + 1  # (2, n, side)
    rows, columns = places.clip(0, ground.shape[1] - 1)
    found: NDArray[np.bool_] = ground[
        np.arange(len(codes))[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return found
