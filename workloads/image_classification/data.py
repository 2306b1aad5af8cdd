"""The digits, their fixed split and their checksum, and the quality of a set of answers.

No torch here: the rules recompute quality from answers with this file alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import WorkloadCard
from harness.errors import LevelfieldError

CLASSES = 10


@dataclass(frozen=True)
class Digits:
    """Images ``(n, 8, 8)`` with grey levels 0 to 16, labels ``(n,)``, in two halves."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    eval_images: NDArray[np.uint8]
    eval_labels: NDArray[np.uint8]


def load_digits() -> Digits:
    """Read the bundled data set and split it.

    Nothing is cached, so each timed training reads the data for itself.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    images = np.asarray(bunch.images).astype(np.uint8)  # whole numbers, stored as float64
    labels = np.asarray(bunch.target).astype(np.uint8)
    held_out = hold_out(labels)
    return Digits(images[~held_out], labels[~held_out], images[held_out], labels[held_out])


def checked(card: WorkloadCard) -> str:
    """The data's SHA-256; `LevelfieldError` unless it is the card's."""
    found = fingerprint(load_digits())
    if found != card.data_sha256:
        raise LevelfieldError(
            f"scikit-learn's digits: checksum {found[:12]}…, expected {card.data_sha256[:12]}…; "
            "reinstall scikit-learn"
        )
    return found


def hold_out(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A mask of the evaluation half: of each class, the half whose index hashes lowest.

    Hashing indices shuffles without a generator, whose stream might change between versions.
    Neighbouring images tend to share a writer; shuffled, both halves hold every writer.
    """
    held_out = np.zeros(len(labels), dtype=np.bool_)
    for digit in range(CLASSES):
        members = sorted(np.flatnonzero(labels == digit).tolist(), key=_index_hash)
        held_out[members[: len(members) // 2]] = True
    return held_out


def _index_hash(index: int) -> bytes:
    return hashlib.sha256(str(index).encode()).digest()


def fingerprint(digits: Digits) -> str:
    """SHA-256 over shapes and bytes of the four arrays, in the order of their fields."""
    total = hashlib.sha256()
    for array in (
        digits.train_images,
        digits.train_labels,
        digits.eval_images,
        digits.eval_labels,
    ):
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


@cache
def labels() -> tuple[int, ...]:
    """The right answers: the label of each evaluation sample, by sample index."""
    return tuple(load_digits().eval_labels.tolist())


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Share of evaluation samples answered rightly, 0 to 1.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every sample once and
    nothing else, and each answer is a whole number from 0 to 9.
    """
    samples = card.inference.samples
    for sample, answer in answers.items():
        _require_digit(sample, samples, answer)
    missing = samples - len(answers)
    if missing:
        raise LevelfieldError(
            f"answers: {missing} of {samples} samples are missing; run accuracy mode again"
        )
    right = [answers[sample] == label for sample, label in enumerate(labels())]
    return right.count(True) / samples


def _require_digit(sample: object, samples: int, answer: object) -> None:
    # Bounds before text: the text of a huge integer would raise, or fill a page.
    if type(sample) is not int or not 0 <= sample < samples:
        raise LevelfieldError(
            f"answers: a sample outside 0 to {samples - 1}; run accuracy mode again"
        )
    if type(answer) is not int:
        raise LevelfieldError(
            f"answers: sample {sample}: the answer is of type {type(answer).__name__}; "
            "answer with a whole number from 0 to 9"
        )
    if not 0 <= answer < CLASSES:
        raise LevelfieldError(
            f"answers: sample {sample}: the answer is out of range; "
            "answer with a whole number from 0 to 9"
        )
