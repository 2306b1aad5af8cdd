"""Mean average precision of detections, and the strict reading of answers. No torch here."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import LevelfieldError

IOU_LEAST = 0.5
"""The overlap, intersection over union, from which a detection has found an object."""
FIELDS = 6
"""Of a detection: kind, score, x0, y0, x1, y1."""
_RECALLS = 101


def mean_average_precision(
    found: NDArray[np.float64], kinds: NDArray[Any], boxes: NDArray[Any], classes: int
) -> float:
    """Mean over kinds of the average precision at an IoU of `IOU_LEAST`, 0 to 1.

    ``found`` (n, detections, 6) has rows kind, score, x0, y0, x1, y1; a negative kind is no
    detection. ``kinds`` (n, objects) and ``boxes`` (n, objects, 4) are the truth; a negative kind
    is no object. Kinds that are nowhere in the truth do not count; the truth may not be empty.

    As COCO's evaluation does (cocodataset/cocoapi, ``cocoeval.py``): within an image, detections
    in order of falling score each take the free object of their kind that they overlap most; then
    precision, made never to rise as recall falls, is averaged over 101 recalls from 0 to 1.
    Detections with the same score keep the order of their images, and theirs within an image.
    """
    order = np.argsort(-found[..., 1], axis=1, kind="stable")
    found = np.take_along_axis(found, order[..., None], axis=1)
    hits = _hits(found, kinds, boxes)
    precisions = []
    for kind in range(classes):
        objects = int((kinds == kind).sum())
        if objects:
            mine = found[..., 0] == kind
            ranked = np.argsort(-found[..., 1][mine], kind="stable")
            precisions.append(average_precision(hits[mine][ranked], objects))
    return float(np.mean(precisions))


def average_precision(hits: NDArray[np.bool_], objects: int) -> float:
    """Precision averaged over 101 recalls, 0 to 1.

    ``hits`` (n,) says of each detection, best score first, whether it took one of ``objects``.
    Whether a recall is reached is settled in whole numbers, so that no rounding decides.
    """
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    needed = np.arange(_RECALLS) * objects
    return float(best[np.searchsorted(right * (_RECALLS - 1), needed, side="left")].mean())


def _hits(
    found: NDArray[np.float64], kinds: NDArray[Any], boxes: NDArray[Any]
) -> NDArray[np.bool_]:
    """Which detections (n, detections), sorted by score, take an object."""
    hits = np.zeros(found.shape[:2], dtype=np.bool_)
    free = kinds >= 0
    images = np.arange(len(found))
    for rank in range(found.shape[1]):
        overlap = _overlap(found[:, rank, 2:], boxes)
        overlap[~free | (kinds != found[:, rank, :1])] = 0.0
        best = overlap.argmax(1)
        hits[:, rank] = overlap[images, best] >= IOU_LEAST
        free[images, best] &= ~hits[:, rank]
    return hits


def _overlap(one: NDArray[np.float64], many: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union (n, m) of a box (n, 4) with each of (n, m, 4)."""
    corner = np.maximum(one[:, None, :2], many[..., :2])
    shared = np.prod(np.maximum(0, np.minimum(one[:, None, 2:], many[..., 2:]) - corner), axis=-1)
    area = np.prod(one[:, 2:] - one[:, :2], axis=-1)[:, None]
    total = area + np.prod(many[..., 2:] - many[..., :2], axis=-1, dtype=np.float64) - shared
    overlap: NDArray[np.float64] = shared / np.maximum(total, np.finfo(np.float64).tiny)
    return overlap


def detections_of(
    answers: Mapping[int, Any], samples: int, most: int, classes: int, side: int
) -> NDArray[np.float64]:
    """Answers by sample as one array (samples, most, 6), padded with rows of kind -1.

    `LevelfieldError` unless every sample is there once, with at most ``most`` detections, each of
    a whole kind from 0 to before ``classes``, a score from 0 to 1 and a box of corners in order
    within the image of ``side`` pixels.
    """
    found = np.full((samples, most, FIELDS), -1.0)
    for sample, answer in answers.items():
        # Bounds before text: the text of a huge integer would raise, or fill a page.
        if type(sample) is not int or not 0 <= sample < samples:
            raise LevelfieldError(
                f"answers: a sample outside 0 to {samples - 1}; run accuracy mode again"
            )
        where = f"answers: sample {sample}"
        if type(answer) is not list:
            raise LevelfieldError(
                f"{where}: the answer is of type {type(answer).__name__}; "
                "answer with a list of detections"
            )
        if len(answer) > most:
            raise LevelfieldError(f"{where}: {len(answer)} detections; give at most {most}")
        for row, detection in enumerate(answer):
            _require_detection(f"{where}, detection {row}", detection, classes, side)
            found[sample, row] = detection
    missing = samples - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {samples} samples are missing; run accuracy mode again"
        )
    return found


def _require_detection(where: str, detection: object, classes: int, side: int) -> None:
    if type(detection) is not list or len(detection) != FIELDS:
        raise LevelfieldError(
            f"{where}: not a list of {FIELDS}; give [kind, score, x0, y0, x1, y1]"
        )
    kind, score, x0, y0, x1, y1 = detection
    if type(kind) is not int or not 0 <= kind < classes:
        raise LevelfieldError(f"{where}: its kind is not a whole number from 0 to {classes - 1}")
    if not all(type(value) in (int, float) for value in detection):
        raise LevelfieldError(f"{where}: a value that is not a number; give numbers")
    if not 0 <= score <= 1:
        raise LevelfieldError(f"{where}: its score is not from 0 to 1; give one that is")
    if not (0 <= x0 <= x1 <= side and 0 <= y0 <= y1 <= side):
        raise LevelfieldError(
            f"{where}: its corners are out of order, or outside the image; "
            f"give 0 <= x0 <= x1 <= {side}, and y likewise"
        )
