"""The processor time of a process and of every process that it started."""

import errno
import os
from pathlib import Path

from harness.telemetry.kernel_file import KernelFile

_TICKS = os.sysconf("SC_CLK_TCK")


class OwnTime:
    """Seconds of one process, its living descendants and those that it has waited for.

    The total never falls: what a descendant used before its own parent was gone stays counted.
    New descendants are looked for, thread by thread of those known, only when the kernel has
    started anything since the last call. ``owner`` is the process's id, this one's if none.
    """

    def __init__(self, owner: int | None = None, proc: Path = Path("/proc")) -> None:
        self._owner = os.getpid() if owner is None else owner
        self._proc = proc
        self._stat = KernelFile(proc / f"{self._owner}/stat")
        self._started: int | None = None
        self._living: list[KernelFile] = []
        self._total = 0.0

    def seconds(self, started: int) -> float:
        """The total now; OSError where the kernel does not list a process's children.

        ``started`` is how many processes and threads the kernel has started since boot.
        """
        # Those waited for come first: a child that ends in between is missed for one reading,
        # not counted twice.
        total = _seconds_of(self._stat)
        if started != self._started:
            self._living = [KernelFile(self._proc / f"{pid}/stat") for pid in self._descendants()]
            self._started = started
        total += sum(_seconds_of(stat) for stat in self._living)
        self._total = max(self._total, total)
        return self._total

    def _descendants(self) -> list[int]:
        task = self._proc / f"{self._owner}/task/{self._owner}"
        if task.exists() and not (task / "children").exists():
            raise OSError(errno.ENOTSUP, "the kernel does not list children")
        found: list[int] = []
        waiting = [self._owner]
        while waiting:
            children = self._children(waiting.pop())
            found += children
            waiting += children
        return found

    def _children(self, pid: int) -> list[int]:
        """A process's children, thread by thread; none of one that has ended meanwhile."""
        folder = self._proc / f"{pid}/task"
        try:
            lists = [(folder / task / "children").read_text() for task in os.listdir(folder)]  # noqa: PTH208 (names, fast)
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [int(word) for text in lists for word in text.split()]


def _seconds_of(stat: KernelFile) -> float:
    """A process's time with that of the children that it has waited for; 0 if it has ended."""
    try:
        text = stat.text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # its parent has waited for it and has its time
    # The name, in brackets, may hold anything; see proc_pid_stat(5), fields 14 to 17.
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / _TICKS
