"""Files of /proc and /sys, kept open, and readings of them that may fail one by one."""

import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from harness.telemetry.log import Reading
from harness.telemetry.sampler import reason

_CHUNK = 1 << 16


class KernelFile:
    """A counter's file, opened at the first reading: each one after it costs no look-up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def text(self) -> str:
        """The file as it stands now; OSError where the kernel refuses or the device is gone."""
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._descriptor)
        read = b""
        # The kernel may hand over a long file in parts; only an empty one is the end.
        while part := os.pread(self._descriptor, _CHUNK, len(read)):
            read += part
        return read.decode("utf-8", "replace")

    def number(self) -> int:
        """The one integer that the file holds; ValueError where it holds anything else."""
        return int(self.text())


Group = tuple[tuple[str, ...], Callable[[], Mapping[str, Reading]]]
"""Quantities that are read together, and how."""


def take(groups: Iterable[Group]) -> tuple[dict[str, Reading], dict[str, str]]:
    """Values and gaps of every group; one that cannot be read leaves gaps in its own quantities."""
    values: dict[str, Reading] = {}
    gaps: dict[str, str] = {}
    for names, read in groups:
        try:
            values |= read()
        except (OSError, ValueError, LookupError) as error:
            values |= dict.fromkeys(names)
            gaps |= dict.fromkeys(names, reason(error))
    return values, gaps
