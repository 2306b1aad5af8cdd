import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LevelfieldError
from harness.queries import NEVER, new_log, query_log_bytes, read_query_log


def test_round_trip() -> None:
    log = new_log(3)
    log["sample"] = [4, 5, 6]
    assert (read_query_log(query_log_bytes(log), "q") == log).all()
    assert (log["completed"] == NEVER).all()


def npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        pickle.dumps([1]),
        npy([1, 2]),
        npy(np.array([{"a": 1}], dtype=object)),
        npy(new_log(4).reshape(2, 2)),
        query_log_bytes(new_log(1)) + b"x",
        query_log_bytes(new_log(2))[:-1],
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(LevelfieldError, match=r"^q: "):
        read_query_log(data, "q")


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_header_byte_is_refused(at: int, byte: int) -> None:
    good = query_log_bytes(new_log(5))
    data = bytearray(good)
    header_size = len(good) - new_log(5).nbytes
    data[at % header_size] = byte
    if data == good:
        return
    with pytest.raises(LevelfieldError, match=r"^q: not a"):
        read_query_log(bytes(data), "q")
