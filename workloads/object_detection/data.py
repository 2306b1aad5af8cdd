"""Generated scenes: noisy grey images of shapes that never touch, and the boxes around them.

No torch here: the rules recompute quality from answers with this file and `scoring` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.workload import Progress
from workloads.data_set import DataSet
from workloads.object_detection.scoring import detections_of, mean_average_precision

KINDS = ("rectangle", "ellipse", "triangle", "diamond")
NOTHING = -1
"""In place of a kind: the scene has fewer objects than places for them."""

_BLOCK = 1024
"""Scenes drawn at a time: part of the generator, since it orders the random draws."""
_TRIES = 8
"""Places and sizes that are drawn for an object before it is given up."""

Int = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """Which pixels shapes cover: in row y those from ``left[…, y]`` to before ``right[…, y]``.

    An empty row has a left beyond every right, so that comparisons need no special case.
    """

    left: Int
    right: Int

    def grown(self) -> "Spans":
        """At least the pixels that touch the shape, by an edge or a corner, and its own."""
        left, right = self.left, self.right
        above = ((0, 0),) * (left.ndim - 1) + ((1, 1),)
        left = np.pad(left, above, constant_values=left.max(initial=1))
        right = np.pad(right, above, constant_values=right.min(initial=-1))
        return Spans(
            np.minimum(np.minimum(left[..., :-2], left[..., 1:-1]), left[..., 2:]) - 1,
            np.maximum(np.maximum(right[..., :-2], right[..., 1:-1]), right[..., 2:]) + 1,
        )

    def meet(self, other: "Spans") -> NDArray[np.bool_]:
        """Whether they share a pixel."""
        shared = (self.left < other.right) & (other.left < self.right)
        return np.asarray(shared.any(-1))


def make(card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """Both parts of the data set; ``report`` is told of scenes drawn.

    For each of ``train`` and ``eval``: ``images`` (n, side, side) uint8; ``boxes``
    (n, objects, 4) int16, the columns x0, y0, x1, y1 in pixels, the last two exclusive; ``kinds``
    (n, objects) int8, indices into `KINDS`, or `NOTHING`. All draws are of whole numbers.
    """
    shape = {name: int(value) for name, value in card.shape.items()}
    rng = np.random.Generator(np.random.PCG64(card.data_seed))
    sizes = {"train": card.training.train_samples, "eval": card.training.eval_samples}
    arrays: dict[str, NDArray[Any]] = {}
    done = 0
    for part, count in sizes.items():
        images = np.empty((count, shape["side"], shape["side"]), dtype=np.uint8)
        boxes = np.zeros((count, shape["objects"], 4), dtype=np.int16)
        kinds = np.empty((count, shape["objects"]), dtype=np.int8)
        for start in range(0, count, _BLOCK):
            block = slice(start, min(start + _BLOCK, count))
            kinds[block], boxes[block], spans = _objects(rng, shape, block.stop - start)
            images[block] = _painted(rng, shape, spans)
            done += block.stop - start
            report("scenes", done, sum(sizes.values()))
        arrays |= {f"{part}.images": images, f"{part}.boxes": boxes, f"{part}.kinds": kinds}
    return arrays


def optimum(card: WorkloadCard) -> float:  # noqa: ARG001
    """The best mean average precision: 1, exactly.

    From the ground's level a pixel of the ground differs by the noise at most, and a pixel of a
    shape by ``contrast_least`` less the noise at least; ``contrast_least`` is more than twice the
    noise. So half of it tells them apart without error, and as no two shapes touch, each connected
    region is one whole shape: its extent is its box, and its pixels are those of one kind alone.
    A test does just this.
    """
    return 1.0


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Mean average precision at an IoU of 0.5 over the evaluation scenes, 0 to 1.

    ``answers`` may come from anybody: each is a list of at most ``detections`` detections, a
    detection [kind, score, x0, y0, x1, y1]. `LevelfieldError` where that does not hold, or unless
    every scene is answered once.
    """
    side, most = int(card.shape["side"]), int(card.shape["detections"])
    found = detections_of(answers, card.inference.samples, most, len(KINDS), side)
    data = DataSet(card, make)
    data.prepare(lambda *_: None)
    truth = data.part("eval")
    return mean_average_precision(found, truth["kinds"], truth["boxes"], len(KINDS))


