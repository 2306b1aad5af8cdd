"""Pictures and labels at every scale, the digits' fixed split, the quality of a set of answers.

No torch here: the rules recompute quality from answers with this file alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import Scale, WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.answers import share_right
from workloads.data_set import DataSet
from workloads.image_classification import imagenet, markers

GREY_LEVELS = 16
DIGITS = 10


def data_set(card: WorkloadCard, folder: Path | None) -> DataSet:
    """The cached arrays of scale standard: pictures; of full: an index of those in ``folder``."""

    def make(card: WorkloadCard, report: Progress) -> Mapping[str, NDArray[Any]]:
        if folder is None:
            return markers.make(card, report)
        return imagenet.index(card, folder, report)

    return DataSet(card, make)


@dataclass(frozen=True)
class Digits:
    """Images ``(n, 8, 8)`` with grey levels 0 to 16, labels ``(n,)``, in two halves."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    eval_images: NDArray[np.uint8]
    eval_labels: NDArray[np.uint8]


def load_digits() -> Digits:
    """Read the data set that scikit-learn carries, and split it.

    Nothing is cached, so each timed training reads the data for itself. scikit-learn itself is not
    imported: that would take 100 MB and a second wherever answers are judged.
    """
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise LevelfieldError("scikit-learn: not installed; install Levelfield again")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    rows = np.loadtxt(path, dtype=np.uint8, delimiter=",")
    images, labels = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1]
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
    for digit in range(DIGITS):
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


def enlarged(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey levels (n, h, w) as what the network takes: (n, 2 h, 2 w), values 0 to 1.

    Bilinear: each new pixel has three quarters of its own old one and a quarter of the nearest
    other, along each axis; exact, as all are multiples of 1/256.
    """
    grey = images.astype(np.float32) / np.float32(GREY_LEVELS)
    for axis in (1, 2):
        padded = np.pad(grey, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        size = grey.shape[axis]
        near = [np.take(padded, np.arange(size) + start, axis) for start in (0, 2)]
        pairs = np.stack([(3 * grey + other) / 4 for other in near], axis + 1)
        shape = [2 * n if a == axis else n for a, n in enumerate(grey.shape)]
        grey = pairs.reshape(shape)
    return grey


@cache
def labels() -> tuple[int, ...]:
    """The right answers at scale mini: each evaluation sample's label, by sample index."""
    return tuple(load_digits().eval_labels.tolist())


def right_answers(card: WorkloadCard) -> tuple[int, ...]:
    """The right answers at the card's scale, by sample index.

    At scale full they are in the index that a run on this machine has made of the user's data;
    `LevelfieldError` where there is none.
    """
    if card.scale == Scale.MINI:
        return labels()
    if card.scale == Scale.STANDARD:
        return tuple(markers.labels(card).tolist())
    return tuple(data_set(card, None).part("eval")["labels"].tolist())


def quality(card: WorkloadCard, answers: Mapping[int, Any]) -> float:
    """Share of evaluation samples answered rightly, 0 to 1.

    ``answers`` may come from anybody. `LevelfieldError` unless it holds every sample once and
    nothing else, and each answer is the number of a class.
    """
    return share_right(answers, right_answers(card), int(card.shape["classes"]))
