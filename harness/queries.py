"""The query log: one structured numpy array, a row a sample of a query, never pickled."""

import io
from collections.abc import Mapping
from typing import IO

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
"""Error code of a sample whose system under test raised."""
LOST = 2
"""Error code of a sample that was not answered in time."""
DOUBLED = 3
"""Error code of a sample that was answered more than once."""

_CHUNK = 1 << 18

QueryLog = NDArray[np.void]


def new_log(rows: int) -> QueryLog:
    """A log of ``rows`` samples that have not been answered."""
    log = np.zeros(rows, dtype=QUERY_DTYPE)
    log["first_token"] = NEVER
    log["completed"] = NEVER
    return log


def from_columns(columns: Mapping[str, NDArray[np.generic]], first: int, end: int) -> QueryLog:
    """Rows ``[first, end)`` of contiguous ``columns`` as a log; a missing column stays empty."""
    log = new_log(end - first)
    for name, column in columns.items():
        log[name] = column[first:end]
    return log


def write_query_log(
    stream: IO[bytes], columns: Mapping[str, NDArray[np.generic]], rows: int
) -> None:
    """Write ``columns`` as a ``.npy`` file, a chunk at a time: no second copy in memory."""
    stream.write(_header(rows))
    for first in range(0, rows, _CHUNK):
        stream.write(from_columns(columns, first, min(rows, first + _CHUNK)).tobytes())


def query_log_bytes(log: QueryLog) -> bytes:
    """The log as the bytes of a ``.npy`` file."""
    return _header(len(log)) + log.tobytes()


def read_query_log(data: bytes, where: str) -> QueryLog:
    """Read ``.npy`` bytes; `LevelfieldError` unless they are exactly what `query_log_bytes` writes.

    The header is compared, never parsed: numpy's own reader evaluates it as Python text.
    """
    header_size = 10 + int.from_bytes(data[8:10], "little")
    size = len(data) - header_size
    if size < 0 or size % QUERY_DTYPE.itemsize:
        raise LevelfieldError(f"{where}: not a whole query log; pack the run again")
    rows = size // QUERY_DTYPE.itemsize
    if _header(rows) != data[:header_size]:
        raise LevelfieldError(f"{where}: not a query log in the form of {QUERY_DTYPE.names}")
    return np.frombuffer(data, dtype=QUERY_DTYPE, offset=header_size)


def _header(rows: int) -> bytes:
    stream = io.BytesIO()
    described = {"descr": QUERY_DTYPE.descr, "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()
