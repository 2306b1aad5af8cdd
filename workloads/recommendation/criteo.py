"""Criteo's click logs as they are published, read into the same arrays as generated clicks.

A folder holds ``day_0`` to ``day_23``, each perhaps ``.gz``; a line is a label, 13 whole numbers
and 26 words of 8 hexadecimal digits, tab-separated, any but the label perhaps empty.
"""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cache import cache_folder
from harness.card import WorkloadCard
from harness.errors import LevelfieldError
from harness.workload import Progress
from workloads.recommendation.data import candidates, sizes

_BLOCK = 1 << 16
_MOST = 1 << 31

Line = tuple[Path, int, bytes]
Row = tuple[int, list[int], list[int]]


def make(folder: Path, card: WorkloadCard, report: Progress) -> dict[str, NDArray[Any]]:
    """Rows of all days but the last to train on; of the last, rows to evaluate, then lists.

    `LevelfieldError` where a file is missing or damaged, or the rows are not as many as the card
    says. The arrays are mapped from nameless files in the cache: all logs take 660 GB.
    """
    length = candidates(card)
    days = int(card.shape["days"])
    lines = _lines(folder, range(days - 1))
    arrays = _read(card, "train", lines, card.training.train_samples, report)
    spare = next(lines, None)
    if spare is not None:
        raise LevelfieldError(
            f"{spare[0]}:{spare[1]}: more than the card's {card.training.train_samples} rows to "
            f"train on before day {days - 1}; give the logs as Criteo published them"
        )
    lines = _lines(folder, range(days - 1, days))
    arrays |= _read(card, "eval", lines, card.training.eval_samples, report)
    lists = _read(card, "lists", lines, card.inference.samples * length, report)
    return arrays | {key: a.reshape(-1, length, *a.shape[1:]) for key, a in lists.items()}


def _lines(folder: Path, days: range) -> Iterator[Line]:
    """Each line with its file and number."""
    for day in days:
        paths = [p for p in (folder / f"day_{day}", folder / f"day_{day}.gz") if p.is_file()]
        if not paths:
            raise LevelfieldError(
                f"{folder}: holds neither day_{day} nor day_{day}.gz; "
                "give the folder of Criteo's click logs with --data"
            )
        path = paths[0]
        opener = gzip.open if path.suffix == ".gz" else Path.open
        try:
            with opener(path, "rb") as file:
                for number, line in enumerate(file, 1):
                    yield path, number, line
        except (OSError, EOFError, zlib.error) as error:
            raise LevelfieldError(f"{path}: cannot be read: {error}; fetch it again") from error


def _read(
    card: WorkloadCard, part: str, lines: Iterator[Line], count: int, report: Progress
) -> dict[str, NDArray[Any]]:
    """The next ``count`` rows as ids, dense and labels of ``part``."""
    tables = np.array(sizes(card, "table"))
    unit = float(card.shape["dense_unit"])
    width = int(card.shape["dense"])
    ids = _mapped((count, len(tables)), np.int32)
    dense = _mapped((count, width), np.int16)
    labels = _mapped((count,), np.uint8)
    for start in range(0, count, _BLOCK):
        rows = [
            _row(line, width, len(tables)) for line in islice(lines, min(_BLOCK, count - start))
        ]
        here = slice(start, start + len(rows))
        if len(rows) < min(_BLOCK, count - start):
            raise LevelfieldError(
                f"Criteo's logs: {here.stop} rows for part {part}, the card expects {count}; "
                "give the logs as Criteo published them"
            )
        labels[here] = [row[0] for row in rows]
        dense[here] = _logarithms(np.array([row[1] for row in rows], dtype=np.float64), unit)
        ids[here] = np.array([row[2] for row in rows], dtype=np.int64) % tables
        report(f"reading Criteo's logs: {part}", here.stop, count)
    return {f"{part}.ids": ids, f"{part}.dense": dense, f"{part}.labels": labels}


def _mapped(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array on the disk, gone with its last use."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=cache_folder()) as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def _logarithms(numbers: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """ln(x + 3) in whole ``1 / unit``, as MLPerf's reference takes it; the logs begin at -2."""
    return np.rint(np.log(np.maximum(numbers + 3, 1)) * unit)


def _row(line: Line, numbers: int, words: int) -> Row:
    """Label, whole numbers and hexadecimal words of a line, empty ones as 0."""
    fields = line[2].rstrip(b"\r\n").split(b"\t")
    if len(fields) != 1 + numbers + words:
        raise _damaged(line, f"{len(fields)} fields, expected {1 + numbers + words}")
    if fields[0] not in (b"0", b"1"):
        raise _damaged(line, "the label is neither 0 nor 1")
    try:
        dense = [int(field) if field else 0 for field in fields[1 : 1 + numbers]]
        ids = [int(field, 16) if field else 0 for field in fields[1 + numbers :]]
    except ValueError:
        raise _damaged(line, "a feature is not a number") from None
    if not all(-_MOST < x < _MOST for x in dense) or not all(0 <= x < 1 << 32 for x in ids):
        raise _damaged(line, "a feature is out of range")
    return int(fields[0]), dense, ids


def _damaged(line: Line, reason: str) -> LevelfieldError:
    return LevelfieldError(f"{line[0]}:{line[1]}: {reason}; fetch the file again")
