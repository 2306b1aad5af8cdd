"""Ends a run whose system hangs in the thread that issues, where nothing else can end it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.tracker import Tracker


class Hung(BaseException):
    """Raised in the main thread when nothing was completed for too long.

    Not an `Exception`: neither a system's own ``except Exception`` nor ours may swallow it.
    """


@contextmanager
def watch(tracker: Tracker, timeout_ns: int) -> Iterator[None]:
    """Raise `Hung` in the block when something is open and none was completed for the timeout.

    Only in the main thread, the only one that Python lets a signal interrupt; elsewhere nothing
    is watched. Native code is interrupted when it returns.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    main = threading.get_ident()
    ended = threading.Event()

    def look() -> None:
        step_s = timeout_ns / 1e9 / 8
        before, unchanged = (tracker.queries, tracker.open), 0
        while not ended.wait(step_s):
            now = (tracker.queries, tracker.open)
            unchanged = unchanged + 1 if now == before and tracker.open else 0
            before = now
            # A step beyond the timeout: a system in other threads is given up by the wait itself.
            if unchanged > 9:
                signal.pthread_kill(main, signal.SIGALRM)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    old = signal.signal(signal.SIGALRM, interrupt)
    thread = threading.Thread(target=look, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        signal.signal(signal.SIGALRM, old)
