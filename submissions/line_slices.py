"""Cuts a file of lines into slices, so that no more than one of them is in pieces at a time."""

from collections.abc import Iterator

from harness.errors import LevelfieldError

MAX_LINE_BYTES = 2**18


def slices(data: bytes, where: str) -> Iterator[tuple[int, bytes]]:
    """Whole lines of ``data``, at most `MAX_LINE_BYTES` at a time, and the lines before them.

    `LevelfieldError` for a longer line.
    """
    begin = before = 0
    while begin < len(data):
        end = begin + MAX_LINE_BYTES
        if end < len(data):
            end = data.rfind(b"\n", begin, end) + 1
            if end <= begin:
                raise LevelfieldError(
                    f"{where}:{before + 1}: longer than {MAX_LINE_BYTES} bytes; "
                    "refused, no line that Levelfield writes is"
                )
        piece = data[begin:end]
        yield before, piece
        before += piece.count(b"\n")
        begin = end
