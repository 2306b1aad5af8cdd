"""Which sample each row of a performance run visits."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.records import Audit, InferenceSettings, Scenario
from harness.scenarios import sample_order, stream_order

_FIRST_DRAW = 1 << 16


class Visits:
    """The sample indices of a performance run, drawn ahead as far as they are asked for."""

    def __init__(
        self,
        scenario: Scenario,
        settings: InferenceSettings,
        audit: Audit | None,
        seeds: Mapping[str, int],
        loaded: NDArray[np.int64],
    ) -> None:
        self._scenario = scenario
        self._settings = settings
        self._audit = audit
        self._seeds = seeds
        self._loaded = loaded
        self._drawn = self._draw(_FIRST_DRAW)

    def rows(self, first: int, end: int) -> NDArray[np.int64]:
        """Indices into the data set of rows ``[first, end)``."""
        if end > len(self._drawn):
            self._drawn = self._draw(max(end, 2 * len(self._drawn)))
        return self._drawn[first:end]

    def _draw(self, rows: int) -> NDArray[np.int64]:
        count = len(self._loaded)
        if self._audit == Audit.REPEATED_SAMPLE:
            return np.full(rows, self._loaded[self._seeds["audit"] % count], dtype=np.int64)
        if self._scenario == Scenario.MULTI_STREAM:
            size = self._settings.samples_per_query
            return self._loaded[stream_order(self._seeds["order"], rows, size, count)]
        return self._loaded[sample_order(self._seeds["order"], rows, count)]
