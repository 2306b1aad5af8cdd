"""How much memory the content of one bundle may take: counted while it is parsed, not after."""

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from harness.errors import LevelfieldError
from harness.events import Event
from harness.records import Record

MAX_CONTENT_BYTES = 48 * 2**20
"""Of content in memory. With the program itself, and one run's files, below 200 MB."""
LARGE_CONTENT_BYTES = 4 * 2**30
"""What a reader may ask for who expects a large bundle."""

_FIELDS_SET = 300
"""What pydantic keeps beside a record's own fields."""
_SMALL = 32
"""Keys of smaller objects come again and again, and are kept once."""

_FLAT = frozenset((str, int, float, bool, type(None)))
_EVENT = sys.getsizeof(Event(0, 0, "", None, {}))


class Allowance:
    """What may still be taken up by what is parsed from one bundle."""

    def __init__(self, size: int = MAX_CONTENT_BYTES) -> None:
        self._size = self._left = size

    def ask(self, where: str, size: int) -> None:
        """`LevelfieldError` if ``size`` bytes more would be too many."""
        if size > self._left:
            raise LevelfieldError(
                f"{where}: with it the bundle takes more than {self._size // 2**20} MiB of memory; "
                "refused, if you trust it read it with --large, else ask for smaller bundles"
            )

    def spend(self, where: str, size: int) -> None:
        """Take ``size`` bytes; `LevelfieldError` if there are not so many."""
        self.ask(where, size)
        self._left -= size


def weight(content: object) -> int:
    """About how many bytes parsed ``content`` takes in memory, with all that it holds."""
    waiting: list[Any] = [content]
    total = 0
    while waiting:
        one = waiting.pop()
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            waiting += one.values()
            if len(one) > _SMALL:
                waiting += one
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, Event):
            waiting += (one.value, one.metadata)
        elif isinstance(one, Record):
            waiting.append(vars(one))
            total += _FIELDS_SET
        elif isinstance(one, np.ndarray):
            total += one.nbytes
    return total


def weight_of_events(events: Iterable[Event]) -> int:
    """As `weight`, for the many events of a log, whose values and metadata are mostly flat."""
    return sum(_EVENT + _quickly(event.value) + _quickly(event.metadata) for event in events)


def _quickly(content: object) -> int:
    """As `weight`; what is flat without a loop in Python, since a round has a million of these."""
    if type(content) in _FLAT:
        return sys.getsizeof(content)
    if type(content) is dict and len(content) <= _SMALL:
        held = content.values()
        if _FLAT.issuperset(map(type, held)):
            return sys.getsizeof(content) + sum(map(sys.getsizeof, held))
    return weight(content)
