"""Lets one thread sleep until another wakes it, and hands over as little as possible.

A Python lock is released by a thread that holds the interpreter lock, so the sleeper wakes only
to wait again, for that one. Writing to a file descriptor releases the interpreter lock first;
measured in bench/loadgen.py as the time of a completion that comes from another thread.
"""

import ctypes
import os
import select
import threading
from typing import Protocol


class Gate(Protocol):
    """One sleeper, any number of wakers. A wake-up before the sleep ends the next sleep at once."""

    def wait(self, timeout_s: float) -> bool:
        """Sleep until woken; false if the time is up first. May wake for nothing."""

    def open(self) -> None:
        """Wake the sleeper."""

    def close(self) -> None:
        """Give back what the gate holds."""


class EventGate:
    """Linux: an event descriptor, watched for edges, so that it need never be read."""

    def __init__(self) -> None:
        # Through ctypes, which lets go of the interpreter lock; os.sched_yield does not.
        self._yield = ctypes.CDLL(None).sched_yield
        self._event = os.eventfd(0)
        self._poll = select.epoll()
        self._poll.register(self._event, select.EPOLLIN | select.EPOLLET)

    def wait(self, timeout_s: float) -> bool:
        """See `Gate`."""
        return bool(self._poll.poll(timeout_s))

    def open(self) -> None:
        """See `Gate`."""
        os.eventfd_write(self._event, 1)
        # The sleeper may be on this core: without this it wakes only to wait for it.
        self._yield()

    def close(self) -> None:
        """See `Gate`."""
        self._poll.close()
        os.close(self._event)


class LockGate:
    """Elsewhere: a lock as a binary semaphore."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, timeout_s: float) -> bool:
        """See `Gate`."""
        return self._lock.acquire(timeout=timeout_s)

    def open(self) -> None:
        """See `Gate`."""
        if self._lock.locked():
            self._lock.release()

    def close(self) -> None:
        """See `Gate`."""


def new_gate() -> Gate:
    """The best gate of this machine."""
    return EventGate() if hasattr(os, "eventfd") and hasattr(select, "epoll") else LockGate()
