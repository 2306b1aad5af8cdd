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
    """Read ``.npy`` bytes; `LevelfieldError` unless they are exactly what `query_log_bytes` writes.

    The header is compared, never parsed: numpy's own reader evaluates it as Python text.
    """
    header_size = 10 + int.from_bytes(data[8:10], "little")
    body = data[header_size:]
    if len(data) < header_size or len(body) % QUERY_DTYPE.itemsize:
        raise LevelfieldError(f"{where}: not a whole query log; pack the run again")
    log = np.frombuffer(body, dtype=QUERY_DTYPE)
    if _header(len(log)) != data[:header_size]:
        raise LevelfieldError(f"{where}: not a query log in the form of {QUERY_DTYPE.names}")
    return log


def _header(rows: int) -> bytes:
    stream = io.BytesIO()
    described = {"descr": QUERY_DTYPE.descr, "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()
