"""How much memory the content of one bundle may take: counted while it is parsed, not after."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from harness.errors import LevelfieldError
from harness.events import Event
from harness.records import Record

MAX_CONTENT_BYTES = 48 * 2**20
"""Of content in memory. With the program itself, and one run's files, below 200 MB."""
LARGE_CONTENT_BYTES = 4 * 2**30
"""What a reader may ask for who expects a large bundle."""

_COLLECTED = 16
"""What the garbage collector keeps before each object that may hold others."""
_SMALL = 32
"""Keys of smaller objects come again and again, and are kept once."""

_FLAT = frozenset((str, int, float, bool, type(None)))


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
    """About how many bytes parsed ``content`` takes in memory, with all that it holds.

    Level by level and type by type: ``sys.getsizeof`` takes seven times as long for each object,
    and a round has half a million events.
    """
    total, level = 0, [content]
    while level:
        alike = defaultdict[type, list[Any]](list)
        for one in level:
            alike[type(one)].append(one)
        level = []
        for kind, ones in alike.items():
            total += sum(map(kind.__sizeof__, ones))  # type: ignore[arg-type]  # not bound
            if kind not in _FLAT:
                total += _COLLECTED * len(ones)
                level += _held(kind, ones)
    return total


def _held(kind: type, ones: Sequence[Any]) -> Iterable[Any]:
    """What all of ``ones``, which are of one type, hold."""
    if kind is dict:
        named = chain.from_iterable(one for one in ones if len(one) > _SMALL)
        return chain(chain.from_iterable(map(dict.values, ones)), named)
    if issubclass(kind, list | tuple):
        return chain.from_iterable(ones)
    if kind is Event:
        return chain.from_iterable((one.value, one.metadata) for one in ones)
    if issubclass(kind, Record):
        return chain.from_iterable((vars(one), one.model_fields_set) for one in ones)
    return ()
