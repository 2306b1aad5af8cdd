"""Books of a running inference: a row a sample, filled in as queries are issued and answered.

The columns are plain arrays with a memoryview on each: writing one number through a memoryview
takes a third of the time of writing it through numpy, and single queries write one at a time.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.clock import Clock
from harness.gate import new_gate
from harness.queries import DOUBLED, LOST, NEVER, OK, RAISED, QueryLog, from_columns

_FIRST_ROWS = 65_536

KeepAnswer = Callable[[int], bool]
"""Whether the answer of a row is to be kept."""


class IssuedQueries:
    """Queries on their way, due together; see `harness.sut.Queries`."""

    __slots__ = ("_first", "_samples", "_size", "_tracker")

    def __init__(
        self, tracker: "Tracker", first: int, size: int, samples: NDArray[np.int64] | None = None
    ) -> None:
        self._tracker = tracker
        self._first = first
        self._size = size
        self._samples = samples

    @property
    def samples(self) -> NDArray[np.int64]:
        """See `harness.sut.Queries`. Cut from the plan only when it is asked for."""
        if self._samples is None:
            self._samples = self._tracker.planned[self._first : self._first + self._size]
        return self._samples

    @property
    def wanted(self) -> bool:
        """See `harness.sut.Queries`."""
        return not self._tracker.closed

    def first_token(self, start: int = 0, count: int | None = None) -> None:
        """See `harness.sut.Queries`."""
        now_ns = self._tracker.now_ns()
        first, end = self._rows(start, self._size - start if count is None else count)
        self._tracker.column("first_token")[first:end] = now_ns

    def complete(
        self,
        answers: Sequence[Any] | None = None,
        start: int = 0,
        tokens: Sequence[int] | None = None,
    ) -> None:
        """See `harness.sut.Queries`."""
        tracker = self._tracker
        plain = self._size == 1 and not start and tokens is None and not tracker.keeps
        if plain and (answers is None or len(answers) == 1):
            tracker.close_row(self._first)
            return
        now_ns = tracker.now_ns()
        count = self._size - start if answers is None else len(answers)
        first, end = self._rows(start, count)
        if tokens is not None:
            self._tracker.column("tokens")[first:end] = tokens
        self._tracker.close_rows(first, end, now_ns, OK, answers)

    def fail(self, reason: str, start: int = 0, count: int | None = None) -> None:
        """See `harness.sut.Queries`."""
        now_ns = self._tracker.now_ns()
        first, end = self._rows(start, self._size - start if count is None else count)
        self._tracker.failures.append((first, reason))
        self._tracker.close_rows(first, end, now_ns, RAISED, None)

    def _rows(self, start: int, count: int) -> tuple[int, int]:
        if count < 1 or start < 0 or start + count > self._size:
            raise ValueError(f"samples {start} to {start + count} of {self._size} that were issued")
        return self._first + start, self._first + start + count


class Tracker:
    """Times are nanoseconds from the tracker's making, the start of the run."""

    def __init__(
        self, clock: Clock, rows: int = _FIRST_ROWS, keep: KeepAnswer | None = None
    ) -> None:
        self._now = clock.now_ns
        self._keep = keep
        self.keeps = keep is not None
        """Whether any answer is kept."""
        self._columns: dict[str, NDArray[Any]] = {
            "query": np.zeros(rows, np.uint32),
            "sample": np.zeros(rows, np.uint32),
            "scheduled": np.zeros(rows, np.int64),
            "issued": np.zeros(rows, np.int64),
            "completed": np.full(rows, NEVER, np.int64),
            "error": np.zeros(rows, np.uint16),
        }
        self._view_columns()
        self._lock = threading.Lock()
        self._gate = new_gate()
        self._waiting = False
        self.rows = 0
        self._ended = 0
        self.queries = 0
        self.last_issued_ns = 0
        self.closed = False
        self.answers: dict[int, Any] = {}
        """By row."""
        self.failures: list[tuple[int, str]] = []
        """First row and reason of each failed part of a query."""
        self._last_first = 0
        self.planned = np.empty(0, np.int64)
        """The sample of each row of an open loop."""
        self._zero_ns = self._now()

    def now_ns(self) -> int:
        """Nanoseconds since the start."""
        return self._now() - self._zero_ns

    def start_in(self, delay_ns: int) -> None:
        """Put the start ``delay_ns`` from now."""
        self._zero_ns = self._now() + delay_ns

    @property
    def open(self) -> int:
        """Samples issued and not yet ended."""
        return self.rows - self._ended

    def column(self, name: str) -> NDArray[Any]:
        """The column ``name``; those that only generating workloads fill are made on first use."""
        with self._lock:
            if name not in self._columns:
                rows = len(self._columns["sample"])
                empty = np.full(rows, NEVER, np.int64) if name == "first_token" else None
                self._columns[name] = np.zeros(rows, np.uint32) if empty is None else empty
            return self._columns[name]

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns, with room beyond `rows`."""
        return self._columns

    @property
    def log(self) -> QueryLog:
        """The rows issued so far, as a copy."""
        return from_columns(self._columns, 0, self.rows)

    def enter(self, samples: NDArray[np.int64]) -> IssuedQueries:
        """Enter one query of ``samples``, issued now, when nothing else is open (closed loop).

        As little as possible is done here, where it would delay the next query: `settle_closed`
        fills in what follows from the order.
        """
        first = self.rows
        size = len(samples)
        if first + size > self._capacity:
            self._grow(first + size)
        self.rows = first + size
        self._last_first = first
        queries = IssuedQueries(self, first, size, samples)
        if size == 1:
            self._query[first] = self.queries
            self.queries += 1
            self.last_issued_ns = now_ns = self._now() - self._zero_ns
            self._issued[first] = now_ns
        else:
            self._columns["query"][first : self.rows] = self.queries
            self.queries += 1
            self.last_issued_ns = now_ns = self._now() - self._zero_ns
            self._columns["issued"][first : self.rows] = now_ns
        return queries

    def settle_closed(self, samples: NDArray[np.int64]) -> None:
        """Fill in the samples of all rows of a closed loop; each was due when it was issued."""
        self._columns["sample"][: self.rows] = samples
        self._columns["scheduled"][: self.rows] = self._columns["issued"][: self.rows]

    def plan(self, due: NDArray[np.int64], samples: NDArray[np.int64]) -> None:
        """Enter an open loop's queries, a sample each, before they are issued."""
        count = len(due)
        self._grow(count)
        self._columns["query"][:count] = np.arange(count, dtype=np.uint32)
        self._columns["sample"][:count] = samples
        self.planned = samples
        self._columns["scheduled"][:count] = due

    def issue_until(self, end: int, now_ns: int) -> IssuedQueries:
        """Mark the planned rows up to ``end`` as issued at ``now_ns``."""
        first = self.rows
        if end - first == 1:
            self._issued[first] = now_ns
        else:
            self._columns["issued"][first:end] = now_ns
        self.rows = self.queries = end
        self.last_issued_ns = now_ns
        self._last_first = first
        return IssuedQueries(self, first, end - first)

    def close_row(self, row: int) -> None:
        """Enter the end of one row, now, well: the way of most queries, in one step."""
        now_ns = self._now() - self._zero_ns
        with self._lock:
            ended = self.closed or self._completed[row] != NEVER
            if not ended:
                self._completed[row] = now_ns
                self._ended += 1
        if ended:
            self._refuse(row, row + 1)
        if self._waiting:
            self._wake()

    def close_rows(
        self, first: int, end: int, now_ns: int, error: int, answers: Sequence[Any] | None
    ) -> None:
        """Enter the end of rows ``[first, end)``; `ValueError` if one has ended before."""
        completed = self._columns["completed"][first:end]
        with self._lock:
            ended = self.closed or completed.max() != NEVER
            if not ended:
                completed[:] = now_ns
                if error != OK:
                    self._columns["error"][first:end] = error
                if self._keep is not None and answers is not None:
                    self._keep_answers(first, answers)
                self._ended += end - first
        if ended:
            self._refuse(first, end)
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        """Wake the waiting thread; not under the lock, which it would run into."""
        if self.rows == self._ended:
            self._waiting = False
            self._gate.open()

    def wait(self, timeout_ns: int) -> bool:
        """Return when every issued sample has ended; false if none ended for ``timeout_ns``."""
        while self.rows != self._ended:
            before = self._ended
            self._waiting = True
            if self.rows == self._ended:  # ended before it could see that we wait
                break
            if not self._gate.wait(timeout_ns / 1e9) and self._ended == before:
                return False
        self._waiting = False
        return True

    def fail_last(self, reason: str) -> None:
        """Fail the samples of the last issue: its system raised, whatever it had completed."""
        first, end = self._last_first, self.rows
        with self._lock:
            never = self._columns["completed"][first:end] == NEVER
            self._columns["completed"][first:end][never] = self.now_ns()
            self._columns["error"][first:end] = RAISED
            self._ended += int(never.sum())
            self.failures.append((first, reason))

    def close(self) -> None:
        """End the run: what is still open is lost, and later completions are refused."""
        self.closed = True
        with self._lock:
            completed = self._columns["completed"][: self.rows]
            lost = np.flatnonzero(completed == NEVER)
            self._columns["error"][lost] = LOST
            self.failures += [(int(row), "no answer in time") for row in lost[:1]]

    def __del__(self) -> None:
        self._gate.close()

    def _refuse(self, first: int, end: int) -> None:
        """A second or a late end: it counts as an error of the row, and the caller is told."""
        query = int(self._columns["query"][first])
        if self.closed:
            raise ValueError(f"query {query}: the answer came after the run had ended")
        with self._lock:
            ended = self._columns["completed"][first:end] != NEVER
            self._columns["error"][first:end][ended] = DOUBLED
            self.failures.append((first, f"query {query} was completed more than once"))
        raise ValueError(f"query {query}: was completed before")

    def _keep_answers(self, first: int, answers: Sequence[Any]) -> None:
        assert self._keep is not None
        for row, answer in enumerate(answers, first):
            if self._keep(row):
                self.answers[row] = answer

    def _grow(self, rows: int) -> None:
        with self._lock:
            for name, column in self._columns.items():
                if rows > len(column):
                    grown = np.zeros(
                        max(rows, 2 * len(column) if self.rows else rows), column.dtype
                    )
                    grown[: self.rows] = column[: self.rows]
                    if name in ("completed", "first_token"):
                        grown[self.rows :] = NEVER
                    self._columns[name] = grown
            self._view_columns()

    def _view_columns(self) -> None:
        self._capacity = len(self._columns["sample"])
        self._query = self._columns["query"].data
        self._issued = self._columns["issued"].data
        self._completed = self._columns["completed"].data
