"""Generated data sets: made once, kept as plain arrays in a cache, checked before every run."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cache import cache_folder
from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress

Arrays = Mapping[str, NDArray[Any]]
Maker = Callable[[WorkloadCard, Progress], Arrays]

_BLOCK = 1 << 24


class DataSet:
    """The arrays of a workload at one scale, named ``part.array``, one ``.npy`` file each.

    ``make`` generates them from the card's seed and shape alone. What is in the cache is used only
    while its SHA-256 is the card's.
    """

    def __init__(self, card: WorkloadCard, make: Maker) -> None:
        self._card = card
        self._make = make
        # A folder for each version and checksum, so that a change never meets older data.
        key = card.data_sha256[:12] or f"seed{card.data_seed}-{_shape_key(card)}"
        self.folder = cache_folder() / f"{card.name}-{key}"

    def prepare(self, report: Progress) -> str:
        """Make the arrays unless they are there, check them, return their SHA-256.

        `LevelfieldError` where it is not the card's; nothing is ever used or replaced then.
        """
        fresh = not self.folder.exists()
        if fresh:
            self._generate(report)
        found = fingerprint(self._read(""))
        expected = self._card.data_sha256
        if expected and found != expected:
            what = (
                "the generator made other data than the card's; check NumPy's version"
                if fresh
                else "the data were changed; delete the folder, and they are made again"
            )
            raise LevelfieldError(
                f"{self.folder}: checksum {found[:12]}…, expected {expected[:12]}…: {what}"
            )
        return found

    def part(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays of one part, such as ``train``, mapped into memory, by name.

        `LevelfieldError` where the data set has not been prepared.
        """
        return self._read(f"{name}.")

    def _read(self, prefix: str) -> dict[str, NDArray[Any]]:
        paths = sorted(self.folder.glob(f"{prefix}*.npy"))
        if not paths:
            raise LevelfieldError(
                f"{self.folder}: holds no {prefix}*.npy; "
                "run the workload, or delete the folder, and the data are made"
            )
        try:
            return {
                path.name.removeprefix(prefix).removesuffix(".npy"): np.load(
                    path, mmap_mode="r", allow_pickle=False
                )
                for path in paths
            }
        except (OSError, ValueError) as error:
            raise LevelfieldError(
                f"{self.folder}: an array cannot be read: {error}; delete the folder"
            ) from error

    def _generate(self, report: Progress) -> None:
        """Write all arrays beside their place and move them there whole."""
        arrays = self._make(self._card, report)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=f".{self.folder.name}-"))
        try:
            for name, array in arrays.items():
                np.save(new / f"{name}.npy", array, allow_pickle=False)
            if not self.folder.exists():  # another process may have been faster
                new.rename(self.folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def fingerprint(arrays: Arrays) -> str:
    """SHA-256 over names, types, shapes and bytes of ``arrays``, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}\0{array.dtype.str}{array.shape}\0".encode())
        flat = array.reshape(-1).view(np.uint8)
        for start in range(0, len(flat), _BLOCK):
            total.update(flat[start : start + _BLOCK].data)
    return total.hexdigest()


def _shape_key(card: WorkloadCard) -> str:
    facts = f"{card.version} {sorted(card.shape.items())} {card.training.train_samples}"
    return hashlib.sha256(f"{facts} {card.training.eval_samples}".encode()).hexdigest()[:12]
