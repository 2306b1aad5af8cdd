"""Books of a running inference: one row a sample, filled in as queries are issued and answered."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.clock import Clock
from harness.queries import NEVER, OK, RAISED, QueryLog, new_log

_FIRST_ROWS = 4096


class IssuedQuery:
    """A query on its way; see `harness.sut.Query`."""

    __slots__ = ("_first_row", "_tracker", "samples")

    def __init__(self, tracker: "Tracker", first_row: int, samples: NDArray[np.int64]) -> None:
        self._tracker = tracker
        self._first_row = first_row
        self.samples = samples

    def complete(self, answers: Sequence[Any], start: int = 0) -> None:
        """See `harness.sut.Query`."""
        self._tracker.close_rows(self._rows(start, len(answers)), OK, answers)

    def fail(self, reason: str, start: int = 0, count: int | None = None) -> None:
        """See `harness.sut.Query`."""
        rows = self._rows(start, len(self.samples) - start if count is None else count)
        self._tracker.failures.append((rows[0], reason))
        self._tracker.close_rows(rows, RAISED, None)

    @property
    def rows(self) -> tuple[int, int]:
        """The query's rows ``[first, end)`` in the log."""
        return self._first_row, self._first_row + len(self.samples)

    def _rows(self, start: int, count: int) -> tuple[int, int]:
        if count < 1 or start < 0 or start + count > len(self.samples):
            raise ValueError(
                f"samples {start} to {start + count} of a query of {len(self.samples)}"
            )
        return self._first_row + start, self._first_row + start + count


class Tracker:
    """Times are nanoseconds from the tracker's making, the start of the run."""

    def __init__(self, clock: Clock, *, keep_answers: bool) -> None:
        self._clock = clock
        self._log = new_log(_FIRST_ROWS)
        self._rows = 0
        self._open_rows = 0
        self._lock = threading.Lock()
        self._all_closed = threading.Event()
        self._keep_answers = keep_answers
        self.queries = 0
        self.last_issued_ns = 0
        self.answers: dict[int, Any] = {}
        self.failures: list[tuple[int, str]] = []
        """First row and reason of each failed part of a query."""
        self._zero_ns = clock.now_ns()

    @property
    def log(self) -> QueryLog:
        """The rows issued so far."""
        return self._log[: self._rows]

    def issue(self, samples: NDArray[np.int64]) -> IssuedQuery:
        """Enter a query of ``samples`` as due and issued now."""
        first, end = self._rows, self._rows + len(samples)
        self._reserve(end)
        rows = self._log[first:end]
        rows["query"] = self.queries
        rows["sample"] = samples
        self._rows = end
        self._open_rows = len(samples)
        self._all_closed.clear()
        self.queries += 1
        query = IssuedQuery(self, first, samples)
        self.last_issued_ns = self._clock.now_ns() - self._zero_ns
        rows["scheduled"] = rows["issued"] = self.last_issued_ns
        return query

    def close_rows(self, rows: tuple[int, int], error: int, answers: Sequence[Any] | None) -> None:
        """Enter the end of rows ``[first, end)``; `ValueError` if one has ended before."""
        now_ns = self._clock.now_ns() - self._zero_ns
        first, end = rows
        with self._lock:
            part = self._log[first:end]
            if (part["completed"] != NEVER).any():
                raise ValueError(f"rows {first} to {end} were completed before")
            part["completed"] = now_ns
            part["error"] = error
            if self._keep_answers and answers is not None:
                self._answers(first, answers)
            self._open_rows -= end - first
            if not self._open_rows:
                self._all_closed.set()

    def fail_open(self, query: IssuedQuery, reason: str) -> None:
        """Fail every sample of ``query`` that has not ended: its system raised."""
        first, end = query.rows
        still_open = np.flatnonzero(self._log["completed"][first:end] == NEVER)
        for offset in still_open:
            query.fail(reason, int(offset), 1)

    def wait(self) -> None:
        """Return when every issued sample has ended."""
        self._all_closed.wait()

    def _answers(self, first: int, answers: Sequence[Any]) -> None:
        for offset, answer in enumerate(answers):
            self.answers[first + offset] = answer

    def _reserve(self, rows: int) -> None:
        if rows > len(self._log):
            grown = new_log(max(rows, 2 * len(self._log)))
            grown[: self._rows] = self._log[: self._rows]
            self._log = grown
