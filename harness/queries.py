"""The query log: one structured numpy array, a row a sample of a query, never pickled."""

import io

import numpy as np
from numpy.typing import NDArray

from harness.errors import LevelfieldError

QUERY_DTYPE = np.dtype(
    [
        ("query", "<u4"),  # number of the query that the sample belongs to
        ("sample", "<u4"),  # index into the data set
        ("scheduled", "<i8"),  # ns from the start of the run
        ("issued", "<i8"),
        ("first_token", "<i8"),  # NEVER where the workload generates nothing
        ("completed", "<i8"),  # NEVER where no answer came
        ("tokens", "<u4"),
        ("error", "<u2"),
    ]
)
"""Times are integer nanoseconds from the start of the run."""

NEVER = -1
OK = 0
RAISED = 1
"""Error code of a query whose system under test raised."""

QueryLog = NDArray[np.void]


def new_log(rows: int) -> QueryLog:
    """A log of ``rows`` samples that have not been answered."""
    log = np.zeros(rows, dtype=QUERY_DTYPE)
    log["first_token"] = NEVER
    log["completed"] = NEVER
    return log


def query_log_bytes(log: QueryLog) -> bytes:
    """The log as the bytes of a ``.npy`` file."""
    stream = io.BytesIO()
    np.save(stream, log, allow_pickle=False)
    return stream.getvalue()


def read_query_log(data: bytes, where: str) -> QueryLog:
    """Read ``.npy`` bytes; `LevelfieldError` unless they hold exactly one log of our type."""
    stream = io.BytesIO(data)
    try:
        log = np.load(stream, allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, MemoryError) as error:
        raise LevelfieldError(f"{where}: not a .npy array: {error}; pack the run again") from error
    if not isinstance(log, np.ndarray) or log.dtype != QUERY_DTYPE or log.ndim != 1:
        raise LevelfieldError(f"{where}: not a query log; expected one row type {QUERY_DTYPE}")
    if stream.tell() != len(data):
        raise LevelfieldError(f"{where}: bytes after the array; pack the run again")
    return log
