"""Spreads the reading of many bundles over processes."""

import gc
import multiprocessing
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from harness.errors import LevelfieldError

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


def _can_fork() -> bool:
    """A fork starts at once, but must not copy a thread's locks, say of the progress bar."""
    return sys.platform == "linux" and threading.active_count() == 1


def in_order(
    work: Callable[[_Item], _Done], items: Sequence[_Item], jobs: int
) -> Generator[_Done, None, None]:
    """What ``work`` makes of each item, in their order; close it when done with it.

    At most ``jobs`` at a time, each in a process of its own if that is more than one. Whatever
    ``work`` raises is raised for the first item, in order, with which it fails. `LevelfieldError`
    if a process is killed.
    """
    jobs = min(jobs, len(items))
    if jobs <= 1:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("fork" if _can_fork() else "spawn")
    # What `many_logs` does here, the initialiser does there.
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=gc.disable) as pool:
        waiting = [pool.submit(work, item) for item in items]
        try:
            for one in waiting:
                yield one.result()
        except BrokenProcessPool as error:
            raise LevelfieldError(
                f"--jobs {jobs}: a process was killed, perhaps for want of memory; take fewer"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_tasks: Sequence[Callable[[], None]] = ()
"""What forks of this process find when they start: it need not be sent to them."""


def every(tasks: Sequence[Callable[[], None]], jobs: int) -> Generator[None, None, None]:
    """Do every task, ``jobs`` at a time, each in a fork; one step for each that is done.

    For tasks whose results are files: what they read is shared with the forks, not sent. Where no
    process can be forked they are done here. Errors are those of `in_order`.
    """
    global _tasks
    if not _can_fork():
        jobs = 1
    _tasks = tasks
    try:
        yield from in_order(_do, range(len(tasks)), jobs)
    finally:
        _tasks = ()


def _do(number: int) -> None:
    _tasks[number]()
