"""The query sample library of a workload whose samples are rows of arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.card import InferenceFacts
from harness.errors import LevelfieldError

Rows = NDArray[Any] | dict[str, NDArray[Any]]
"""One array, or several by name; the first axis counts samples."""


class Library:
    """Samples by index; see `harness.workload.QuerySampleLibrary`."""

    def __init__(self, facts: InferenceFacts, stored: Rows) -> None:
        """Keep a reference to ``stored``, mapped arrays for instance; `load` brings rows in."""
        self._facts = facts
        self._one = not isinstance(stored, dict)
        self._stored = stored if isinstance(stored, dict) else {"": stored}
        self._rows = {name: np.zeros(a.shape, a.dtype) for name, a in self._stored.items()}
        self._loaded = np.zeros(facts.samples, dtype=np.bool_)

    @property
    def total_samples(self) -> int:
        """Samples in the data set."""
        return self._facts.samples

    @property
    def performance_samples(self) -> int:
        """Samples that performance mode holds in memory."""
        return self._facts.performance_samples

    def load(self, indices: Sequence[int]) -> None:
        """Bring samples to memory."""
        chosen = np.asarray(indices, dtype=np.int64)
        for name, rows in self._rows.items():
            rows[chosen] = self._stored[name][chosen]
        self._loaded[chosen] = True

    def unload(self, indices: Sequence[int]) -> None:
        """Release what `load` brought."""
        self._loaded[np.asarray(indices, dtype=np.int64)] = False

    def get(self, indices: NDArray[np.int64]) -> Any:
        """The rows of ``indices``; `LevelfieldError` if a sample is not loaded."""
        if not self._loaded[indices].all():
            missing = indices[~self._loaded[indices]][0]
            raise LevelfieldError(f"sample {missing}: not loaded; load it before the query")
        found = {name: rows[indices] for name, rows in self._rows.items()}
        return found[""] if self._one else found
