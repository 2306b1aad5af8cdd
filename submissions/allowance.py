"""How much memory the content of one bundle may take: counted while it is parsed, not after."""

import sys
from collections.abc import Callable, Sequence
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

_EVENT = sys.getsizeof(Event(0, 0, "", None, {}))
_OBJECT, _LIST, _MEMBER = 384, 168, 212
"""What an object, a list, and one member more of either take at most: the container, its slot for
the member, the member's name and its value, all without their letters and digits."""
_OF_EVERY_EVENT = _OBJECT + 3 * _MEMBER
"""An event's own object, of at least four members, is not kept."""


class Allowance:
    """What may still be taken up by what is parsed from one bundle."""

    def __init__(self, size: int = MAX_CONTENT_BYTES) -> None:
        self._size = self._left = size
        self._estimated: list[tuple[int, Callable[[], int]]] = []

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

    def spend_at_most(self, where: str, most: int, exact: Callable[[], int]) -> None:
        """As `spend` of ``exact()``, which is ``most`` at most and is asked only if that matters."""
        self._estimated.append((most, exact))
        self._left -= most
        if self._left < 0:
            self._left += sum(most - exact() for most, exact in self._estimated)
            self._estimated.clear()
        self.ask(where, 0)


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


def most_of_events(data: bytes, events: Sequence[Event]) -> int:
    """The `weight` of ``events``, which were parsed from ``data``, at most: by counting in text.

    A tenth of the time of weighing them, and a round has half a million.
    """
    letters = len(data) if b"\\u" not in data else 4 * len(data)
    containers = _OBJECT * data.count(b"{") + _LIST * data.count(b"[")
    members = _MEMBER * data.count(b",")
    return letters + containers + members + (_EVENT - _OF_EVERY_EVENT) * len(events)