def spans_of(kinds: Int, boxes: Int, side: int) -> Spans:
    """The pixels of shapes of ``kinds`` (…) that just fill ``boxes`` (…, 4).

    Every shape is symmetric to its vertical axis, so a row is described by its width.
    """
    x0, y0, x1, y1 = (boxes[..., column, None] for column in range(4))
    width, height = x1 - x0, y1 - y0
    row = np.arange(side) - y0
    inside = (row >= 0) & (row < height)
    away = np.abs(2 * row + 1 - height)  # from the middle, in half pixels
    tall = np.maximum(height, 1)
    round_ = np.sqrt(np.maximum(0, width**2 * (height**2 - away**2))).astype(np.int64) // tall
    widths = np.select(
        [kinds[..., None] == kind for kind in range(len(KINDS))],
        [
            np.broadcast_to(width, row.shape),
            round_,
            width * (row + 1) // tall,
            width * (height - away + 1 - height % 2) // tall,
        ],
        0,
    )
    inset = (width - np.maximum(widths, 1)) // 2
    return Spans(np.where(inside, x0 + inset, side), np.where(inside, x1 - inset, 0))


def _objects(
    rng: np.random.Generator, shape: Mapping[str, int], count: int
) -> tuple[Int, Int, Spans]:
    """Kinds (count, objects), boxes (count, objects, 4) and spans of ``count`` scenes.

    An object that has found no room after `_TRIES` draws is left out of its scene.
    """
    side, most = shape["side"], shape["objects"]
    wanted = rng.integers(1, most + 1, count)
    drawn = rng.integers(0, len(KINDS), (count, most))
    kinds = np.full((count, most), NOTHING)
    boxes = np.zeros((count, most, 4), dtype=np.int64)
    spans = Spans(*(np.full((count, most, side), edge) for edge in (side, 0)))
    for place in range(most):
        for _ in range(_TRIES):
            size = rng.integers(shape["size_least"], shape["size_most"] + 1, (count, 2))
            corner = rng.integers(0, side - size + 1)
            box = np.concatenate([corner, corner + size], 1)
            new = spans_of(drawn[:, place], box, side)
            around = new.grown()
            free = ~spans.meet(Spans(around.left[:, None], around.right[:, None])).any(1)
            chosen = free & (place < wanted) & (kinds[:, place] == NOTHING)
            kinds[chosen, place] = drawn[chosen, place]
            boxes[chosen, place] = box[chosen]
            spans.left[chosen, place] = new.left[chosen]
            spans.right[chosen, place] = new.right[chosen]
    return kinds, boxes, spans


def _painted(rng: np.random.Generator, shape: Mapping[str, int], spans: Spans) -> NDArray[np.uint8]:
    """Images (n, side, side): a grey ground, lighter and darker shapes, noise over all."""
    count, most, side = spans.left.shape
    noise, strongest = shape["noise"], shape["contrast_most"]
    reach = strongest + noise
    ground = rng.integers(reach, 256 - reach, (count, 1))
    contrast = rng.integers(shape["contrast_least"], strongest + 1, (count, most))
    lighter = rng.integers(0, 2, (count, most)) == 1
    grey = ground + np.where(lighter, contrast, -contrast)
    clean = np.repeat((ground - noise).astype(np.uint8), side * side).reshape(count, side, side)
    columns = np.arange(side)
    for place in range(most):
        left, right = spans.left[:, place, :, None], spans.right[:, place, :, None]
        covered = (columns >= left) & (columns < right)
        level = (grey[:, place] - noise).astype(np.uint8)
        clean = np.where(covered, level[:, None, None], clean)
    speckle = rng.integers(0, 2 * noise + 1, clean.shape, dtype=np.uint8)
    return clean + speckle
